package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"prserver/prserv/store"
)

const (
	// leastFree is how much room the disk must have: the log grows by less
	// until a full disk shows in an answer.
	leastFree = 1 << 20
	// troubleLasts is how long a failed transaction counts, where no other
	// follows it and nothing else tells whether the reason still holds.
	troubleLasts = time.Minute
	// writeLock is the byte of the log's index that SQLite locks to write.
	// Source: SQLite's wal.c, WAL_WRITE_LOCK.
	writeLock = 120
)

// readiness is what [Store.Ready] knows of a writer.
type readiness struct {
	mu       sync.Mutex
	trouble  error     // why the last transaction has failed; guarded by mu
	failedAt time.Time // when that was; guarded by mu
	index    *os.File  // that of the log; nil until it is looked at; guarded by mu
}

// note notes how a transaction has ended.
func (r *readiness) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var database *store.Error
	if errors.As(err, &database) && !errors.Is(err, store.ErrReplaced) { // that can be seen at any time
		r.trouble, r.failedAt = err, time.Now()
	} else if err == nil {
		r.trouble = nil
	}
}

// Ready returns the reason why no new value could be stored now: the file is
// gone or was replaced, another program has locked it, the disk is full, or the
// last transaction has failed. Nil means that a value could be stored. It never
// waits for the disk or for a transaction, and changes nothing. A read-only
// store is ready as long as its file exists.
func (s *Store) Ready() error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	if s.writer == nil {
		if _, err := os.Stat(s.file); err != nil {
			return fmt.Errorf("looking for the database: %w", err)
		}
		return nil
	}
	if err := s.writer.checkFile(); err != nil {
		return err
	}
	return s.writer.ready.check(s.file)
}

func (r *readiness) check(file string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if pid := r.lockedBy(file); pid != 0 {
		return fmt.Errorf("%s is locked by process %d; end that, or wait for it", file, pid)
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(file), &disk); err == nil && disk.Bavail*uint64(disk.Bsize) < leastFree {
		return fmt.Errorf("the disk of %s is full: %d KiB are free; make room", file, disk.Bavail*uint64(disk.Bsize)>>10)
	}
	if r.trouble != nil && time.Since(r.failedAt) < troubleLasts {
		return fmt.Errorf("nothing was stored at %s: %w", r.failedAt.Format(time.TimeOnly), r.trouble)
	}
	return nil
}

// lockedBy finds a process that keeps this one from writing, or 0. Our own locks
// do not count. The index stays open until SQLite has closed it as well: to
// close it before would end SQLite's own locks, as POSIX wants it.
func (r *readiness) lockedBy(file string) int {
	if r.index == nil {
		var err error
		if r.index, err = os.Open(file + "-shm"); err != nil {
			r.index = nil // there is none without a log
			return 0
		}
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: writeLock, Len: 1}
	err := unix.FcntlFlock(r.index.Fd(), unix.F_GETLK, &lock)
	if err != nil || lock.Type == unix.F_UNLCK {
		return 0
	}
	return int(lock.Pid)
}

// close lets go of the index. SQLite must have closed it before.
func (r *readiness) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.index != nil {
		r.index.Close()
	}
}
