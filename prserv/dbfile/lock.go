package dbfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// LockedError says that another program writes a database file.
type LockedError struct {
	File string
	PID  int // the other program, 0 if unknown
	// Foreign is true where the other program is none of ours: most likely a
	// Python PR server, which keeps its file locked between calls.
	Foreign bool
}

func (e *LockedError) Error() string {
	holder := "another process"
	if e.PID > 0 {
		holder = "process " + strconv.Itoa(e.PID)
		if name := processName(e.PID); name != "" {
			holder += " (" + name + ")"
		}
	}
	if e.Foreign {
		return fmt.Sprintf("the database %s is in use by %s, most likely a Python PR server; stop that first", e.File, holder)
	}
	return fmt.Sprintf("the database %s is being written by %s; one program at a time can do that, servers with --read-only can be beside it", e.File, holder)
}

// lock keeps a second program of ours from writing a database file. SQLite
// alone would let both write, and what one remembers of the file may be a
// second old by then.
type lock struct {
	// beside is a file beside the database, locked and with our pid in it: the
	// only kind of lock that a network file system leaves to us.
	beside *os.File
	// database is the database itself, locked where its file system is a local
	// one: under whatever other name a server comes, and if the file beside it
	// is removed.
	database *os.File
}

// lockFile locks a database file, which has to exist, for this process. On a
// local file system the database itself is locked as well. The error is a
// [*LockedError] where another process has it.
func lockFile(file string, local bool) (*lock, error) {
	beside, err := openLocked(file + "-lock")
	switch {
	case errors.Is(err, errTaken):
		return nil, &LockedError{File: file, PID: pidIn(file + "-lock")}
	case err != nil:
		return nil, fmt.Errorf("locking it: %w", err)
	}
	l := &lock{beside: beside}
	if local {
		if l.database, err = lockDatabase(file); err != nil {
			l.release()
			return nil, err
		}
	}
	// What root leaves behind, the owner's server must be able to lock.
	var st unix.Stat_t
	if os.Geteuid() == 0 && unix.Stat(file, &st) == nil {
		beside.Chown(int(st.Uid), int(st.Gid)) // where that fails, root locked it before
	}
	if err := beside.Truncate(0); err == nil {
		if _, err := fmt.Fprintf(beside, "%d\n", os.Getpid()); err != nil {
			l.release()
			return nil, fmt.Errorf("locking it: %w", err)
		}
	}
	return l, nil
}

// release ends the lock. It may be called more than once, and for no lock.
func (l *lock) release() {
	if l == nil || l.beside == nil {
		return
	}
	l.database.Close() // fails for none only
	os.Remove(l.beside.Name())
	l.beside.Close()
	l.beside = nil
}

// errTaken says that another process has locked a file.
var errTaken = errors.New("another process has locked it")

// openLocked opens a file, makes it if need be, and locks it. Whoever has it
// removes it at the end: one that has lost its name before it was locked does
// not count, and another one is made. The error is errTaken, or the system's.
func openLocked(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return nil, err
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			f.Close()
			return nil, errTaken
		case err != nil:
			f.Close()
			return nil, &os.PathError{Op: "flock", Path: path, Err: err}
		case isNamed(f):
			return f, nil
		}
		f.Close()
	}
}

// isNamed tells whether an open file still has the name it was opened by.
func isNamed(f *os.File) bool {
	have, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(have, named)
}

// pidIn returns the number in a lock file, or 0.
func pidIn(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, 32))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// lockDatabase locks the database by flock, which does not touch the locks of
// SQLite. Its descriptor has to stay open as long as SQLite has the file open:
// with any that is closed, the system lets go of SQLite's locks as well.
func lockDatabase(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return nil, cannotWrite(err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		err = &LockedError{File: file, PID: flockHolder(f)}
	default:
		err = fmt.Errorf("locking it: %w", err)
	}
	f.Close()
	return nil, err
}
