package dbfile

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Writer is a process that may keep values which nobody sees in the database
// file that it writes.
type Writer struct {
	PID int // 0 if the system does not tell
	// Cut is true where it writes to a write-ahead log, or a file, that has been
	// removed or replaced. Otherwise it may be in the middle of a change, as a
	// Python server is for half a minute.
	Cut bool
}

// String writes the process for a person.
func (w *Writer) String() string { return processText(w.PID) }

// UnseenWriter finds a process that may keep values which a reader of a database
// file does not see, or returns nil. Of our own programs all is seen that they
// have answered, unless the file or its log has been removed under them. Other
// users' processes are found by their locks only, except by root. It must not be
// called while SQLite has the file open in this process: see [CheckLog].
func UnseenWriter(file string) *Writer {
	path, err := Resolve(file)
	if err != nil {
		return nil
	}
	want, err := os.Stat(path)
	if err != nil {
		return nil
	}
	var found *Writer
	locked := pidIn(path + "-lock")               // on a network file system ours have no other lock
	processes, _ := filepath.Glob("/proc/[0-9]*") // fails for bad patterns only
	for _, process := range processes {
		pid, _ := strconv.Atoi(filepath.Base(process))
		if pid == os.Getpid() {
			continue
		}
		if w := unseenIn(process, path, want); w != nil && (w.Cut || found == nil && pid != locked) {
			w.PID = pid
			found = w
		}
	}
	if found == nil {
		found = unseenByLocks(path)
	}
	return found
}

// unseenIn looks for the file among what a process has open, given by its folder
// in /proc.
func unseenIn(process, path string, want os.FileInfo) *Writer {
	const deleted = " (deleted)"
	entries, _ := os.ReadDir(filepath.Join(process, "fd")) // of another user there are none
	written := map[string]bool{}
	var names []string // by which the database itself is written; in a container it has another path
	ours := false
	for _, entry := range entries {
		fd := filepath.Join(process, "fd", entry.Name())
		link, _ := os.Readlink(fd)
		if !strings.HasPrefix(filepath.Base(link), filepath.Base(path)) {
			continue
		}
		how := descriptorOf(process, entry.Name())
		ours = ours || how.locks
		if !how.writes {
			continue
		}
		written[link] = true
		if have, err := os.Stat(fd); err == nil && os.SameFile(want, have) {
			names = append(names, link)
		}
	}
	isCut := written[path+deleted] || slices.ContainsFunc(names, func(name string) bool { return written[name+"-wal"+deleted] })
	if isCut || len(names) > 0 && !ours {
		return &Writer{Cut: isCut}
	}
	return nil
}

// unseenByLocks finds a writer by SQLite's locks.
func unseenByLocks(path string) *Writer {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	ours := isWriteLocked(f)
	f.Close()
	if ours {
		return nil
	}
	if !isWAL(path) {
		// A reader would get a read lock, so this one is about to write.
		if pid, held := sqliteLock(path, unix.F_RDLCK); held {
			return &Writer{PID: pid}
		}
		return nil
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		return nil
	}
	if pid, held := sqliteLock(path, unix.F_WRLCK); held {
		return &Writer{PID: pid, Cut: true}
	}
	return nil
}
