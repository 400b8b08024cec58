package compat_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"prserver/compat/golden"
	"prserver/prserv"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// notOnPostgres are the sessions whose answers depend on SQLite, and why.
var notOnPostgres = map[string]string{
	"arguments-importone":  kinds,
	"column-value":         kinds,
	"differs-reals":        kinds,
	"imported-values":      kinds,
	"random-calls-1":       kinds,
	"random-calls-3":       kinds,
	"random-trees-2":       kinds,
	"scalar-double":        kinds,
	"scalar-decimal":       kinds,
	"tags":                 kinds,
	"ties":                 kinds,
	"greatest-integer":     limit,
	"column-broken":        noText,
	"column-text":          noText,
	"seed-columns-unicode": ownFile,
	"seed-history":         ownFile,
	"seed-names-unicode":   ownFile,
	"seed-objects":         ownFile,
	"seed-text-unicode":    ownFile,
	"seed-values":          ownFile,
	"table-column-order":   ownFile,
	"table-failing":        ownFile,
	"table-ignoring":       ownFile,
	"table-nocase":         ownFile,
	"table-plain":          ownFile,
	"table-real-value":     ownFile,
	"table-refusing":       ownFile,
	"table-spelling":       ownFile,
	"table-text-value":     ownFile,
	"table-without-rowid":  ownFile,
}

// linesNotOnPostgres are those of the JSON-lines protocol.
var linesNotOnPostgres = map[string]string{
	"getpr-arguments": noText,
	"import-keys":     noText,
	"texts":           noText,
}

// Reasons why a session has other answers on PostgreSQL.
const (
	kinds   = "values that are no whole numbers are imported, which only SQLite stores"
	noText  = "a text is none that PostgreSQL stores"
	limit   = "behind the last integer SQLite goes on with real numbers"
	ownFile = "the file has a table of another form, or more in it than PR values"
)

// shortPart is how many sessions there are for one that the ordinary run replays on
// PostgreSQL. Most are about the wire, which TestGolden replays, all of it.
const shortPart = 4

// TestGoldenPostgres replays the recorded sessions on a PostgreSQL database.
func TestGoldenPostgres(t *testing.T) {
	shared := pgtest.Database(t)
	folders, part := []string{string(golden.Py3)}, shortPart
	if os.Getenv("PRSERV_LONG") != "" {
		folders, part = append(folders, string(golden.Py2)), 1
	} else {
		t.Logf("one session in %d is replayed, and none of %s: all only with PRSERV_LONG=1", shortPart, golden.Py2)
	}
	for _, release := range golden.Releases() {
		folders = append(folders, string(release))
	}
	for f, folder := range folders {
		sessions, err := golden.ReadDir(filepath.Join("..", "testdata", "golden", folder))
		if err != nil {
			t.Fatal(err)
		}
		reasons := notOnPostgres
		lines := folder != string(golden.Py2) && folder != string(golden.Py3)
		if lines {
			reasons = linesNotOnPostgres
		}
		for i, session := range sessions {
			if i%part != f%part {
				continue
			}
			if lines && session.Seed != "" {
				continue // its file has the table of generation 3
			}
			if session.Refused != (golden.Difference{}) || session.ReadOnly || session.Upstream {
				continue // they are about files, or about another server
			}
			t.Run(folder+"/"+session.Name, func(t *testing.T) {
				t.Parallel()
				replayOnPostgres(t, shared, fmt.Sprintf("session_%d_%d", f, i), session, reasons, folder != string(golden.Py2))
			})
		}
	}
}

// replayOnPostgres plays a session on a schema of its own. One that is to have
// other answers has to have some, if strict. (Python 2 answers less, and its
// sessions have the same names.)
func replayOnPostgres(t *testing.T, shared, schema string, session golden.Session, reasons map[string]string, strict bool) {
	t.Helper()
	pgtest.Execute(t, shared, "CREATE SCHEMA "+schema)
	s, err := postgres.Open(t.Context(), shared+"&search_path="+schema, false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	reason := reasons[session.Name]
	var rows [][]any
	if session.Seed != "" && reason != ownFile {
		rows = prservtest.Rows(t, seeded(t, session.Seed))
	}
	for _, row := range rows {
		k := store.Key{Version: fmt.Sprint(row[0]), Pkgarch: fmt.Sprint(row[1]), Checksum: fmt.Sprint(row[2])}
		if _, err := s.ImportOne(t.Context(), k, row[3]); err != nil && reason == "" {
			t.Fatalf("seeding the database with %v: %v", row, err)
		}
	}
	addr := prservtest.ServeStore(t, s, prserv.Config{})
	differ := 0
	for i, exchange := range session.Exchanges {
		err := check(exchange, send(t, addr, exchange), session.Comparable)
		if err == nil {
			continue
		}
		if differ++; reason == "" {
			t.Errorf("exchange %d, %s%v", i+1, exchange.About, err)
		}
	}
	if reason != "" && differ == 0 && strict {
		t.Errorf("no answer differs any more; it was to do so because %s", reason)
	}
}
