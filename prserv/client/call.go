package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/kolo/xmlrpc"
)

const (
	// maxAnswer is how long an answer may be. All answers but exports and dumps
	// are shorter than a kilobyte.
	maxAnswer = 1 << 20
	maxExport = 1 << 30
)

// keptFor is how long a connection is kept unused: less than the minute after
// which our server closes it.
const keptFor = 30 * time.Second

// What an error asks a person whose server does not answer.
const (
	isPRServer  = "is it a PR server?"
	otherXMLRPC = isPRServer + " Those of BitBake 1.52 and later speak another protocol"
	otherJSON   = isPRServer + " Those of BitBake up to 1.50 speak another protocol"
)

func newTransport(timeout time.Duration) *http.Transport {
	return &http.Transport{DialContext: (&net.Dialer{Timeout: timeout}).DialContext}
}

// KeepConnections keeps up to n unused connections open for further calls, if
// the server keeps them open, too: see [Client.KeepsConnections]. Call it before
// all other methods. If the server has closed a connection meanwhile, the call is
// sent again on another one, since it is answered the same twice; only quit is
// never sent again.
func (c *Client) KeepConnections(n int) {
	t := newTransport(c.timeout)
	t.MaxIdleConns, t.MaxIdleConnsPerHost = n, n
	t.IdleConnTimeout = keptFor
	c.calls, c.keeps = t, true
}

// CloseIdleConnections closes the unused connections.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.calls.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// KeepsConnections pings the server and reports whether it keeps the connection
// open, also with a [*FaultError]. Ours does after [Client.KeepConnections];
// Python's never does.
func (c *Client) KeepsConnections(ctx context.Context) (bool, error) {
	v, kept, err := c.callOver(ctx, c.calls, "ping")
	if err != nil {
		return kept, err
	}
	if alive, ok := v.(bool); !ok || !alive {
		return false, unexpected("ping", v)
	}
	return kept, nil
}

func unexpected(method string, v any) error {
	return fmt.Errorf("%s: the server answered %v (%T), which is not an answer of a PR server", method, v, v)
}

func (c *Client) call(ctx context.Context, method string, args ...any) (any, error) {
	v, _, err := c.callOver(ctx, c.calls, method, args...)
	return v, err
}

// callOver makes a call and reports whether its connection stays open.
func (c *Client) callOver(ctx context.Context, over http.RoundTripper, method string, args ...any) (v any, kept bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, timeoutError(fmt.Sprintf("no answer within %v", c.timeout)))
	defer cancel()
	resp, err := c.send(ctx, over, method, args...)
	if err != nil {
		return nil, false, err
	}
	defer resp.Body.Close()
	limit := maxAnswer
	if method == "export" {
		limit = maxExport
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	switch {
	case err != nil:
		return nil, false, readingFailed(method, err)
	case len(body) > limit:
		return nil, false, fmt.Errorf("%s: the answer is longer than %d MiB; is it a PR server?", method, limit>>20)
	}
	v, err = decodeAnswer(method, body)
	return v, c.keeps && !resp.Close, err
}

// send sends a call and returns the answer, whose body the caller reads and
// closes. Only the library's encoding is used: its client runs one call at a
// time, and the first answer that it cannot read ends it.
func (c *Client) send(ctx context.Context, over http.RoundTripper, method string, args ...any) (*http.Response, error) {
	for _, arg := range args {
		if s, ok := arg.(string); ok && !IsXMLText(s) {
			// The library would send a different text.
			return nil, fmt.Errorf("%s: %q has characters that XML cannot carry", method, s)
		}
	}
	req, err := xmlrpc.NewRequest(c.url, method, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if over != c.once {
		req.Header.Set("Connection", "keep-alive") // our server keeps no connection without it
	}
	resp, err := roundTrip(ctx, over, req)
	if err != nil {
		return nil, c.explain(ctx, method, err)
	}
	c.answered.Store(true)
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s: the server answered HTTP status %s; is it a PR server?", method, resp.Status)
	}
	return resp, nil
}

// roundTrip sends a request, again and again while it fails on connections that
// were kept: the server may just have closed them. net/http does the same for a
// request with an Idempotency-Key, but not if half of the request was written.
func roundTrip(ctx context.Context, over http.RoundTripper, req *http.Request) (*http.Response, error) {
	kept := false
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(conn httptrace.GotConnInfo) { kept = conn.Reused },
	})
	for {
		kept = false
		again := req.WithContext(traced)
		var err error
		if again.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
		// An http.Client would follow redirections, and put the URL into its errors.
		resp, err := over.RoundTrip(again)
		if err == nil || !kept || ctx.Err() != nil {
			return resp, err
		}
	}
}

// ErrNoAnswer is returned where no server answers, or none that can be
// understood.
var ErrNoAnswer = errors.New("no answer")

// noAnswerError is an [ErrNoAnswer] that says more.
type noAnswerError struct{ error }

func (e noAnswerError) Unwrap() error        { return e.error }
func (e noAnswerError) Is(target error) bool { return target == ErrNoAnswer }

// explain says why there is no answer to a call.
func (c *Client) explain(ctx context.Context, method string, err error) error {
	question := c.question
	if c.answered.Load() {
		question = "has it ended?"
	}
	return noAnswer(ctx, c.addr, method, err, question)
}

// noAnswer says why a server does not answer a call. Where there is no
// connection, it does not matter what was to be called. The question is for
// errors of a connection that was made.
func noAnswer(ctx context.Context, addr, method string, err error, question string) error {
	var op *net.OpError
	var errno syscall.Errno
	var host *net.DNSError
	known := errors.As(err, &errno)
	hint := ""
	switch {
	case ctx.Err() != nil:
	case errors.As(err, &host):
		return noAnswerError{fmt.Errorf("finding %s: %w; is the name right?", addr, errors.New(host.Err))}
	case errors.As(err, &op) && op.Op == "dial":
		err = op.Err
		if known {
			err = errno
		}
		return noAnswerError{fmt.Errorf("connecting to %s: %w; is the server running, and on that port?", addr, err)}
	case known && errno != syscall.ECONNRESET && errno != syscall.EPIPE:
		err = errno
	default:
		err, hint = innermost(err), "; "+question
	}
	return noAnswerError{fmt.Errorf("asking %s: %s: %w%s", addr, method, err, hint)}
}

func readingFailed(method string, err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno // without the addresses of both sides
	}
	return fmt.Errorf("%s: reading the answer: %w", method, err)
}

// innermost returns the error that all others wrap. What net/http adds to it
// does not help a person.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// timeoutError is the error of a wait that took too long.
type timeoutError string

func (e timeoutError) Error() string   { return string(e) }
func (e timeoutError) Timeout() bool   { return true }
func (e timeoutError) Temporary() bool { return true } // for net.Error

// Is makes it equal to the error of a context whose deadline has passed.
func (e timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// decodeAnswer returns the value of an answer. A fault is returned as an error.
func decodeAnswer(method string, body []byte) (any, error) {
	answer := xmlrpc.Response(body)
	if err := answer.Err(); err != nil {
		var fault xmlrpc.FaultError
		if errors.As(err, &fault) {
			err = &FaultError{fault.Code, fault.String}
		}
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	var v any
	if err := answer.Unmarshal(&v); err != nil {
		return nil, fmt.Errorf("%w; is it a PR server?", readingFailed(method, err))
	}
	return v, nil
}

// IsXMLText tells whether XML can carry every character of s: of a carriage
// return it makes a newline.
func IsXMLText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF
	}) < 0
}
