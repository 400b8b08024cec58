package dbfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// InUse returns the error that another program has locked a file as SQLite
// does. It must not be called while SQLite has the file open in this process.
func InUse(file string) error {
	path := file
	if real, err := filepath.EvalSymlinks(file); err == nil {
		path = real
	}
	return &LockedError{File: file, PID: sqliteHolder(path), Foreign: true}
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

// sqliteHolder finds the process that keeps SQLite from writing a file, or 0.
func sqliteHolder(file string) int {
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

// processName returns the name of a process, or "".
func processName(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}
