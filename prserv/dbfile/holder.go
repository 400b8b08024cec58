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

// sqliteHolder finds the process that keeps SQLite from writing a file, or 0.
func sqliteHolder(file string) int {
	pid, _ := sqliteLock(file, unix.F_WRLCK)
	if pid == 0 {
		pid, _ = lockOn(file+"-shm", unix.F_WRLCK, indexLocks, 8)
	}
	return pid
}

// sqliteLock is lockOn for the bytes of a database that SQLite locks, from its
// pending byte on.
// Source: SQLite's os.h.
func sqliteLock(file string, kind int16) (pid int, held bool) {
	return lockOn(file, kind, 0x40000000, 512)
}

// indexLocks is where the eight locks of the write-ahead log's index begin. The
// byte behind them is locked by whoever uses the index.
// Source: SQLite's wal.c and os_unix.c.
const indexLocks = 120

// lockOn tells whether a process has bytes of a file locked so that a lock of
// this type cannot be had, and which process: 0 if the system names none.
func lockOn(file string, kind int16, start, length int64) (pid int, held bool) {
	f, err := os.Open(file)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	lock := unix.Flock_t{Type: kind, Start: start, Len: length}
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock); err != nil || lock.Type == unix.F_UNLCK {
		return 0, false
	}
	return max(int(lock.Pid), 0), true
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
		if how := descriptorOf(process, filepath.Base(fd)); how.locks {
			pid, _ := strconv.Atoi(filepath.Base(process))
			return pid
		}
	}
	return 0
}

// descriptor is how a process has a file open.
type descriptor struct {
	writes bool
	locks  bool // it has the lock byte of a writer of ours
}

// descriptorOf reads what the system tells about a descriptor of a process,
// given by its folder in /proc.
func descriptorOf(process, fd string) (d descriptor) {
	info, _ := os.ReadFile(filepath.Join(process, "fdinfo", fd))
	for line := range strings.Lines(string(info)) {
		// For example: flags:	02100002
		// lock:	1: OFDLCK  ADVISORY  WRITE -1 fd:01:131090 4611686018427387904 4611686018427387904
		fields := strings.Fields(line)
		switch {
		case len(fields) == 2 && fields[0] == "flags:":
			flags, err := strconv.ParseUint(fields[1], 8, 64)
			d.writes = err == nil && flags&unix.O_ACCMODE != unix.O_RDONLY
		case len(fields) > 6 && fields[0] == "lock:" && fields[4] == "WRITE" && fields[len(fields)-2] == strconv.FormatInt(lockByte, 10):
			d.locks = true
		}
	}
	return d
}

// processText writes a process for a person: 0 is one that nobody names.
func processText(pid int) string {
	switch name := processName(pid); {
	case pid == 0:
		return "another process"
	case name != "":
		return fmt.Sprintf("process %d (%s)", pid, name)
	}
	return fmt.Sprintf("process %d", pid)
}

// processName returns the name of a process, or "".
func processName(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}
