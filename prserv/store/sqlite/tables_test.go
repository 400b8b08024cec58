package sqlite_test

import (
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store/sqlite"
)

// TestOpenNewer opens files that have values of BitBake 2.10 and later only: it
// goes on above them.
func TestOpenNewer(t *testing.T) {
	file := prservtest.NewFile(t)
	prservtest.Execute(t, prservtest.Outside(t, file), "CREATE TABLE PRMAIN (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, "+
		"value TEXT, PRIMARY KEY (version, pkgarch, checksum, value))")
	s := prservtest.Open(t, file)
	wantWarning(t, s, "has no values: every PR value starts at 0")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	prservtest.Execute(t, prservtest.Outside(t, file), "INSERT INTO PRMAIN VALUES ('v', 'all', 'a', '7')")
	s = prservtest.Open(t, file)
	if got := s.Warnings(); len(got) != 0 {
		t.Errorf("got %q, want no warning", got)
	}
	getPR(t, s, "v", "all", "a", int64(7))
	getPR(t, s, "v", "all", "b", int64(8))
}

// TestOpenWithoutValues opens files whose values, if any, are not those of this
// server, which must not begin at 0 without a word.
func TestOpenWithoutValues(t *testing.T) {
	const columns = " (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER, " +
		"PRIMARY KEY (version, pkgarch, checksum))"
	for _, test := range []struct {
		about, sql string
		warning    string
		refusal    []string // words of the error
	}{
		{"an empty table", "CREATE TABLE PRMAIN_nohist" + columns, "has no values: every PR value starts at 0", nil},
		{"no tables", "CREATE TABLE t (x); DROP TABLE t", "has no values: every PR value starts at 0", nil},
		{"tables of SQLite", "CREATE TABLE t (x INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE t", "has no values: every PR value starts at 0", nil},
		{"other tables beside ours", "CREATE TABLE other (x); CREATE TABLE prmain_NOHIST" + columns, "has no values: every PR value starts at 0", nil},
		{"other tables", "CREATE TABLE other (x)", "", []string{"it is not a PR database: it has tables, and neither PRMAIN_nohist nor PRMAIN; name another file"}},
		{"history tables without rows", "CREATE TABLE PRMAIN_hist" + columns, "has no values: every PR value starts at 0", nil},
		{
			"history", "CREATE TABLE PRMAIN_hist" + columns + "; INSERT INTO PRMAIN_hist VALUES ('v', 'all', 'a', 7)", "",
			[]string{"it has values of BitBake's history mode only (table PRMAIN_hist)", "'ALTER TABLE PRMAIN_hist RENAME TO PRMAIN_nohist'"},
		},
		{
			"history and an empty table", "CREATE TABLE PRMAIN_nohist" + columns + "; CREATE TABLE PRMAIN_hist" + columns +
				"; INSERT INTO PRMAIN_hist VALUES ('v', 'all', 'a', 7)", "",
			[]string{"it has values of BitBake's history mode only (table PRMAIN_hist)", "'INSERT INTO PRMAIN_nohist SELECT * FROM PRMAIN_hist'"},
		},
		{
			"before 1.16", "CREATE TABLE PRMAIN (version TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER, PRIMARY KEY (version, checksum));" +
				"INSERT INTO PRMAIN VALUES ('v', 'a', 7)", "",
			[]string{"it has values of BitBake before 1.16 only (table PRMAIN), which have no pkgarch"},
		},
	} {
		t.Run(test.about, func(t *testing.T) {
			file := prservtest.NewFile(t)
			prservtest.Execute(t, prservtest.Outside(t, file), test.sql)
			s, err := sqlite.Open(t.Context(), file, false)
			if test.refusal == nil {
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				wantWarning(t, s, test.warning)
				return
			}
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			for _, words := range test.refusal {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("got %q, want an error with %q", err, words)
				}
			}
			_, remedy, ok := strings.Cut(err.Error(), "run: sqlite3 "+file+" '")
			if !ok {
				return
			}
			prservtest.Execute(t, prservtest.Outside(t, file), strings.TrimSuffix(remedy, "'"))
			getPR(t, prservtest.Open(t, file), "v", "all", "b", int64(8))
		})
	}
}
