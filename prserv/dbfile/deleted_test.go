package dbfile_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"prserver/prserv/dbfile"
	"prserver/prserv/prservtest"
)

// TestDeleted finds databases that have been deleted while this process has them
// open, and no other file.
func TestDeleted(t *testing.T) {
	file := prservtest.NewFile(t)
	db := prservtest.Outside(t, file)
	prservtest.Execute(t, db, "PRAGMA journal_mode = WAL", "CREATE TABLE t (x)")
	text, err := os.Create(filepath.Join(filepath.Dir(file), "text"))
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	text.WriteString("no database")
	if got := dbfile.Deleted(os.Getpid()); slices.Contains(got, file) {
		t.Errorf("got %q before anything is deleted", got)
	}
	for _, name := range []string{file, file + "-wal", text.Name()} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	got := dbfile.Deleted(os.Getpid())
	if !slices.Contains(got, file) || !slices.Contains(got, file+"-wal") || slices.Contains(got, text.Name()) {
		t.Errorf("got %q, want %s and its log", got, file)
	}
}
