package dbfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Options say how to claim a file.
type Options struct {
	// Make makes the file, and its folders, where it does not exist.
	Make bool
	// NetworkFS replaces [NetworkFS]; for tests.
	NetworkFS func(folder string) string
}

// Claimed is a database file that this process may write and that no other
// program of ours writes meanwhile.
type Claimed struct {
	Path      string // without symbolic links, beside which its companions are
	Made      bool   // the file did not exist
	Link      bool   // the name it was claimed by is a link to it
	Empty     bool   // it has no byte
	NetworkFS string // the name of the network file system that it is on, or ""

	lock *lock
}

// Claim claims a database file for a program that is about to write it. The
// error is a [*LockedError] where another program of ours has claimed it; a
// Python server locks its file as SQLite does, which SQLite finds out.
func Claim(file string, o Options) (*Claimed, error) {
	if o.NetworkFS == nil {
		o.NetworkFS = NetworkFS
	}
	c, err := find(file, o.Make)
	if err != nil {
		return nil, err
	}
	c.NetworkFS = o.NetworkFS(filepath.Dir(c.Path))
	if c.lock, err = lockFile(c.Path, c.NetworkFS == ""); err == nil {
		c.Empty, err = checkWritable(c.Path)
	}
	if err == nil {
		err = CheckLog(c.Path)
	}
	if err != nil {
		c.Unmake(err)
		c.Release()
		return nil, err
	}
	return c, nil
}

// find finds a file that is to be claimed, and makes it if it may.
func find(file string, mayMake bool) (*Claimed, error) {
	fail := func(what string, err error) (*Claimed, error) { return nil, fmt.Errorf("%s: %w", what, Reason(err)) }
	if mayMake {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return nil, fmt.Errorf("making its folder: %w", err)
		}
	}
	path, err := Resolve(file)
	if err != nil {
		return fail("finding it", err)
	}
	c := &Claimed{Path: path, Link: isLink(file)}
	info, err := os.Stat(path)
	if mayMake && errors.Is(err, os.ErrNotExist) {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_RDONLY|os.O_CREATE|os.O_EXCL, 0o644); err != nil {
			what := "making it"
			if c.Link {
				what = "it is a link to " + path + ", which does not exist; making that"
			}
			return fail(what, err)
		}
		defer f.Close()
		c.Made = true
		info, err = f.Stat()
	}
	switch {
	case err != nil:
		return fail("finding it", err)
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no file")
	}
	return c, nil
}

func isLink(file string) bool {
	info, err := os.Lstat(file)
	return err == nil && info.Mode()&os.ModeSymlink != 0
}

// SyncNames makes the names of a file that was made, and of its folders,
// outlast a power cut. SQLite syncs no folder but the file's own.
func (c *Claimed) SyncNames() {
	if !c.Made {
		return
	}
	for folder := filepath.Dir(c.Path); ; folder = filepath.Dir(folder) {
		if f, err := os.Open(folder); err == nil { // one that cannot be read was not made here
			f.Sync()
			f.Close()
		}
		if folder == filepath.Dir(folder) {
			return
		}
	}
}

// Release ends the claim. It may be called more than once, and for no claim.
func (c *Claimed) Release() {
	if c != nil {
		c.lock.release()
	}
}

// Unmake removes the file if this claim has made it and it is still empty. It
// does not after a [*LockedError]: whoever has locked it may be about to fill it.
func (c *Claimed) Unmake(err error) {
	var locked *LockedError
	if c == nil || !c.Made || errors.As(err, &locked) {
		return
	}
	if info, err := os.Stat(c.Path); err == nil && info.Size() == 0 {
		os.Remove(c.Path)
	}
}

// checkWritable finds out whether a program can write the file and what belongs
// to it, and whether the file is empty. SQLite would blame the wrong file, or
// throw away a write-ahead log that has lost its database.
func checkWritable(file string) (empty bool, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return false, err
	}
	// SQLite opens a file it may not write, and says so at the first write only.
	if err := unix.Access(file, unix.W_OK); err != nil {
		return false, cannotWrite(err)
	}
	if err := checkLinks(file); err != nil {
		return false, err
	}
	empty = info.Size() == 0
	for _, companion := range []string{file + "-wal", file + "-shm", file + "-journal"} {
		info, err := os.Stat(companion)
		switch {
		case os.IsNotExist(err):
			continue
		case err != nil:
			return false, err
		case empty && info.Size() > 0 && companion == file+"-wal":
			return false, fmt.Errorf("it is empty, but %s is not, and may hold the last values; "+
				"put the database back beside it, or move it away", companion)
		}
		if err := unix.Access(companion, unix.W_OK); err != nil {
			return false, fmt.Errorf("writing %s: %w; another user's read-only server or sqlite3 has made it: "+
				"stop that, and remove the file", companion, err)
		}
	}
	return empty, nil
}

// NotWritableError is returned where a database file cannot be written. The user
// may even be its owner.
type NotWritableError struct{ Err error } // what the system says

func (e *NotWritableError) Error() string {
	return fmt.Sprintf("writing it: %v; make it writable, or serve it with --read-only", e.Err)
}
func (e *NotWritableError) Unwrap() error { return e.Err }

func cannotWrite(err error) error { return &NotWritableError{Reason(err)} }

// CheckCompanions returns an error if SQLite would take what is left of another
// database for a part of the file, which is about to be made.
func CheckCompanions(file string) error {
	path, err := Resolve(file)
	if err != nil {
		path = file
	}
	for _, companion := range []string{path + "-wal", path + "-journal"} {
		if info, err := os.Stat(companion); err == nil && info.Size() > 0 {
			return fmt.Errorf("%s is left of another database, and may hold its last values; "+
				"put that back beside it, or move it away", companion)
		}
	}
	return nil
}

// checkLinks refuses a file with several names: the write-ahead log, with the
// last values in it, is beside one of them only.
func checkLinks(file string) error {
	var st unix.Stat_t
	if err := unix.Stat(file, &st); err != nil {
		return err
	}
	if st.Nlink > 1 {
		return fmt.Errorf("it has %d names (hard links), and the last values may be known by another one; "+
			"remove those, or serve a copy", st.Nlink)
	}
	return nil
}
