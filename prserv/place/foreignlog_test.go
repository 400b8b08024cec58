package place

import (
	"os"
	"path/filepath"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// TestForeignLog reads and writes a file beside which there is the write-ahead
// log of another state of it: nothing does, and both stay as they are.
func TestForeignLog(t *testing.T) {
	served := prservtest.NewFile(t)
	s := prservtest.Open(t, served)
	get := func(checksum string) {
		t.Helper()
		if _, err := s.GetPR(t.Context(), store.Key{Version: "v", Pkgarch: "p", Checksum: checksum}, store.Mode{}); err != nil {
			t.Fatal(err)
		}
	}
	get("a")
	prservtest.WaitFor(t, "the log to be empty", func() bool {
		info, err := os.Stat(served + "-wal")
		return err == nil && info.Size() == 0
	})
	older := prservtest.ReadFile(t, served)
	get("b")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = prservtest.Open(t, served)
	get("c")
	log := prservtest.ReadFile(t, served+"-wal")

	file := filepath.Join(t.TempDir(), "restored.sqlite3")
	prservtest.WriteFile(t, file, older)
	prservtest.WriteFile(t, file+"-wal", log)
	restored, other := Place{Database, file}, newDB(t, generation1, Row{"v", "p", "d", "3"})
	w := &Work{}
	for what, do := range map[string]func() error{
		"copy from it": func() error {
			_, err := w.Copy(t.Context(), restored, Place{Database, filepath.Join(t.TempDir(), "new.sqlite3")}, CopyOptions{})
			return err
		},
		"copy to it": func() error { _, err := w.Copy(t.Context(), other, restored, CopyOptions{}); return err },
		"diff": func() error {
			_, err := w.Diff(t.Context(), other, restored, func(Difference) error { return nil })
			return err
		},
		"list": func() error { return w.List(t.Context(), restored, ListOptions{}, func(Row) error { return nil }) },
		"check": func() error {
			_, err := w.Check(t.Context(), restored, func(Problem) error { return nil })
			return err
		},
	} {
		prservtest.WantOneLine(t, what, do(), file, "was written for another file or another state of it", "mv "+file+"-wal")
	}
	if prservtest.ReadFile(t, file) != older || prservtest.ReadFile(t, file+"-wal") != log {
		t.Error("a file has changed")
	}
	prservtest.WantFolder(t, "the folder", filepath.Dir(file), "restored.sqlite3")
	if err := os.Rename(file+"-wal", file+"-wal.other"); err != nil {
		t.Fatal(err)
	}
	if err := w.List(t.Context(), restored, ListOptions{}, func(Row) error { return nil }); err != nil {
		t.Errorf("without the log: %v", err)
	}
}
