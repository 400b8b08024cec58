package postgres_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

// TestDumpLimits dumps a database as if it were small and as if it were large. The
// rows are the same. Where they are sorted, they come in the order in which they
// were stored.
func TestDumpLimits(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	importOne := func(version, checksum string, v store.Value) {
		t.Helper()
		if _, err := s.ImportOne(t.Context(), key(version, "it's", checksum), v); err != nil {
			t.Fatal(err)
		}
	}
	importOne("b'", "x", int64(1))
	importOne("a", "it's", int64(4))
	importOne("b'", "y", int64(2))
	importOne("gone", "x", int64(1))
	importOne("b'", "x", int64(7)) // stands elsewhere in the table now
	pgtest.Execute(t, url, "DELETE FROM prgroup WHERE version = 'gone'")
	nohist := []string{"'b''','it''s','x',7", "'a','it''s','it''s',4", "'b''','it''s','y',2"}
	checkLimits(t, s, append([]string{store.NohistTable}, nohist...))
	for _, c := range []string{"x", "y"} {
		if _, err := s.GetPR(t.Context(), key("b'", "it's", c), store.Mode{Revisions: true}); err != nil {
			t.Fatal(err)
		}
	}
	importOne("a", "it's", store.Revision{4, 1})
	checkLimits(t, s, []string{
		store.MainTable, "'b''','it''s','x','7'", "'a','it''s','it''s','4'", "'b''','it''s','y','2'", "'b''','it''s','y','8'", "'a','it''s','it''s','4.1'",
		store.NohistTable, "'b''','it''s','x',7", "'a','it''s','it''s',4", "'b''','it''s','y',8", "'a','it''s','" + store.Reserved + "',5",
	})
}

// checkLimits wants a dump to have these rows, behind the name of their table,
// whatever its limits are, and in this order if they say so.
func checkLimits(t *testing.T, s *postgres.Store, want []string) {
	t.Helper()
	for _, sorted := range []int64{math.MaxInt64, -1} {
		for _, held := range []int64{math.MaxInt64, -1} {
			s.LimitDumps(sorted, held)
			got := dumpedRows(t, s)
			if sorted < 0 {
				got, want = sortedRows(got), sortedRows(want)
			}
			if !slices.Equal(got, want) {
				t.Errorf("limits %d, %d:\n got  %q\n want %q", sorted, held, got, want)
			}
		}
	}
}

// dumpedRows returns the rows of a dump, behind the name of their table.
func dumpedRows(t *testing.T, s store.Store) (rows []string) {
	t.Helper()
	var text strings.Builder
	if err := s.Dump(t.Context(), &text); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		for _, table := range []string{store.MainTable, store.NohistTable} {
			if strings.HasPrefix(line, "CREATE TABLE "+table+" ") {
				rows = append(rows, table)
			}
			if row, ok := strings.CutPrefix(line, store.InsertInto(table)); ok {
				rows = append(rows, strings.TrimSuffix(row, ");\n"))
			}
		}
	}
	return rows
}

// sortedRows sorts the rows of each table.
func sortedRows(rows []string) []string {
	rows = slices.Clone(rows)
	from := 0
	for i, row := range rows {
		if row == store.MainTable || row == store.NohistTable {
			slices.Sort(rows[from:i])
			from = i + 1
		}
	}
	slices.Sort(rows[from:])
	return rows
}

// TestDumpOfNoValue dumps a value that somebody has changed to none.
func TestDumpOfNoValue(t *testing.T) {
	for _, value := range []string{"{}", "{NULL}", "{3,1}", "{{1},{2}}"} {
		url := pgtest.Database(t)
		s := open(t, url)
		wantPR(t, s, key("v", "all", "a"), 0)
		pgtest.Execute(t, url, "UPDATE prvalue SET value = '"+value+"'")
		var text strings.Builder
		if err := s.Dump(t.Context(), &text); err == nil {
			t.Errorf("%s: no error, but %q", value, &text)
		}
	}
}
