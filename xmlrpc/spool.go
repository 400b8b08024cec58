package xmlrpc

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// maxHeld is how much of a long reply is held in memory; all of a longer one
// is in a file.
const maxHeld = 2 << 20

// spool holds a reply until it is sent.
type spool struct {
	held []byte
	file *os.File // without a name
	size int64
}

func (s *spool) Write(data []byte) (int, error) {
	s.size += int64(len(data))
	if s.file == nil && len(s.held)+len(data) <= maxHeld {
		s.held = append(s.held, data...)
		return len(data), nil
	}
	if s.file == nil {
		file, err := openUnnamed()
		if err != nil {
			return 0, fmt.Errorf("making room for a long reply: %w", err)
		}
		s.file = file
		if _, err := s.file.Write(s.held); err != nil {
			return 0, err
		}
		s.held = nil
	}
	return s.file.Write(data)
}

// held is a spool that holds data.
func held(data []byte) *spool { return &spool{held: data, size: int64(len(data))} }

// len returns how many bytes are held in memory; the length of a nil spool is 0.
func (s *spool) len() int {
	if s == nil {
		return 0
	}
	return len(s.held)
}

// Close lets go of what was written.
func (s *spool) Close() {
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
