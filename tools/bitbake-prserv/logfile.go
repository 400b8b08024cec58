package main

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// LogFile is a log file that can be opened again once logrotate has renamed
// it.
type LogFile struct {
	path string
	// stdio makes stdout and stderr of the process go to the file as well.
	stdio bool

	mu   sync.Mutex
	file *os.File // guarded by mu
}

// OpenLogFile opens a log file to append to. With stdio, stdout and stderr of
// the process become the file, as a daemon has them.
func OpenLogFile(path string, stdio bool) (*LogFile, error) {
	l := &LogFile{path: path, stdio: stdio}
	if err := l.Reopen(); err != nil {
		return nil, err
	}
	return l, nil
}

// Reopen opens the path anew. Where that fails the old file stays in use.
func (l *LogFile) Reopen() error {
	// A pipe that nobody reads would keep us waiting, if not for O_NONBLOCK.
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
func (l *LogFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(p)
}

// Close closes the file. It must be called once, after the last Write.
func (l *LogFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
