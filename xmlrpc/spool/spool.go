// Package spool holds answers until they are sent: in memory, or in a file where
// they are long. Start with [New]; an [Account] counts what is held.
package spool

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxHeld is how much of a reply is held in memory at most; all of a longer one
// is in a file.
const maxHeld = 1 << 20

// Spool holds a reply until it is sent.
type Spool struct {
	account Account
	held    []byte
	file    *os.File // without a name
	size    int64
}

// New returns an empty spool, which takes room from an account.
func New(account Account) *Spool { return &Spool{account: account} }

// Of returns a spool that holds data, for which no room is taken.
func Of(data []byte) *Spool { return &Spool{held: data, size: int64(len(data))} }

// Write takes over data. The error is returned where there is no room, or the
// file fails.
func (s *Spool) Write(data []byte) (int, error) {
	if s.file == nil && len(s.held)+len(data) <= maxHeld && s.account.TryHold(len(data)) {
		s.held = append(s.held, data...)
		s.size += int64(len(data))
		return len(data), nil
	}
	if s.file == nil {
		if err := s.spill(); err != nil {
			return 0, fmt.Errorf("making room for a long reply: %w", err)
		}
	}
	if err := s.account.Store(len(data)); err != nil {
		return 0, fmt.Errorf("making room for a long reply: %w", err)
	}
	n, err := s.file.Write(data)
	s.size += int64(n)
	return n, err
}

// spill moves what is held to a file.
func (s *Spool) spill() error {
	if err := s.account.Store(len(s.held)); err != nil {
		return err
	}
	file, err := openUnnamed()
	if err != nil {
		return err
	}
	s.file = file
	if _, err := s.file.Write(s.held); err != nil {
		return err
	}
	s.account.Hold(-len(s.held)) // giving back does not fail
	s.held = nil
	return nil
}

// Size returns how many bytes were written.
func (s *Spool) Size() int64 { return s.size }

// Held returns all that was written, if it is in memory.
func (s *Spool) Held() []byte { return s.held }

// File returns the file with all that was written, at its beginning; nil if it
// is in memory.
func (s *Spool) File() (*os.File, error) {
	if s.file == nil {
		return nil, nil
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return s.file, err
}

// Close lets go of what was written.
func (s *Spool) Close() {
	if s.file != nil {
		s.file.Close()
	}
}

// openUnnamed opens a file that is gone when it is closed, even if nobody is
// left to close it. Unless TMPDIR says otherwise it is in /var/tmp, which is
// for large files; /tmp may be in memory.
func openUnnamed() (*os.File, error) {
	dir := os.Getenv("TMPDIR")
	if dir == "" {
		dir = "/var/tmp"
	}
	if file, err := os.OpenFile(dir, os.O_RDWR|unix.O_TMPFILE, 0o600); err == nil {
		return file, nil
	}
	// Not every file system can do that.
	file, err := os.CreateTemp(dir, "prserv-reply-")
	if err != nil {
		return nil, err
	}
	return file, os.Remove(file.Name())
}
