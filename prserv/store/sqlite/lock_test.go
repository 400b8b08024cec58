package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"prserver/prserv/dbfile"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

func open(t testing.TB, file string, readOnly bool) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), file, readOnly)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestOneWriterAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "db")
	first := open(t, file, false)
	link := filepath.Join(t.TempDir(), "other-name")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, link} {
		_, err := sqlite.Open(t.Context(), name, false)
		var locked *dbfile.LockedError
		if !errors.As(err, &locked) || locked.PID != os.Getpid() || locked.Foreign {
			t.Errorf("a second writer of %s: %v, want a LockedError with pid %d", name, err, os.Getpid())
		}
	}
	reader := open(t, file, true)
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	open(t, file, false)
}

func TestLockOfACrashedServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(file+"-lock", []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, file, false)
}

// TestForeignLock lets another SQLite program keep the file locked, as a
// Python PR server does, in both journal modes it uses.
func TestForeignLock(t *testing.T) {
	for _, mode := range []string{"wal", "delete"} {
		t.Run(mode, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "db")
			other := prservtest.OpenShell(t, file)
			other.Run(t, "PRAGMA journal_mode = "+mode+"; "+store.NohistSchema+" BEGIN EXCLUSIVE")
			_, err := sqlite.Open(t.Context(), file, false)
			var locked *dbfile.LockedError
			if !errors.As(err, &locked) || locked.PID != other.PID || !locked.Foreign {
				t.Errorf("got %v, want a LockedError with pid %d", err, other.PID)
			}
			if _, err := os.Stat(file + "-lock"); !os.IsNotExist(err) {
				t.Errorf("the lock of a failed start is left: %v", err)
			}
		})
	}
}

func TestOpenFailures(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk")
	text := strings.Repeat("no database ", 100)
	if err := os.WriteFile(junk, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), junk, false); err == nil || !strings.Contains(err.Error(), junk) {
		t.Errorf("a file that is no database: %v, want an error that names it", err)
	}
	if got, err := os.ReadFile(junk); err != nil || string(got) != text {
		t.Errorf("the file was changed to %q, %v", got, err)
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(junk, "db"), false); err == nil {
		t.Error("a database in a folder that is a file was opened")
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "none"), true); err == nil {
		t.Error("a read-only store made a file")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("failed starts left %v, %v", entries, err)
	}
}

// TestLockOfALink opens a new file by a link first, and then by its own name.
func TestLockOfALink(t *testing.T) {
	dir := t.TempDir()
	link, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	open(t, link, false)
	var locked *dbfile.LockedError
	if _, err := sqlite.Open(t.Context(), file, false); !errors.As(err, &locked) {
		t.Errorf("a second writer: %v, want a LockedError", err)
	}
}

// TestNetworkFileSystem opens a file as on a network file system, in the mode
// that another server has left it in.
func TestNetworkFileSystem(t *testing.T) {
	file := prservtest.NewFile(t)
	before := prservtest.Open(t, file)
	getPR(t, before, "v", "all", "0", int64(0))
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.OpenOnNetwork(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantWarning(t, s, "is on a network file system (NFS)", "is written with a rollback journal")
	getPR(t, s, "v", "all", "a", int64(1))
	getPR(t, s, "v", "all", "b", int64(2))
	if _, err := os.Stat(file + "-wal"); !os.IsNotExist(err) {
		t.Errorf("there is a write-ahead log: %v", err)
	}
	var locked *dbfile.LockedError
	if _, err := sqlite.OpenOnNetwork(t.Context(), file); !errors.As(err, &locked) {
		t.Errorf("a second writer: %v, want a LockedError", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wal := prservtest.Open(t, file)
	wantWarning(t, wal)
	getPR(t, wal, "v", "all", "b", int64(2))
}

// TestLockedTooLong has calls wait for a lock. Each fails when its own time is
// over, and those behind it go on waiting.
func TestLockedTooLong(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	var latest atomic.Pointer[time.Time]
	s.FailBefore(&latest)
	before := s.Writers()
	unlock := prservtest.LockFile(t, file)
	ask := func(checksum string) (answer chan error, came time.Time) {
		answer = make(chan error, 1)
		n := s.Writers()
		go func() {
			_, err := s.GetPR(t.Context(), store.Key{Version: "v", Pkgarch: "all", Checksum: checksum}, store.Mode{})
			answer <- err
		}()
		prservtest.WaitFor(t, "the call to come", func() bool { return s.Writers() > n })
		return answer, time.Now()
	}
	fails := func(about string, answer chan error, came time.Time) {
		t.Helper()
		latest.Store(&came)
		if err := <-answer; !errors.Is(err, store.ErrBusy) {
			t.Errorf("%s: got %v, want ErrBusy", about, err)
		}
	}
	first, came := ask("a") // has a transaction of its own, most likely
	second, came2 := ask("b")
	third, _ := ask("c")
	fails("the first", first, came)
	fails("the second", second, came2)
	select {
	case err := <-third:
		t.Errorf("the third: got %v before its time is over", err)
	default:
	}
	if n := s.Writers() - before; n != 3 {
		t.Errorf("%d calls have come, want 3", n)
	}
	unlock()
	if err := <-third; err != nil {
		t.Errorf("the third: %v", err)
	}
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "c", int64(0)))
}
