package dbfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Access is how a program opens a database to read, so that it leaves nothing
// beside the file.
type Access int

const (
	// Shared is SQLite's own way, with its locks.
	Shared Access = iota + 1
	// Immutable is without locks and files beside the database, for one that is
	// whole as it is. Whoever reads it so asks [Still.Check] in the end.
	Immutable
	// Copied is from a copy ([Still.CopyTo]), for a database that only its
	// write-ahead log makes whole, and beside which SQLite could or should not
	// make the log's index.
	Copied
)

// HowToRead returns how to open a database to read. It must not be called while
// SQLite has the file open in this process: see [CheckLog]. The error says why
// nobody should read the file as it is.
func HowToRead(file string) (Access, error) {
	if err := checkLinks(file); err != nil {
		return 0, err
	}
	path, err := Resolve(file)
	if err != nil {
		return 0, err
	}
	if err := CheckLog(path); err != nil {
		return 0, err
	}
	_, noIndex := os.Stat(path + "-shm")
	log, _ := os.Stat(path + "-wal") // SQLite tells of one that it cannot open
	switch {
	case !isWAL(path), noIndex == nil && isShared(path):
		return Shared, nil
	case log == nil || log.Size() == 0:
		return Immutable, nil
	case noIndex != nil || unix.Access(path+"-shm", unix.W_OK) != nil:
		return Copied, nil
	}
	return Shared, nil // as a killed server has left it
}

// isShared tells whether a process has a database in WAL mode open.
func isShared(file string) bool {
	_, held := sqliteLock(file, unix.F_WRLCK)
	if !held {
		_, held = lockOn(file+"-shm", unix.F_WRLCK, indexLocks, 8+1)
	}
	return held
}

// Still is a database file as it was at one moment, and its write-ahead log.
type Still struct {
	File  string // as it was named
	path  string // without symbolic links
	files map[string]os.FileInfo
}

// errMoved says that a file is not what it was.
var errMoved = errors.New("another program has begun to write it; run this again")

// tick is more than the time between two moments that file systems tell apart.
const tick = 20 * time.Millisecond

// NewStill looks at a database file that nobody is about to write.
func NewStill(file string) (*Still, error) {
	path, err := Resolve(file)
	if err != nil {
		return nil, err
	}
	const attempts = 50
	for range attempts {
		s := &Still{file, path, map[string]os.FileInfo{}}
		isFresh := false
		for _, name := range []string{path, path + "-wal"} {
			info, err := os.Stat(name)
			if errors.Is(err, os.ErrNotExist) && name != path {
				continue
			}
			if err != nil {
				return nil, err
			}
			s.files[name] = info
			age := time.Since(info.ModTime())
			isFresh = isFresh || age >= 0 && age < tick
		}
		if !isFresh { // a later change has a later time
			return s, nil
		}
		time.Sleep(tick)
	}
	return nil, errMoved
}

// Check returns an error if the database has been changed since: what has been
// read of it may be of two states then. What a server has only added to the log
// does not count.
func (s *Still) Check() error { return s.check(s.path) }

func (s *Still) check(name string) error {
	now, err := os.Stat(name)
	if err != nil || isChanged(s.files[name], now) {
		return errMoved
	}
	return nil
}

// CopyTo copies the database and its log into a folder, and returns the path of
// the copy.
func (s *Still) CopyTo(folder string) (string, error) {
	for name := range s.files {
		if err := copyFile(name, filepath.Join(folder, filepath.Base(name))); err != nil {
			return "", fmt.Errorf("copying it to read it: %w", err)
		}
	}
	for name := range s.files {
		if err := s.check(name); err != nil {
			return "", err
		}
	}
	return filepath.Join(folder, filepath.Base(s.path)), nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
