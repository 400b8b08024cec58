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
	holder := processText(e.PID)
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
	// only kind of lock that a network file system leaves to us. It can be read
	// by its owner only, since whoever can read a file can flock it.
	beside *os.File
	// database is the database itself, locked where its file system is a local
	// one: under whatever other name a server comes, and if the file beside it
	// is removed. It is nil on a network file system.
	database *os.File
}

// lockFile locks a database file, which has to exist, for this process. On a
// local file system the database itself is locked as well. The error is a
// [*LockedError] where another process has it.
func lockFile(file string, local bool) (*lock, error) {
	beside, err := openLocked(file+"-lock", 0o600, lockOwn)
	switch {
	case errors.Is(err, ErrTaken):
		return nil, &LockedError{File: file, PID: pidIn(file + "-lock")}
	case err != nil:
		return nil, fmt.Errorf("locking it: %w", err)
	}
	beside.Chmod(0o600) // an older program made it readable; fails for the file of another user only
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
		// On a full disk the lock has to do without the number, which is for messages.
		if _, err := fmt.Fprintf(beside, "%d\n", os.Getpid()); err != nil && !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
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

// ErrTaken says that another process has locked a file.
var ErrTaken = errors.New("another process has locked it")

// OpenAlone opens a file that one program at a time may write, and makes it if
// need be. The file is locked until it is closed, which must not happen while
// SQLite has it open in this process. The error is [ErrTaken], or the system's.
func OpenAlone(path string) (*os.File, error) { return openLocked(path, 0o644, lockToWrite) }

// openLocked opens a file, makes it if need be, and locks it. Whoever has it
// removes it at the end: one that has lost its name before it was locked does
// not count, and another one is made. The error is ErrTaken, or the system's.
func openLocked(path string, mode os.FileMode, lock func(*os.File) error) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, mode)
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, err
		}
		if isNamed(f) {
			return f, nil
		}
		f.Close()
	}
}

// lockOwn locks a file that nobody but its owner can read. The error is
// ErrTaken, or the system's.
func lockOwn(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return ErrTaken
	case err != nil:
		return &os.PathError{Op: "flock", Path: f.Name(), Err: err}
	}
	return nil
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

// lockByte is the byte of a file that its writer locks, far behind those that
// SQLite locks and all that a file can have.
const lockByte = 1 << 62

// lockToWrite locks a file for writing, which takes a descriptor that may write:
// whoever may only read the file cannot take this lock. Such a reader can only
// put a read lock in its way; the file is not locked then, and nil is returned
// all the same. The error is ErrTaken, or the system's.
//
// The lock belongs to its descriptor and touches none of SQLite's, which are the
// process's.
func lockToWrite(f *os.File) error {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: lockByte, Len: 1}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock)
	switch {
	case errors.Is(err, unix.EINVAL): // a system that has no such locks
		return nil
	case errors.Is(err, unix.EAGAIN) && !isWriteLocked(f):
		return nil
	case errors.Is(err, unix.EAGAIN):
		return ErrTaken
	case err != nil:
		return &os.PathError{Op: "fcntl", Path: f.Name(), Err: err}
	}
	return nil
}

// lockDatabase locks the database for writing. Where a reader is in the way,
// the file beside the database has to do. The descriptor has to stay open as
// long as SQLite has the file open: with any that is closed, the system lets go
// of SQLite's locks.
func lockDatabase(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return nil, cannotWrite(err)
	}
	err = lockToWrite(f)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, ErrTaken):
		err = &LockedError{File: file, PID: writerOf(f)}
	default:
		err = fmt.Errorf("locking it: %w", Reason(err))
	}
	f.Close()
	return nil, err
}

// isWriteLocked tells whether another descriptor has a write lock of the lock
// byte. A question for a read lock is answered by nothing else.
func isWriteLocked(f *os.File) bool {
	lock := unix.Flock_t{Type: unix.F_RDLCK, Start: lockByte, Len: 1}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock)
	return err == nil && lock.Type == unix.F_WRLCK
}
