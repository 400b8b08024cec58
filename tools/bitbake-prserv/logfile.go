package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"prserver/compat"
	"prserver/prserv/dbfile"
)

// logFile is where the log goes: a file that can be reopened after logrotate
// has renamed it, or stderr.
type logFile struct {
	path string // empty for stderr
	// stdio sends stdout and stderr of the process to the file as well.
	stdio  bool
	times  bool // lines carry their times
	format compat.LogFormat

	mu    sync.Mutex
	file  *os.File   // guarded by mu
	lines lineWriter // to file; guarded by mu
}

// openLogFile opens a log file for appending. If stdio is set, stdout and
// stderr of the process go to the file as well, as a daemon needs it.
func openLogFile(path string, stdio bool, format compat.LogFormat) (*logFile, error) {
	l := &logFile{path: path, stdio: stdio, times: true, format: format}
	if err := l.reopen(); err != nil {
		return nil, err
	}
	return l, nil
}

// openStderr returns stderr as a log. systemd's journal notes the time of each
// line itself.
func openStderr(stderr *os.File, format compat.LogFormat) *logFile {
	l := &logFile{times: !isJournal(stderr), format: format}
	l.file, l.lines = stderr, newLineWriter(stderr, l.writeLost)
	return l
}

// isJournal tells whether a file is the connection to systemd's journal, which
// the variable JOURNAL_STREAM names by device and inode.
func isJournal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// logger returns a logger of records of level or above.
func (l *logFile) logger(level slog.Level) *slog.Logger {
	return slog.New(compat.NewLogHandler(l, l.format, level, l.times))
}

func (l *logFile) writeLost(w io.Writer, lines int64) {
	log := slog.New(compat.NewLogHandler(w, l.format, slog.LevelWarn, l.times))
	log.Warn(fmt.Sprintf("%d lines of the log are lost here: whatever reads it was too slow", lines))
}

// warn writes a warning of the start, whose line has no time.
func (l *logFile) warn(text string) {
	slog.New(compat.NewLogHandler(l, l.format, slog.LevelWarn, false)).Warn(text)
}

// reopen opens the path again. If that fails, the old file stays in use.
func (l *logFile) reopen() error {
	if l.path == "" {
		return nil
	}
	// Without O_NONBLOCK, opening a pipe that nobody reads would block. It has
	// to stay set: stdout and stderr share it, to which a crash writes.
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NONBLOCK, 0o666)
	if err != nil {
		return logError(l.path, err)
	}
	if l.stdio {
		if err := duplicate(f, 1, 2); err != nil {
			f.Close()
			return fmt.Errorf("opening the log: %w", err)
		}
	}
	l.mu.Lock()
	before, lines := l.file, l.lines
	l.file, l.lines = f, newLineWriter(f, l.writeLost)
	l.mu.Unlock()
	if before != nil {
		lines.flush()
		before.Close()
	}
	return nil
}

// logError says why a log cannot be opened, and what to do.
func logError(path string, err error) error {
	hint := "name another file with --log"
	if errors.Is(err, os.ErrNotExist) { // the original makes no folder either, but for --file
		hint = fmt.Sprintf("make the folder %s, or %s", filepath.Dir(path), hint)
	}
	return fmt.Errorf("opening the log %s: %w; %s", path, dbfile.Reason(err), hint)
}

// duplicate makes descriptors mean a file, too. [os.File.Fd] would make that
// block.
func duplicate(f *os.File, fds ...int) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(from uintptr) {
		for _, fd := range fds {
			if failed == nil {
				failed = unix.Dup3(int(from), fd, 0)
			}
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// Write appends to the file, and does not wait for whoever reads it.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		return 0, os.ErrClosed
	}
	return l.lines.Write(p)
}

// close writes what waits, for a bounded time, and closes the file unless it
// is stderr. What is written later is lost. It may be called more than once.
func (l *logFile) close() {
	l.mu.Lock()
	lines := l.lines
	l.lines = nil
	l.mu.Unlock()
	if lines == nil {
		return
	}
	lines.flush()
	if l.path != "" {
		l.file.Close()
	}
}
