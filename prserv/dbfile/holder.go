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

// writerOf finds the process that has the lock byte of a file locked, or 0. The
// system names no process beside such a lock: it is found by its descriptor,
// which only the same user sees, and root.
func writerOf(f *os.File) int {
	want, err := f.Stat()
	if err != nil {
		return 0
	}
	opened, _ := filepath.Glob("/proc/[0-9]*/fd/*") // fails for bad patterns only
	for _, fd := range opened {
		if have, err := os.Stat(fd); err != nil || !os.SameFile(want, have) {
			continue
		}
		process := filepath.Dir(filepath.Dir(fd))
		info, _ := os.ReadFile(filepath.Join(process, "fdinfo", filepath.Base(fd)))
		for line := range strings.Lines(string(info)) {
			// For example: lock:	1: OFDLCK  ADVISORY  WRITE -1 fd:01:131090 4611686018427387904 4611686018427387904
			if fields := strings.Fields(line); len(fields) > 6 && fields[0] == "lock:" && fields[4] == "WRITE" &&
				fields[len(fields)-2] == strconv.FormatInt(lockByte, 10) {
				pid, _ := strconv.Atoi(filepath.Base(process))
				return pid
			}
		}
	}
	return 0
}

// processName returns the name of a process, or "".
func processName(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}
