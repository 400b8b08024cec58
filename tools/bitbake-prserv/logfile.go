package main

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// logFile is a log file that can be reopened after logrotate has renamed it.
type logFile struct {
	path string
	// stdio sends stdout and stderr of the process to the file as well.
	stdio bool

	mu   sync.Mutex
	file *os.File // guarded by mu
}

// openLogFile opens a log file for appending. If stdio is set, stdout and
// stderr of the process go to the file as well, as a daemon needs it.
func openLogFile(path string, stdio bool) (*logFile, error) {
	l := &logFile{path: path, stdio: stdio}
	if err := l.reopen(); err != nil {
		return nil, err
	}
	return l, nil
}

// reopen opens the path again. If that fails, the old file stays in use.
func (l *logFile) reopen() error {
	// Without O_NONBLOCK, opening a pipe that nobody reads would block.
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NONBLOCK, 0o666)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	if l.stdio {
		for _, fd := range []int{1, 2} {
			if err := unix.Dup3(int(f.Fd()), fd, 0); err != nil {
				f.Close()
				return fmt.Errorf("opening the log: %w", err)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	l.file = f
	return nil
}

// Write appends to the file.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(p)
}

// close closes the file. It must be called once, after the last Write.
func (l *logFile) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
