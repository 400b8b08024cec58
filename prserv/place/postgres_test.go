package place

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"prserver/prserv"
	"prserver/prserv/client"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// newPostgres makes a place without tables: a schema of one database, which takes
// less time than a database.
func newPostgres(t testing.TB) Place {
	t.Helper()
	url := pgtest.Shared(t).URL("postgres")
	schema := strings.ToLower(t.Name()) + fmt.Sprint(schemas.Add(1))
	pgtest.Execute(t, url, "CREATE SCHEMA "+schema)
	return Place{PostgreSQL, url + "&search_path=" + schema}
}

// schemas is how many have been made.
var schemas atomic.Int64

// empty removes all rows, which takes less time than a new database.
func empty(t testing.TB, p Place) {
	t.Helper()
	pgtest.Execute(t, p.Name, "TRUNCATE prgroup, prvalue; UPDATE prserv_state SET revisions = false")
}

// copied copies a place, and returns the report.
func copied(t testing.TB, src, dst Place) Copied {
	t.Helper()
	c, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantEqual compares two places.
func wantEqual(t testing.TB, about string, a, b Place, rows int64) {
	t.Helper()
	c, err := (&Work{}).Diff(t.Context(), a, b, func(d Difference) error {
		t.Errorf("%s: %+v", about, d)
		return nil
	})
	if err != nil || rows >= 0 && c != (Compared{Same: rows}) {
		t.Errorf("%s: %+v, %v; want %d that are the same", about, c, err, rows)
	}
}

// TestCopyPostgresRandom merges random rows of every kind of file into a database,
// twice, and takes them back to a file.
func TestCopyPostgresRandom(t *testing.T) {
	p := newPostgres(t)
	copied(t, newDB(t, generation1), p)
	for seed := range map[bool]uint64{false: 4, true: 60}[isLong()] {
		random := rand.New(rand.NewPCG(seed, 12))
		of := generations[seed%2]
		old, in := randomRows(random, generations[0], 12), randomRows(random, of, 12)
		if seed%3 == 0 {
			old = nil
		}
		empty(t, p)
		want, counts := merged(generation1, nil, old)
		if got := copied(t, makePlace(t, Database, generation1, old), p); got != counts {
			t.Errorf("seed %d: %+v, want %+v", seed, got, counts)
		}
		about := fmt.Sprintf("seed %d: %v of generation %d into %v", seed, in, of.number, old)
		want, counts = merged(of, want, in)
		if got := copied(t, makePlace(t, []Kind{Database, SQL}[seed/2%2], of, in), p); got != counts {
			t.Errorf("%s: %+v, want %+v", about, got, counts)
		}
		wantRows(t, about, listed(t, p, ListOptions{}), sortedRows(want))
		if got := copied(t, makePlace(t, Database, of, in), p); got != (Copied{Kept: int64(len(in))}) {
			t.Errorf("%s, again: %+v", about, got)
		}
		back := Place{Database, filepath.Join(t.TempDir(), "back.sqlite3")}
		copied(t, p, back)
		wantEqual(t, about, back, p, -1)
		if problems := problemsOf(t, p); strings.Contains(fmt.Sprint(problems), "prgroup says") {
			t.Errorf("%s: %v", about, problems)
		}
	}
}

// TestRaiseTwinsPostgres raises twins of random rows, the first of which keeps its
// number.
func TestRaiseTwinsPostgres(t *testing.T) {
	p := newPostgres(t)
	copied(t, newDB(t, generation1), p)
	for seed := range map[bool]uint64{false: 2, true: 30}[isLong()] {
		random := rand.New(rand.NewPCG(seed, 13))
		of := generations[seed%2]
		rows := randomRows(random, of, 14)
		empty(t, p)
		copied(t, makePlace(t, Database, of, rows), p)
		file := makePlace(t, Database, of, rows)
		want, err := (&Work{}).RaiseTwins(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := (&Work{}).RaiseTwins(t.Context(), p)
		if err != nil || got != want {
			t.Errorf("seed %d: %+v, %v; want %+v", seed, got, err, want)
		}
		wantEqual(t, fmt.Sprint("seed ", seed), file, p, -1)
	}
	empty(t, p)
	const most = "2147483646"
	copied(t, newDB(t, generation1, Row{"v", "p", "a", most}, Row{"v", "p", "b", most}, Row{"v", "p", "c", most}), p)
	if got, err := (&Work{}).RaiseTwins(t.Context(), p); err != nil || got != (Raised{1, 1, 1}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestPostgresServed copies from and to a database while a server has it, which
// goes on above all values.
func TestPostgresServed(t *testing.T) {
	p := newPostgres(t)
	db, err := postgres.Open(t.Context(), p.Name, false)
	if err != nil {
		t.Fatal(err)
	}
	server := Place{Server, prservtest.ServeStore(t, db, prserv.Config{})}
	get := func(checksum string) int64 {
		t.Helper()
		v, err := client.New(server.Name, client.Timeout).GetPR(t.Context(), "v", "p", checksum)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	get("a")
	file := newFile(t, make1+make3+"INSERT INTO PRMAIN_nohist VALUES ('v','p','b',7), ('w','p','a',0), ('w','p','"+store.Reserved+"',4);"+
		"INSERT INTO PRMAIN VALUES ('v','p','b','6'), ('v','p','b','7'), ('w','p','a','0'), ('w','p','c','3.1')")
	if got := copied(t, file, p); got != (Copied{New: 4}) {
		t.Errorf("%+v", got)
	}
	if got := []int64{get("b"), get("c"), get("a")}; fmt.Sprint(got) != "[7 8 9]" {
		t.Errorf("got %v", got)
	}
	wantEqual(t, "served", server, p, 5)
	back := Place{Database, filepath.Join(t.TempDir(), "back.sqlite3")}
	copied(t, p, back)
	wantEqual(t, "back", back, p, 5)
	wantRows(t, "whole numbers", sortedRows(stored(t, back.Name, generation1)), sortedRows(stored(t, textFile(t, server), generation1)))
	wantProblems(t, "served", problemsOf(t, p), nil)
}

// textFile makes a file of what a place has, by way of a dump.
func textFile(t *testing.T, p Place) string {
	t.Helper()
	dump := Place{SQL, filepath.Join(t.TempDir(), "a.sql")}
	copied(t, p, dump)
	file := Place{Database, filepath.Join(t.TempDir(), "b.sqlite3")}
	copied(t, dump, file)
	return file.Name
}

// TestCheckPostgres finds what somebody has changed by hand.
func TestCheckPostgres(t *testing.T) {
	p := newPostgres(t)
	copied(t, newDB(t, generation1, Row{"v", "p", "a", "1"}, Row{"w", "p", "a", "1"}, Row{"x", "p", "a", "1"}), p)
	wantProblems(t, "sound", problemsOf(t, p), nil)
	pgtest.Execute(t, p.Name, "UPDATE prvalue SET value = '{9}' WHERE group_id = (SELECT id FROM prgroup WHERE version = 'v')",
		"DELETE FROM prgroup WHERE version = 'x'",
		"UPDATE prvalue SET value = '{NULL}' WHERE group_id = (SELECT id FROM prgroup WHERE version = 'w')")
	wantProblems(t, "changed", problemsOf(t, p), []string{
		"somebody has deleted rows of prgroup: 1", "v p is at 1, but prvalue has 9, so numbers would be given out twice|psql: UPDATE prgroup SET greatest = '{9}', holder = NULL WHERE id = ",
		"the row w p a NULL holds what no PR server issues|remove the row from prvalue with psql",
	})
	_, err := (&Work{}).Copy(t.Context(), p, Place{Database, filepath.Join(t.TempDir(), "a.db")}, CopyOptions{})
	prservtest.WantOneLine(t, "a bad row", err, "the row w p a NULL: it is no PR value")
}

// TestRemovalPostgres removes an odd row as check says.
func TestRemovalPostgres(t *testing.T) {
	p := newPostgres(t)
	left := newDB(t, generation1, Row{"v", "p", "a", "1"})
	copied(t, newDB(t, generation1, Row{"v", "p", "a", "1"}, Row{"v", "p", "b", "9223372036854775807"}), p)
	wantProblems(t, "odd", problemsOf(t, p), []string{"cannot be told|if it is not one of your packages, remove the row from prvalue with psql, " +
		"and where prgroup has its value as the greatest, set greatest there to that of the rows which are left, {} without any, and holder to NULL"})
	pgtest.Execute(t, p.Name, "DELETE FROM prvalue WHERE checksum = 'b'", "UPDATE prgroup SET greatest = '{1}', holder = NULL WHERE version = 'v'")
	wantProblems(t, "mended", problemsOf(t, p), nil)
	wantEqual(t, "mended", left, p, 1)

	empty(t, p)
	copied(t, newDB(t, generation1, Row{"", "p", "a", "1"}), p)
	pgtest.Execute(t, p.Name, "DELETE FROM prvalue WHERE checksum = 'a'", "UPDATE prgroup SET greatest = '{}', holder = NULL")
	wantProblems(t, "without any row", problemsOf(t, p), nil)
	wantEqual(t, "without any row", newDB(t, generation1), p, 0)
}

// TestPostgresErrors has databases that cannot be used. Each error is one line,
// and names the database without the password.
func TestPostgresErrors(t *testing.T) {
	made := newPostgres(t)
	copied(t, newDB(t, generation1, Row{"v", "p", "a", "1"}), made)
	newer, none := newPostgres(t), newPostgres(t)
	copied(t, made, newer)
	pgtest.Execute(t, newer.Name, "UPDATE prserv_state SET schema_version = 99")
	_, schema, _ := strings.Cut(made.Name, "search_path=")
	pgtest.Execute(t, made.Name, "CREATE ROLE reader LOGIN", "CREATE ROLE stranger LOGIN", "GRANT USAGE ON SCHEMA "+schema+" TO reader, stranger",
		"GRANT SELECT ON ALL TABLES IN SCHEMA "+schema+" TO reader")
	as := func(user string, p Place) Place {
		return Place{PostgreSQL, strings.Replace(p.Name, "postgres@", user+":secret@", 1)}
	}
	guard(t, "guarded")
	for about, test := range map[string]struct {
		p           Place
		read, write string // what the error says, or "" for none
	}{
		"no server":      {Place{PostgreSQL, "postgres://u:secret@127.0.0.1:1/db"}, "nothing listens at 127.0.0.1:1", "nothing listens at 127.0.0.1:1; start PostgreSQL"},
		"no host":        {Place{PostgreSQL, "postgres://u:secret@x.invalid/db"}, "no host has the name x.invalid", "correct the URL"},
		"no database":    {as("postgres", Place{PostgreSQL, pgtest.Shared(t).URL("nix")}), `database "nix" does not exist; make it with createdb`, "createdb"},
		"no user":        {as("nobody", made), `role "nobody" does not exist; name another user`, `role "nobody" does not exist`},
		"wrong password": {as("guarded", made), `password authentication failed for user "guarded"; give the right password with PGPASSWORD`, "~/.pgpass"},
		"no tables":      {as("postgres", none), "it has no tables of PR values", ""},
		"a newer schema": {as("postgres", newer), "its schema has version 99, and this program knows 1; install a newer one", "its schema has version 99"},
		"a reader":       {as("reader", made), "", "permission denied for table prgroup; give the role reader that right"},
		"no right":       {as("stranger", made), "permission denied for table prserv_state; give the role stranger", "permission denied"},
		"no PostgreSQL":  {Place{PostgreSQL, "postgres://u:secret@" + closing(t) + "/db"}, "is that PostgreSQL?", "is that PostgreSQL?"},
		"not a URL":      {Place{PostgreSQL, "postgres://u:sec/ret@h/db"}, "not written as a URL", "not written as a URL"},
	} {
		err := (&Work{}).List(t.Context(), test.p, ListOptions{}, func(Row) error { return nil })
		wantError(t, about+", read", test.p, err, test.read)
		_, err = (&Work{}).Copy(t.Context(), newDB(t, generation1, Row{"new", "p", "a", "1"}), test.p, CopyOptions{})
		wantError(t, about+", written", test.p, err, test.write)
	}
	wantEqual(t, "the first", made, newDB(t, generation1, Row{"v", "p", "a", "1"}), 1)
}

// closing listens, and closes every connection. It returns the address.
func closing(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-ended })
	return ln.Addr().String()
}

// guard makes a role that needs a password.
func guard(t *testing.T, role string) {
	t.Helper()
	url := pgtest.Shared(t).URL("postgres")
	var file string
	if err := pgtest.Connect(t, url).QueryRow(t.Context(), "SHOW hba_file").Scan(&file); err != nil {
		t.Fatal(err)
	}
	prservtest.WriteFile(t, file, "host all "+role+" all scram-sha-256\n"+prservtest.ReadFile(t, file))
	pgtest.Execute(t, url, "CREATE ROLE "+role+" LOGIN PASSWORD 'another'", "SELECT pg_reload_conf()")
	prservtest.WaitFor(t, "the password to be asked for", func() bool {
		conn, err := pgx.Connect(t.Context(), strings.Replace(url, "postgres@", role+"@", 1))
		if err == nil {
			conn.Close(t.Context())
		}
		return err != nil
	})
}

func wantError(t *testing.T, about string, p Place, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%s: %v", about, err)
		}
		return
	}
	prservtest.WantOneLine(t, about, err, p.String(), want)
	if err != nil && strings.Contains(err.Error(), "sec") && !strings.Contains(err.Error(), "sections") {
		t.Errorf("%s: the error has the password: %v", about, err)
	}
}

// TestPostgresRefused has options that make no sense there.
func TestPostgresRefused(t *testing.T) {
	p := Place{PostgreSQL, "postgres://u:secret@127.0.0.1:1/db"}
	for want, o := range map[string]CopyOptions{
		"cannot be replaced: its numbers could go back; name a new database": {Replace: true},
		"has no generation":          {Generation: 1},
		"gets every row anyway":      {All: true},
		"cannot be copied to itself": {},
	} {
		_, err := (&Work{}).Copy(t.Context(), p, p, o)
		wantError(t, want, p, err, want)
	}
	_, err := (&Work{}).Copy(t.Context(), p, newDB(t, generation1), CopyOptions{Salvage: true})
	wantError(t, "salvage", p, err, "is not to be salvaged")
}
