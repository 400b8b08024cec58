package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// wantWarning fails the test unless the store warns of this, and of nothing else.
func wantWarning(t *testing.T, s *sqlite.Store, want ...string) {
	t.Helper()
	got := s.Warnings()
	if len(got) != len(want) {
		t.Errorf("got warnings %q, want %q", got, want)
		return
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("got warnings %q, want %q", got, want)
		}
	}
}

// TestOpenMakesTheFile makes the folders too, and the table in the words of
// the reference, which dump_db answers.
func TestOpenMakesTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "folders", "prserv.sqlite3")
	s := prservtest.Open(t, file)
	wantWarning(t, s, "is new: every PR value starts at 0")
	var got string
	if err := prservtest.Outside(t, file).QueryRow("SELECT sql FROM sqlite_master WHERE name = 'PRMAIN_nohist'").Scan(&got); err != nil {
		t.Fatal(err)
	}
	const gap = "                     " // a continued line of lib/prserv/db.py, with its indentation
	want := "CREATE TABLE PRMAIN_nohist" + gap +
		"(version TEXT NOT NULL," + gap +
		"pkgarch TEXT NOT NULL, " + gap +
		"checksum TEXT NOT NULL," + gap +
		"value INTEGER," + gap +
		"PRIMARY KEY (version, pkgarch, checksum))"
	if got != want {
		t.Errorf("the table:\n got  %q\n want %q", got, want)
	}
	prservtest.WantRows(t, file)
}

