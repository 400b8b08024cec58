package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"prserver/prserv/dbfile"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// image is what kill -9 leaves of a database: its file and its log.
type image struct{ database, log []byte }

func imageOf(t *testing.T, file string) image {
	t.Helper()
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return data
	}
	return image{read(file), read(file + "-wal")}
}

// put makes files of an image, and returns the database.
func put(t *testing.T, database, log []byte) string {
	t.Helper()
	file := prservtest.NewFile(t)
	for path, data := range map[string][]byte{file: database, file + "-wal": log} {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// ask asks for new values until there are n of them.
func ask(t *testing.T, s *sqlite.Store, from, n int) {
	t.Helper()
	for i := from; i < n; i++ {
		getPR(t, s, "v", "all", fmt.Sprint("checksum", i), int64(i))
	}
}

// waitSettled waits until all values are in the file, and its log is empty.
func waitSettled(t *testing.T, file string) {
	t.Helper()
	prservtest.WaitFor(t, "the log to be empty", func() bool {
		info, err := os.Stat(file + "-wal")
		return err == nil && info.Size() == 0
	})
}

// TestLogOfAnotherState puts every log beside every database of a history, and
// beside others. Only those are opened that belong together, and they have all
// values then.
func TestLogOfAnotherState(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	ask(t, s, 0, 10)
	first := imageOf(t, file)
	ask(t, s, 10, 15)
	later := imageOf(t, file) // the same log, longer
	waitSettled(t, file)
	settled := imageOf(t, file)
	ask(t, s, 15, 20)
	second := imageOf(t, file)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	closed := imageOf(t, file)
	s = prservtest.Open(t, file)
	ask(t, s, 20, 30)
	third := imageOf(t, file)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	end := imageOf(t, file)

	stranger := prservtest.NewFile(t)
	s = prservtest.Open(t, stranger)
	ask(t, s, 0, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	plain := prservtest.NewFile(t) // as sqlite3 restores it from a dump
	prservtest.Execute(t, prservtest.Outside(t, plain), store.NohistSchema, "INSERT INTO PRMAIN_nohist VALUES ('v', 'all', 'checksum0', 0)")

	databases := map[string][]byte{
		"first": first.database, "later": later.database, "settled": settled.database, "second": second.database,
		"closed": closed.database, "third": third.database, "end": end.database,
		"another": imageOf(t, stranger).database, "restored from a dump": imageOf(t, plain).database,
	}
	logs := map[string][]byte{"first": first.log, "later": later.log, "second": second.log, "third": third.log}
	// values are how many values there are if a log is played into a file.
	values := map[[2]string]int{
		{"first", "first"}: 10, {"later", "first"}: 10, // the file has not changed
		{"first", "later"}: 15, {"later", "later"}: 15,
		{"settled", "second"}: 20, {"second", "second"}: 20,
		{"closed", "third"}: 30, {"third", "third"}: 30,
	}
	for database, data := range databases {
		for log, pages := range logs {
			t.Run(database+" with the log of "+log, func(t *testing.T) {
				file := put(t, data, pages)
				n, fit := values[[2]string{database, log}]
				for _, readOnly := range []bool{true, false} {
					s, err := sqlite.Open(t.Context(), file, readOnly)
					if fit && err != nil {
						t.Fatalf("refused: %v", err)
					}
					var foreign *dbfile.ForeignLogError
					if !fit && !errors.As(err, &foreign) {
						t.Errorf("read-only %v: got %v, want a ForeignLogError", readOnly, err)
					}
					if err != nil {
						continue
					}
					getPR(t, s, "v", "all", fmt.Sprint("checksum", n-1), int64(n-1))
					getPR(t, s, "v", "all", "new", int64(n))
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				}
				if got := imageOf(t, file); !fit && (string(got.database) != string(data) || string(got.log) != string(pages)) {
					t.Error("a file that was refused has changed")
				}
			})
		}
	}
}

// TestLogOfPython opens a file that a server of ours has closed and one of
// BitBake 2.10 or later, which writes logs without stamps, was killed with.
func TestLogOfPython(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	ask(t, s, 0, 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	closed := imageOf(t, file)
	db := prservtest.Outside(t, file)
	prservtest.Execute(t, db, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL",
		"INSERT INTO PRMAIN_nohist VALUES ('v', 'all', 'checksum10', 10)")
	killed := imageOf(t, file)

	open := put(t, killed.database, killed.log)
	s = prservtest.Open(t, open)
	getPR(t, s, "v", "all", "checksum10", int64(10))
	getPR(t, s, "v", "all", "new", int64(11))
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_, err := sqlite.Open(t.Context(), put(t, closed.database, killed.log), false)
	var foreign *dbfile.ForeignLogError
	if !errors.As(err, &foreign) {
		t.Errorf("beside the file as it was before: got %v, want a ForeignLogError", err)
	}
}

// TestLogMovedUnderLoad lets the log become so long that it is moved while
// calls come: a copy of the file from before does not fit the log any more.
func TestLogMovedUnderLoad(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	s.MoveLogAt(1, 1) // whatever its length
	ask(t, s, 0, 5)
	before := imageOf(t, file)
	ask(t, s, 5, 10)
	after := imageOf(t, file)
	if err := dbfile.CheckLog(put(t, after.database, after.log)); err != nil {
		t.Errorf("the files of one moment: %v", err)
	}
	var foreign *dbfile.ForeignLogError
	if err := dbfile.CheckLog(put(t, before.database, after.log)); !errors.As(err, &foreign) {
		t.Errorf("an older file: got %v, want a ForeignLogError", err)
	}
}

// TestLogMovedFromOutside lets another program move the log and begin a new
// one, which has a stamp all the same.
func TestLogMovedFromOutside(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	db := prservtest.Outside(t, file)
	ask(t, s, 0, 5)
	for i := 5; i < 10; i++ {
		prservtest.WaitFor(t, "the log to be moved", func() bool { // the store may be about to do it
			var busy, pages, moved int
			if err := db.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
				t.Fatal(err)
			}
			return busy == 0
		})
		ask(t, s, i, i+1)
		got := imageOf(t, file)
		crashed := put(t, got.database, got.log)
		if err := dbfile.CheckLog(crashed); err != nil {
			t.Fatalf("the files of one moment: %v", err)
		}
		after := prservtest.Open(t, crashed)
		getPR(t, after, "v", "all", "new", int64(i+1))
	}
}

// TestOverwritten overwrites the file of a store, as cp does: nothing is
// answered from it, and it is not touched.
func TestOverwritten(t *testing.T) {
	for name, settled := range map[string]bool{"idle": true, "with values in the log": false} {
		t.Run(name, func(t *testing.T) {
			file := prservtest.NewFile(t)
			s, err := sqlite.Open(t.Context(), file, false)
			if err != nil {
				t.Fatal(err)
			}
			ask(t, s, 0, 3)
			waitSettled(t, file)
			backup := imageOf(t, file).database
			ask(t, s, 3, 6)
			waitSettled(t, file)
			if !settled {
				ask(t, s, 6, 9)
			}
			if err := os.WriteFile(file, backup, 0o666); err != nil { // the inode stays
				t.Fatal(err)
			}
			for _, checksum := range []string{"checksum1", "checksum3", "new"} {
				if v, err := s.GetPR(t.Context(), key("v", "all", checksum), store.Mode{}); !errors.Is(err, store.ErrReadOnly) {
					t.Errorf("%s: got %v, %v, want ErrReadOnly", checksum, v, err)
				}
			}
			if err := s.Export(t.Context(), store.Filter{}, func(store.Row) error { return nil }); !errors.Is(err, store.ErrReadOnly) {
				t.Errorf("Export: %v, want ErrReadOnly", err)
			}
			log := imageOf(t, file).log
			if err := s.Close(); err == nil || !errors.Is(err, store.ErrReadOnly) {
				t.Errorf("Close: %v, want ErrReadOnly", err)
			}
			if got := imageOf(t, file); string(got.database) != string(backup) || string(got.log) != string(log) {
				t.Error("the files have changed")
			}
			if !settled {
				var foreign *dbfile.ForeignLogError
				if err := dbfile.CheckLog(file); !errors.As(err, &foreign) {
					t.Errorf("the next start: got %v, want a ForeignLogError", err)
				}
			}
		})
	}
}

// TestForeignJournal puts the rollback journal of a killed program beside
// another state of its file.
func TestForeignJournal(t *testing.T) {
	file := prservtest.NewFile(t)
	db := prservtest.Outside(t, file)
	prservtest.Execute(t, db, store.NohistSchema, "INSERT INTO PRMAIN_nohist VALUES ('v', 'all', 'a', 0)")
	older := imageOf(t, file).database
	prservtest.Execute(t, db, "UPDATE PRMAIN_nohist SET value = 1", "UPDATE PRMAIN_nohist SET value = 2", "PRAGMA cache_spill = 1", "PRAGMA cache_size = 1",
		"BEGIN", "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO PRMAIN_nohist SELECT 'v', 'all', i, i FROM n")
	journal, err := os.ReadFile(file + "-journal")
	if err != nil || len(journal) == 0 {
		t.Fatalf("no journal: %v", err)
	}
	half := imageOf(t, file).database
	prservtest.Execute(t, db, "ROLLBACK")
	for name, test := range map[string]struct {
		database []byte
		fits     bool
	}{"its own": {half, true}, "an older": {older, false}} {
		dir := t.TempDir()
		copied := filepath.Join(dir, "db")
		prservtest.WriteFile(t, copied, string(test.database))
		prservtest.WriteFile(t, copied+"-journal", string(journal))
		var foreign *dbfile.ForeignLogError
		if err := dbfile.CheckLog(copied); test.fits != (err == nil) || !test.fits && !errors.As(err, &foreign) {
			t.Errorf("%s file: got %v", name, err)
		}
	}
}
