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

// LockedError is a database file that another program writes.
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

func processName(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}

// Lock keeps a second server of ours from writing a database file. SQLite
// alone would let both write, and a value may be a second old by then.
type Lock struct {
	// A file beside the database, locked and with our pid in it: the only kind
	// of lock that a network file system leaves to us.
	path string
	file *os.File
	// The database itself, locked where its file system is a local one: under
	// whatever other name a server comes, and if the file beside it is removed.
	database *os.File
}

// LockDatabase locks a database file, which has to exist, for this process.
// The error is a [*LockedError] where another process has it. On a local file
// system the database itself is locked as well.
func LockDatabase(file string, local bool) (*Lock, error) {
	l := &Lock{path: file + "-lock"}
	for {
		var err error
		l.file, err = os.OpenFile(l.path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return nil, fmt.Errorf("locking it: %w", err)
		}
		err = unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			text, _ := io.ReadAll(l.file)
			l.file.Close()
			pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
			return nil, &LockedError{File: file, PID: pid}
		case err != nil:
			l.file.Close()
			return nil, fmt.Errorf("locking it by %s: %w", l.path, err)
		}
		// The server that had it before may just have removed the file.
		if l.isCurrent() {
			break
		}
		l.file.Close()
	}
	if local {
		if err := l.lockItself(file); err != nil {
			l.Release()
			return nil, err
		}
	}
	// What root leaves behind, the owner's server must be able to lock.
	var st unix.Stat_t
	if os.Geteuid() == 0 && unix.Stat(file, &st) == nil {
		l.file.Chown(int(st.Uid), int(st.Gid)) // where that fails, root locked it before
	}
	if err := l.file.Truncate(0); err == nil {
		_, err = fmt.Fprintf(l.file, "%d\n", os.Getpid())
		if err != nil {
			l.Release()
			return nil, fmt.Errorf("locking it: %w", err)
		}
	}
	return l, nil
}

// lockItself locks the database by flock, which does not touch the locks of
// SQLite. Its descriptor has to stay open as long as SQLite has the file open:
// with any that is closed, the system lets go of SQLite's locks as well.
func (l *Lock) lockItself(file string) error {
	var err error
	if l.database, err = os.OpenFile(file, os.O_RDWR, 0); err != nil {
		return fmt.Errorf("writing it: %w; serve it as its owner, or with --read-only", reasonOf(err))
	}
	err = unix.Flock(int(l.database.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return &LockedError{File: file, PID: flockHolder(l.database)}
	case err != nil:
		return fmt.Errorf("locking it: %w", err)
	}
	return nil
}

// flockHolder finds the process that has a file locked by flock, or 0.
func flockHolder(f *os.File) int {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return 0
	}
	inode := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	locks, _ := os.ReadFile("/proc/locks")
	for line := range strings.Lines(string(locks)) {
		// For example: 7: FLOCK ADVISORY WRITE 4711 fd:01:131090 0 EOF
		if fields := strings.Fields(line); len(fields) > 5 && fields[1] == "FLOCK" && fields[5] == inode {
			pid, _ := strconv.Atoi(fields[4])
			return pid
		}
	}
	return 0
}

func (l *Lock) isCurrent() bool {
	have, err := l.file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(l.path)
	return err == nil && os.SameFile(have, named)
}

// Release ends the lock. It may be called more than once, and for no lock.
func (l *Lock) Release() {
	if l == nil || l.file == nil {
		return
	}
	l.database.Close() // fails for none only
	os.Remove(l.path)
	l.file.Close()
	l.file = nil
}

// sqliteLocks are the bytes that SQLite locks, in the files where it does:
// from the pending byte of the database on, and the locks of the write-ahead
// log's index. Source: SQLite's os_unix.c and wal.c.
var sqliteLocks = []struct {
	suffix     string
	start, len int64
}{
	{"", 0x40000000, 512},
	{"-shm", 120, 8},
}

// LockHolder finds the process that keeps SQLite from writing a file, or 0.
// It must not be called while SQLite has the file open in this process.
func LockHolder(file string) int {
	for _, where := range sqliteLocks {
		f, err := os.Open(file + where.suffix)
		if err != nil {
			continue
		}
		lock := unix.Flock_t{Type: unix.F_WRLCK, Start: where.start, Len: where.len}
		err = unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock)
		f.Close()
		if err == nil && lock.Type != unix.F_UNLCK && lock.Pid > 0 {
			return int(lock.Pid)
		}
	}
	return 0
}

// NetworkFS names the file system of a folder if it is a network's, where
// SQLite's locks and its write-ahead log cannot be relied on.
func NetworkFS(dir string) string {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return ""
	}
	return map[int64]string{
		unix.NFS_SUPER_MAGIC: "NFS", unix.SMB_SUPER_MAGIC: "SMB", unix.SMB2_SUPER_MAGIC: "SMB",
		unix.CIFS_SUPER_MAGIC: "CIFS", unix.FUSE_SUPER_MAGIC: "FUSE", unix.V9FS_MAGIC: "9P",
		unix.AFS_SUPER_MAGIC: "AFS", unix.CEPH_SUPER_MAGIC: "Ceph",
	}[int64(fs.Type)]
}