// TestOpenLinkToNothing makes the file that a link names, as the original does,
// and says which.
func TestOpenLinkToNothing(t *testing.T) {
	target := prservtest.NewFile(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	s := prservtest.Open(t, link)
	wantWarning(t, s, link+" is new: every PR value starts at 0; it is a link to "+target+", which did not exist")
	getPR(t, s, "v", "all", "a", int64(0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	prservtest.WantRows(t, target, prservtest.Row("v", "all", "a", int64(0)))
	wantWarning(t, prservtest.Open(t, link))

	unmounted := filepath.Join(t.TempDir(), "unmounted", "file")
	link = filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(unmounted, link); err != nil {
		t.Fatal(err)
	}
	want := "opening the database " + link + ": it is a link to " + unmounted + ", which does not exist; making that: no such file or directory"
	if _, err := sqlite.Open(t.Context(), link, false); err == nil || err.Error() != want {
		t.Errorf("got the error %v, want %s", err, want)
	}
}

func TestOpenAgain(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	getPR(t, s, "v", "all", "a", int64(0))
	getPR(t, s, "v", "all", "b", int64(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := prservtest.Files(t, file), []string{filepath.Base(file)}; !reflect.DeepEqual(got, want) {
		t.Errorf("after Close there are %v, want %v", got, want)
	}
	// Servers of BitBake lose what is in a file that they find in WAL mode.
	if header := imageOf(t, file).database[18:20]; header[0] != 1 || header[1] != 1 {
		t.Errorf("the file is left in mode %v, want that of a rollback journal", header)
	}
	s = prservtest.Open(t, file)
	wantWarning(t, s)
	getPR(t, s, "v", "all", "b", int64(1))
	getPR(t, s, "v", "all", "a", int64(2))
}

// TestOpenOddNames opens files by names that mean something to SQLite.
func TestOpenOddNames(t *testing.T) {
	for _, name := range []string{"with space", "a?mode=memory", "a#b", "100%", "a%20b", ":memory:", "file:x", "Zoë", "a&b=c;d"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), name)
			s := prservtest.Open(t, file)
			getPR(t, s, "v", "all", "a", int64(0))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if got, want := prservtest.Files(t, file), []string{name}; !reflect.DeepEqual(got, want) {
				t.Errorf("there are %v, want %v", got, want)
			}
		})
	}
}

// TestOpenBroken leaves what is no database as it is, and nothing open.
func TestOpenBroken(t *testing.T) {
	healthy := prservtest.NewFile(t)
	s := prservtest.Open(t, healthy)
	getPR(t, s, "v", "all", "a", int64(0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile(healthy)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(image)
	for i := 100; i < 4096; i++ { // the schema, behind a header that is right
		broken[i] = 0xA5
	}
	for _, test := range []struct {
		about   string
		content []byte
	}{
		{"a text", []byte(strings.Repeat("This is no database. ", 50))},
		{"a short text", []byte("no")},
		{"a broken schema", broken},
	} {
		t.Run(test.about, func(t *testing.T) {
			file := prservtest.NewFile(t)
			if err := os.WriteFile(file, test.content, 0o666); err != nil {
				t.Fatal(err)
			}
			if s, err := sqlite.Open(t.Context(), file, false); err == nil {
				s.Close()
				t.Fatal("it was opened")
			} else if !strings.Contains(err.Error(), file) {
				t.Errorf("the error does not name the file: %v", err)
			}
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, test.content) {
				t.Error("the file was changed")
			}
			if got, want := prservtest.Files(t, file), []string{filepath.Base(file)}; !reflect.DeepEqual(got, want) {
				t.Errorf("there are %v, want %v", got, want)
			}
			if open := prservtest.Descriptors(t, filepath.Dir(file)); open != nil {
				t.Errorf("still open: %v", open)
			}
			// Nothing stands in the way once the file is in order.
			if err := os.WriteFile(file, image, 0o666); err != nil {
				t.Fatal(err)
			}
			getPR(t, prservtest.Open(t, file), "v", "all", "b", int64(1))
		})
	}
}

func TestOpenImpossible(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{dir, filepath.Join(plain, "prserv.sqlite3")} {
		s, err := sqlite.Open(t.Context(), file, false)
		if err == nil {
			s.Close()
			t.Errorf("%s was opened", file)
		} else if !strings.Contains(err.Error(), file) {
			t.Errorf("the error does not name the file %s: %v", file, err)
		}
	}
	if open := prservtest.Descriptors(t, dir); open != nil {
		t.Errorf("still open: %v", open)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	file := filepath.Join(dir, "prserv.sqlite3")
	if s, err := sqlite.Open(cancelled, file, false); err == nil {
		s.Close()
		t.Error("opened although the context had ended")
	}
	if open := prservtest.Descriptors(t, dir); open != nil {
		t.Errorf("still open: %v", open)
	}
}

func TestCloseTwice(t *testing.T) {
	s := prservtest.Open(t, prservtest.NewFile(t))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := s.GetPR(t.Context(), key("v", "all", "a"), store.Mode{}); err == nil {
		t.Errorf("a closed store answered %v", v)
	}
}

// TestAnsweredIsStored looks from another connection as soon as there is an
// answer.
func TestAnsweredIsStored(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	db := prservtest.Outside(t, file)
	for want := range int64(20) {
		checksum := strings.Repeat("x", int(want)+1)
		getPR(t, s, "v", "all", checksum, want)
		var got int64
		if err := db.QueryRow("SELECT value FROM "+store.NohistTable+" WHERE checksum = ?", checksum).Scan(&got); err != nil {
			t.Fatalf("value %d: %v", want, err)
		}
		if got != want {
			t.Errorf("answered %d, stored %d", want, got)
		}
	}
}

// TestFileTaken takes the file away from a store: no new value may be
// answered that a restart would not find, and the old ones still are.
func TestFileTaken(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	getPR(t, s, "v", "all", "a", int64(0))
	refused := func() {
		t.Helper()
		if v, err := s.GetPR(t.Context(), key("v", "all", "b"), store.Mode{}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("answered %v, %v, want an error that names the file", v, err)
		}
		if v, err := s.ImportOne(t.Context(), key("v", "all", "c"), int64(7)); !errors.Is(err, store.ErrReplaced) {
			t.Errorf("imported %v, %v", v, err)
		}
		if err := s.Check(); !errors.Is(err, store.ErrReplaced) {
			t.Errorf("Check: %v, want ErrReplaced", err)
		}
		getPR(t, s, "v", "all", "a", int64(0))
	}
	if err := os.Rename(file, file+".moved"); err != nil {
		t.Fatal(err)
	}
	refused()
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	refused()
	if err := os.Rename(file+".moved", file); err != nil {
		t.Fatal(err)
	}
	getPR(t, s, "v", "all", "b", int64(1))
}

// TestCloseBesideReaders closes a store that others read: whoever copies the
// file then, and nothing else, has all values.
func TestCloseBesideReaders(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	getPR(t, s, "v", "all", "a", int64(0))
	reader, err := sqlite.Open(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	getPR(t, reader, "v", "all", "a", int64(0))
	getPR(t, s, "v", "all", "b", int64(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	getPR(t, prservtest.Open(t, copyAlone(t, file)), "v", "all", "b", int64(1))
	getPR(t, reader, "v", "all", "b", int64(1))
}

// copyAlone copies a database file without its write-ahead log.
func copyAlone(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	copied := prservtest.NewFile(t)
	if err := os.WriteFile(copied, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return copied
}

// TestSettled copies the file of an open store, and nothing else: once nothing
// is written for a while it has all values.
func TestSettled(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	for want := range int64(3) { // to settle once is not enough
		getPR(t, s, "v", "all", strings.Repeat("x", int(want)+1), want)
		prservtest.WaitFor(t, "the value to be in the file", func() bool {
			var got int64 = -1 // also of a file that is just being written
			prservtest.Outside(t, copyAlone(t, file)).QueryRow("SELECT max(value) FROM " + store.NohistTable).Scan(&got)
			return got == want
		})
	}
	// Nor is it enough to try while somebody reads what was there before.
	reader := prservtest.Outside(t, file)
	prservtest.Execute(t, reader, "BEGIN", "CREATE TEMP TABLE held AS SELECT * FROM "+store.NohistTable)
	getPR(t, s, "v", "all", "read", int64(3))
	getPR(t, s, "v", "all", "beside", int64(4))
	before := s.LogMoves()
	prservtest.WaitFor(t, "the log to be moved in vain", func() bool { return s.LogMoves() >= before+2 })
	prservtest.Execute(t, reader, "COMMIT")
	prservtest.WaitFor(t, "the value that came beside a reader to be in the file", func() bool {
		var got int64
		prservtest.Outside(t, copyAlone(t, file)).QueryRow("SELECT max(value) FROM " + store.NohistTable).Scan(&got)
		return got == 4
	})
}
