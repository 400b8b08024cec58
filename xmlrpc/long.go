package xmlrpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sys/unix"
)

// longReply makes the reply that carries a text, packed if pack says so and it
// is long enough. It has to be closed.
func longReply(text Text, pack bool) (reply *spool, packed bool, err error) {
	out := &spool{}
	w := &packer{out: out, pack: pack}
	// What the text comes from and the packing get a core each.
	from, to := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := escapeAll(w, from)
		from.CloseWithError(err)
		done <- err
	}()
	to.CloseWithError(text(to)) // nil ends it well
	err = <-done
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		out.Close()
		return nil, false, err
	}
	return out, w.packed != nil, nil
}

// escapeAll writes a reply with all that r has as its string.
func escapeAll(w io.Writer, r io.Reader) error {
	if _, err := io.WriteString(w, openReply+"<value><string>"); err != nil {
		return err
	}
	piece := make([]byte, 64<<10)
	var escaped []byte
	for {
		n, err := r.Read(piece)
		out := piece[:n]
		// Thrice over the piece, but sixteen bytes at a time.
		if bytes.IndexByte(out, '&') >= 0 || bytes.IndexByte(out, '<') >= 0 || bytes.IndexByte(out, '>') >= 0 {
			escaped = appendEscaped(escaped[:0], string(out))
			out = escaped
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF):
			_, err := io.WriteString(w, "</string></value>\n"+closeReply)
			return err
		case err != nil:
			return err
		}
	}
}

// packer packs what is written to it, if that is wanted and it becomes longer
// than gzipThreshold.
type packer struct {
	out    io.Writer
	pack   bool
	start  []byte // what has been written as long as nothing is decided
	packed *gzip.Writer
}

func (p *packer) Write(data []byte) (int, error) {
	switch {
	case p.packed != nil:
		return p.packed.Write(data)
	case !p.pack:
		return p.out.Write(data)
	}
	p.start = append(p.start, data...)
	if len(p.start) <= gzipThreshold {
		return len(data), nil
	}
	p.packed, _ = gzip.NewWriterLevel(p.out, gzip.BestSpeed) // fails for unknown levels only
	_, err := p.packed.Write(p.start)
	return len(data), err
}

func (p *packer) Close() error {
	if p.packed != nil {
		return p.packed.Close()
	}
	_, err := p.out.Write(p.start)
	return err
}

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

// len returns how many bytes are held in memory; none is of no spool.
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
