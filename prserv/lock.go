package prserv

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
		return fmt.Sprintf("the database %s is locked by %s, most likely a Python PR server; stop that first", e.File, holder)
	}
	return fmt.Sprintf("the database %s is served by %s; one server at a time can write it, others can serve it with --read-only", e.File, holder)
}

func processName(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}

// fileLock keeps a second server of ours from writing a database file. SQLite
// alone would let both write, and a value may be a second old by then. It is
// a file beside the database: a lock on the database itself would be let go of
// as soon as anything in this process closed a descriptor of it.
type fileLock struct {
	path string
	file *os.File
}

// lockDatabase locks a database file for this process. The error is a
// [*LockedError] where another process has it.
func lockDatabase(file string) (*fileLock, error) {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	} else if target, err := os.Readlink(file); err == nil { // to a file that is yet to be made
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(file), target)
		}
		file = target
	}
	l := &fileLock{path: file + "-lock"}
	for {
		var err error
		l.file, err = os.OpenFile(l.path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return nil, fmt.Errorf("locking the database: %w", err)
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
			return nil, fmt.Errorf("locking %s: %w", l.path, err)
		}
		// The server that had it before may just have removed the file.
		if l.isCurrent() {
			break
		}
		l.file.Close()
	}
	if err := l.file.Truncate(0); err == nil {
		_, err = fmt.Fprintf(l.file, "%d\n", os.Getpid())
		if err != nil {
			l.release()
			return nil, fmt.Errorf("locking the database: %w", err)
		}
	}
	return l, nil
}

func (l *fileLock) isCurrent() bool {
	have, err := l.file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(l.path)
	return err == nil && os.SameFile(have, named)
}

// release ends the lock. It may be called more than once, and for no lock.
func (l *fileLock) release() {
	if l == nil || l.file == nil {
		return
	}
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

// lockHolder finds the process that keeps SQLite from writing a file, or 0.
// It must not be called while SQLite has the file open in this process.
func lockHolder(file string) int {
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

// networkFS names the file system of a folder if it is a network's, where
// SQLite's locks and its write-ahead log cannot be relied on.
func networkFS(dir string) string {
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
