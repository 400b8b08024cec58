package asyncrpc

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// Config is what a client needs.
type Config struct {
	// Protocol and Version are what the client says first, such as PRSERVICE
	// and 1.0.
	Protocol, Version string
	// Bare leaves out the header, as BitBake 1.52 to 2.6 does.
	Bare bool
	// Timeout bounds the time to connect, and to wait for each line of an
	// answer.
	Timeout time.Duration
	// MaxAnswer is how many bytes an answer may have that is read as a whole.
	MaxAnswer int
}

// ErrClosed is returned for a call on a connection that has failed or was
// closed before.
var ErrClosed = errors.New("the connection is closed")

// Conn is a connection to a server. One goroutine at a time may use it. After an
// error it is closed, except after that of a context that had ended before the
// call.
type Conn struct {
	conn   net.Conn
	config Config
	lines  lineReader
	out    []byte
	closed atomic.Bool
}

// Dial connects to a server and says hello, which is not answered. The error is
// that of net.Dialer.
func Dial(ctx context.Context, addr string, cfg Config) (*Conn, error) {
	dialer := net.Dialer{Timeout: cfg.Timeout, KeepAliveConfig: KeepAlive}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: conn, config: cfg, out: []byte(greeting(cfg.Protocol, cfg.Version, cfg.Bare))}
	c.lines = lineReader{
		r: bufio.NewReader(conn), limit: cfg.MaxAnswer,
		hold: func(int) error { return nil },
		wait: func() error { return conn.SetReadDeadline(time.Now().Add(cfg.Timeout)) },
	}
	return c, nil
}

// Close closes the connection. It may be called more than once, and during a
// call, which fails then.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	return c.conn.Close()
}

// Call sends a message and returns the answer, a value as [Unmarshal] returns
// it. The error is an [*InvokeError], [ErrLongMessage], a [*SyntaxError], io.EOF
// where the server has closed the connection, or one of the connection or the
// context. The message may have been obeyed then.
func (c *Conn) Call(ctx context.Context, message any) (any, error) {
	var answer any
	err := c.Stream(ctx, message, func(text io.Reader) error {
		whole, err := io.ReadAll(io.LimitReader(text, int64(c.config.MaxAnswer)+1))
		switch {
		case err != nil:
			return err
		case len(whole) > c.config.MaxAnswer:
			return fmt.Errorf("%w: more than %d bytes", ErrLongMessage, c.config.MaxAnswer)
		}
		answer, err = Unmarshal(whole)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := invokeErrorOf(answer); err != nil {
		c.Close()
		return nil, err
	}
	return answer, nil
}

// invokeErrorOf returns the error that an answer carries, or nil.
func invokeErrorOf(answer any) error {
	object, _ := answer.(Object)
	carried, ok := object.Get(invokeError)
	if !ok {
		return nil
	}
	words, _ := carried.(Object)
	text, _ := words.Get("message")
	if text, ok := text.(string); ok {
		return &InvokeError{Message: text}
	}
	return &InvokeError{Message: string(Append(nil, carried))}
}

// Stream sends a message, and lets read read the JSON of the answer, which may
// be of any length if the server sends it in chunks. What read leaves is thrown
// away. The error is that of read, or one of Call; an [*InvokeError] is for read
// to find.
func (c *Conn) Stream(ctx context.Context, message any, read func(text io.Reader) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.closed.Load() {
		return ErrClosed
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer func() {
		if !stop() {
			err = context.Cause(ctx)
		}
		if err != nil {
			c.Close()
		}
	}()
	if err := c.send(message); err != nil {
		return err
	}
	text, err := c.receive()
	if err != nil {
		return err
	}
	if err := read(text); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, text)
	return err
}

// send sends a message, and the hello before the first one.
func (c *Conn) send(message any) error {
	start := len(c.out)
	c.out = Append(c.out, message)
	if len(c.out)-start < chunkSize {
		c.out = append(c.out, '\n')
	} else {
		text := bytes.Clone(c.out[start:])
		chunks := chunker{out: c.out[:start]}
		chunks.begin()
		chunks.add(text)
		chunks.end()
		c.out = chunks.out
	}
	c.conn.SetWriteDeadline(time.Now().Add(c.config.Timeout))
	_, err := c.conn.Write(c.out)
	if c.out = c.out[:0]; cap(c.out) > writePiece {
		c.out = nil
	}
	return err
}

// receive waits for an answer and returns its JSON.
func (c *Conn) receive() (io.Reader, error) {
	line, err := c.line()
	if errors.Is(err, ErrHalfLine) && !beginsJSON(line) {
		return nil, &InvokeError{Message: string(line), Passes: true}
	}
	if err != nil {
		return nil, err
	}
	if len(line) <= len(`{"chunk-stream": null}`)+16 {
		if v, err := Unmarshal(line); err == nil && has(v, chunkStream) {
			return &chunkReader{c: c}, nil
		}
	}
	return bytes.NewReader(line), nil
}

// beginsJSON tells whether a text may be the beginning of an answer in JSON.
func beginsJSON(text []byte) bool {
	for _, word := range []string{"null", "true", "false"} {
		if strings.HasPrefix(word, string(text)) {
			return true
		}
	}
	return bytes.ContainsAny(text[:1], `{["-0123456789`)
}

// line reads a line of an answer.
func (c *Conn) line() ([]byte, error) {
	line, err := c.lines.read()
	var conn *connError
	switch {
	case errors.As(err, &conn):
		return nil, conn.error
	case errors.Is(err, ErrLongLine):
		return nil, fmt.Errorf("%w: a line of more than %d bytes", ErrLongMessage, c.config.MaxAnswer)
	}
	return line, err
}

// chunkReader joins the lines of a chunk-stream.
type chunkReader struct {
	c    *Conn
	line []byte // what is left of a line
	err  error
}

func (r *chunkReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if len(r.line) == 0 {
		line, err := r.c.line()
		switch {
		case errors.Is(err, io.EOF):
			r.err = io.ErrUnexpectedEOF
		case err != nil:
			r.err = err
		case len(bytes.TrimRight(line, "\r")) == 0:
			r.err = io.EOF
		}
		if r.err != nil {
			return 0, r.err
		}
		r.line = line
	}
	n := copy(p, r.line)
	r.line = r.line[n:]
	return n, nil
}
