package xmlrpc

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"prserver/xmlrpc/spool"
)

// Reply is a reply of any length, written as it came to be: it is not held in
// memory.
type Reply struct {
	out    *spool.Spool
	packed bool
}

// newReply returns the reply that write writes, packed if the client takes that
// and it is long enough. The error is that of write, or of making room for the
// reply.
func (c *Call) newReply(write func(io.Writer) error) (*Reply, error) {
	account := c.account
	if account == nil {
		account = spool.Unlimited{}
	}
	r := &Reply{out: spool.New(account)}
	w := &packer{out: r.out, pack: c.pack}
	err := write(w)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		r.out.Close()
		return nil, err
	}
	r.packed = w.packed != nil
	return r, nil
}

// NewText returns the reply that carries the text which write writes. The error
// is that of write, or of making room for the reply.
func (c *Call) NewText(write func(io.Writer) error) (*Reply, error) {
	return c.newReply(func(w io.Writer) error {
		// To make the text and to pack it get a core each.
		from, to := io.Pipe()
		done := make(chan error, 1)
		go func() {
			err := escapeAll(w, from)
			from.CloseWithError(err)
			done <- err
		}()
		to.CloseWithError(write(to)) // nil ends it well
		return <-done
	})
}

// NewPair returns the reply that carries an array of two: first, and an array of
// the values that items adds. The error is that of items, of making room for
// the reply or, if there is none, the first one of [Encode]: like Python, which
// encodes a value once it has all of it.
func (c *Call) NewPair(first any, items func(add func(any) error) error) (*Reply, error) {
	const open, end = "<value><array><data>\n", "</data></array></value>\n"
	return c.newReply(func(w io.Writer) error {
		buf := bufio.NewWriterSize(w, 64<<10)
		var piece []byte
		var bad error
		add := func(v any) error {
			if bad != nil {
				return nil
			}
			if piece, bad = appendValue(piece[:0], v, c.Dialect, 2); bad != nil {
				return nil
			}
			_, err := buf.Write(piece)
			return err
		}
		buf.WriteString(openReply + open) // a bufio.Writer keeps its error
		if err := add(first); err != nil {
			return err
		}
		buf.WriteString(open)
		if err := items(add); err != nil {
			return err
		}
		if bad != nil {
			return bad
		}
		buf.WriteString(end + end + closeReply)
		return buf.Flush()
	})
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
		// Three searches for one byte each are faster than one for three.
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
