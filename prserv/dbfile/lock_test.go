package dbfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func newDatabase(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// readLocked holds every lock on a file that a descriptor allows that may only
// read, until the test ends.
func readLocked(t *testing.T, file string) {
	t.Helper()
	reader, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	if err := unix.Flock(int(reader.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	all := unix.Flock_t{Type: unix.F_RDLCK} // to the end of the file, wherever that is
	if err := unix.FcntlFlock(reader.Fd(), unix.F_OFD_SETLK, &all); err != nil {
		t.Fatal(err)
	}
}

// TestReaderCannotLockOut claims a file of which all is locked that another user
// may read.
func TestReaderCannotLockOut(t *testing.T) {
	file := newDatabase(t)
	// A killed server has left its lock file.
	if err := os.WriteFile(file+"-lock", []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	readLocked(t, file)
	claim, err := Claim(file, Options{})
	if err != nil {
		t.Fatalf("a reader keeps the file from being claimed: %v", err)
	}
	defer claim.Release()
	info, err := os.Stat(file + "-lock")
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("the lock file has the mode %o: whoever may read it may lock it", got)
	}
}

// TestReaderKeepsNoDraft writes a file whose draft, left by a killed program, a
// mere reader has locked.
func TestReaderKeepsNoDraft(t *testing.T) {
	file := newDatabase(t)
	draft := file + ".prserv-part"
	if err := os.WriteFile(draft, []byte("left behind"), 0o644); err != nil {
		t.Fatal(err)
	}
	readLocked(t, draft)
	r, err := Replace(file)
	if err != nil {
		t.Fatalf("a reader keeps the file from being written: %v", err)
	}
	defer r.Abandon()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Draft.WriteString("new"); err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(info); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "new" {
		t.Errorf("the file has %q, %v, want %q", text, err, "new")
	}
}

// TestLockFileOfAnOlderProgram was made readable for everybody.
func TestLockFileOfAnOlderProgram(t *testing.T) {
	file := newDatabase(t)
	if err := os.WriteFile(file+"-lock", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	claim, err := Claim(file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Release()
	if info, err := os.Stat(file + "-lock"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the lock file is %v, %v, want the mode 0600", info.Mode(), err)
	}
}

// TestLockReachesOtherNames locks a file by another name than the one beside
// which its lock file is.
func TestLockReachesOtherNames(t *testing.T) {
	file := newDatabase(t)
	claim, err := Claim(file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Release()
	other := filepath.Join(t.TempDir(), "db")
	if err := os.Link(file, other); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file + "-lock"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, other} {
		_, err := Claim(name, Options{})
		var locked *LockedError
		if !errors.As(err, &locked) || locked.PID != os.Getpid() {
			t.Errorf("a second program claims %s: %v, want a LockedError with pid %d", name, err, os.Getpid())
		}
	}
	claim.Release()
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	claim, err = Claim(file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	claim.Release()
}
