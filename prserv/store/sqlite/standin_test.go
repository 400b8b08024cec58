package sqlite_test

import (
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// TestReadOnlyWithoutWholeNumbers reads a file that BitBake 2.10 or later has made,
// for clients of all generations, and goes on when a server of ours begins to
// write it.
func TestReadOnlyWithoutWholeNumbers(t *testing.T) {
	file := prservtest.NewFile(t)
	outside := prservtest.Outside(t, file)
	for _, sql := range []string{
		"PRAGMA journal_mode = WAL", store.MainSchema,
		"INSERT INTO PRMAIN VALUES ('v', 'all', 'a', '9'), ('v', 'all', 'a', '10'), ('v', 'all', 'b', '10.1'), ('w', 'all', 'a', '3')",
	} {
		if _, err := outside.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	s, err := sqlite.Open(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	getPR(t, s, "v", "all", "a", int64(11))
	getPR(t, s, "w", "all", "a", int64(3))
	newer := store.Mode{Revisions: true}
	if v, err := s.GetPR(t.Context(), key("v", "all", "b"), newer); err != nil || v.(store.Revision).String() != "10.1" {
		t.Errorf("b: got %v, %v", v, err)
	}
	if columns, err := s.Columns(t.Context(), false); err != nil || len(columns) != 4 || columns[3].Type != "INTEGER" {
		t.Errorf("columns: got %v, %v", columns, err)
	}
	var rows []store.Row
	if err := s.Export(t.Context(), store.Filter{}, func(r store.Row) error { rows = append(rows, r); return nil }); err != nil || len(rows) != 2 || rows[0].Value != int64(10) {
		t.Errorf("export: got %v, %v", rows, err)
	}
	writer := prservtest.Open(t, file)
	getPR(t, writer, "w", "all", "c", int64(4))
	getPR(t, s, "w", "all", "c", int64(4))
	getPR(t, s, "w", "all", "d", int64(5))
}
