package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"unicode/utf8"

	"prserver/prserv/asyncrpc"
)

// attempts is how often a call is sent at most while the server closes the
// connection without an answer.
//
// Source: lib/bb/asyncrpc/client.py:AsyncClient._send_wrapper.
const attempts = 4

// ask gives a command and returns its answer. It may be sent again, since every
// command is answered the same twice.
func (c *JSONLines) ask(ctx context.Context, command string, args asyncrpc.Object) (any, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, timeoutError(fmt.Sprintf("no answer within %v", c.timeout)))
	defer cancel()
	return c.askAtLeisure(ctx, command, args)
}

// askAtLeisure is ask for an answer that may take long as a whole.
func (c *JSONLines) askAtLeisure(ctx context.Context, command string, args asyncrpc.Object) (any, error) {
	var conn *asyncrpc.Conn
	select {
	case conn = <-c.conns:
	case <-ctx.Done():
		return nil, noAnswer(ctx, c.addr, command, context.Cause(ctx), "")
	}
	defer func() { c.conns <- conn }()
	for _, arg := range args {
		if text, ok := arg.Value.(string); ok && !utf8.ValidString(text) {
			return nil, fmt.Errorf("%s: %q is not UTF-8", command, text)
		}
	}
	message := asyncrpc.Object{{Name: command, Value: args}}
	for attempt := 1; ; attempt++ {
		var v any
		var err error
		if conn == nil {
			conn, err = c.dial(ctx)
		}
		if err == nil {
			v, err = conn.Call(ctx, message)
		}
		if err == nil {
			c.answered.Store(true)
			return v, nil
		}
		if conn != nil {
			conn.Close()
			conn = nil
		}
		if attempt == attempts || !wasClosed(err) || ctx.Err() != nil {
			return nil, c.explain(ctx, command, err)
		}
	}
}

func (c *JSONLines) dial(ctx context.Context) (*asyncrpc.Conn, error) {
	return asyncrpc.Dial(ctx, c.addr, asyncrpc.Config{
		Protocol: "PRSERVICE", Version: "1.0", Timeout: c.timeout, MaxAnswer: maxExport,
	})
}

// wasClosed tells whether an error is that of a connection which the server has
// closed.
func wasClosed(err error) bool {
	for _, closed := range []error{
		io.EOF, io.ErrUnexpectedEOF, asyncrpc.ErrHalfLine, asyncrpc.ErrClosed, syscall.ECONNRESET, syscall.EPIPE,
	} {
		if errors.Is(err, closed) {
			return true
		}
	}
	return false
}

// explain says why there is no answer.
func (c *JSONLines) explain(ctx context.Context, command string, err error) error {
	var words *asyncrpc.InvokeError
	var syntax *asyncrpc.SyntaxError
	switch {
	case errors.As(err, &words):
		c.answered.Store(true)
		return fmt.Errorf("%s: %w", command, err)
	case errors.As(err, &syntax), errors.Is(err, asyncrpc.ErrLongMessage), errors.Is(err, asyncrpc.ErrTooDeep):
		return fmt.Errorf("%s: reading the answer of %s: %w; is it a PR server?", command, c.addr, err)
	}
	switch cause := context.Cause(ctx); {
	case cause != nil:
		err = cause
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = timeoutError(fmt.Sprintf("nothing has come for %v", c.timeout))
		return noAnswerError{fmt.Errorf("asking %s: %s: %w", c.addr, command, err)}
	}
	question := c.question
	if c.answered.Load() {
		question = "has it ended, or refused the command? Its log says so"
	}
	return noAnswer(ctx, c.addr, command, err, question)
}
