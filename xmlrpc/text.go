package xmlrpc

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
)

// Text is a reply that is one string, of any length: it is not held in memory.
type Text struct {
	out    *spool
	packed bool
}

// NewText returns the reply that carries the text which write writes, packed if
// the client takes that and it is long enough. The error is that of write, or
// of making room for the reply.
func (c *Call) NewText(write func(io.Writer) error) (*Text, error) {
	t := &Text{out: &spool{}}
	w := &packer{out: t.out, pack: c.pack}
	// What the text comes from and the packing get a core each.
	from, to := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := escapeAll(w, from)
		from.CloseWithError(err)
		done <- err
	}()
	to.CloseWithError(write(to)) // nil ends it well
	err := <-done
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		t.out.Close()
		return nil, err
	}
	t.packed = w.packed != nil
	return t, nil
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
