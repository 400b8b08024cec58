package place

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
)

// isLong tells that scripts/test --long runs the tests.
func isLong() bool { return os.Getenv("PRSERV_LONG") != "" }

// textPlace makes a text, and returns its place.
func textPlace(t testing.TB, name, text string) Place {
	t.Helper()
	p, err := Parse(filepath.Join(t.TempDir(), name), "")
	if err != nil {
		t.Fatal(err)
	}
	prservtest.WriteFile(t, p.Name, text)
	return p
}

// dumpText is what sqlite3 would write of rows.
func dumpText(of *generation, rows func(put func(Row))) string {
	var out strings.Builder
	out.WriteString("BEGIN TRANSACTION;\n" + of.schema + "\n")
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	rows(func(r Row) {
		value := r.Value
		if of.revisions {
			value = quote(value)
		}
		fmt.Fprintf(&out, "INSERT INTO \"%s\" VALUES(%s,%s,%s,%s);\n",
			of.table, quote(r.Version), quote(r.Pkgarch), quote(r.Checksum), value)
	})
	return out.String() + "COMMIT;\n"
}

// openDB opens a database file as any other program does.
func openDB(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", (&url.URL{Scheme: "file", OmitHost: true, Path: file}).String()+"?_busy_timeout=1000&_synchronous=OFF")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%.100s: %v", query, err)
	}
}

// newDB makes a database file with the rows of a generation.
func newDB(t testing.TB, of *generation, rows ...Row) Place {
	t.Helper()
	p := Place{Database, filepath.Join(t.TempDir(), "db.sqlite3")}
	db := openDB(t, p.Name)
	execute(t, db, of.schema)
	insertRows(t, db, of, rows...)
	return p
}

func insertRows(t testing.TB, db *sql.DB, of *generation, rows ...Row) {
	t.Helper()
	for _, r := range rows {
		execute(t, db, "INSERT INTO "+of.table+" VALUES (?, ?, ?, ?)", r.Version, r.Pkgarch, r.Checksum, r.Value)
	}
}

// stored reads the rows of a database file without our code, in the order of
// the file.
func stored(t testing.TB, file string, of *generation) []Row {
	t.Helper()
	db := openDB(t, file)
	defer db.Close()
	found, err := db.Query("SELECT version, pkgarch, checksum, CAST(value AS TEXT) FROM " + of.table + " ORDER BY rowid")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var out []Row
	for found.Next() {
		var r Row
		if err := found.Scan(&r.Version, &r.Pkgarch, &r.Checksum, &r.Value); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// listed lists the rows of a place.
func listed(t testing.TB, p Place, o ListOptions) []Row {
	t.Helper()
	var out []Row
	if err := (&Work{}).List(t.Context(), p, o, func(r Row) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func compareRows(a, b Row) int {
	if c := compareKeys(&a, &b); c != 0 {
		return c
	}
	if c := compareRevisions(a.Value, b.Value); c != 0 {
		return c
	}
	return strings.Compare(a.Value, b.Value)
}

func sortedRows(rows []Row) []Row {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, compareRows)
	return rows
}

func wantRows(t testing.TB, about string, got, want []Row) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: rows %v, want %v", about, got, want)
	}
}

var errStop = errors.New("stop here")
