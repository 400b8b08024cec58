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
	// maxAnswer is how long an answer may be; all but exports and dumps are
	// below a kilobyte.
	maxAnswer = 1 << 20
	maxExport = 1 << 30
)

// keptFor is how long a connection is kept unused. Our server closes it after
// a minute, and it is better to be first.
const keptFor = 30 * time.Second

func newTransport(timeout time.Duration) *http.Transport {
	return &http.Transport{DialContext: (&net.Dialer{Timeout: timeout}).DialContext}
}

// KeepConnections keeps up to n unused connections open for further calls, if
// the server keeps them, too: see [Client.KeepsConnections]. It is to be
// called before all other methods. A call on a connection that the server has
// closed meanwhile is sent again on another one, for to ask twice is to be
// answered the same; quit never is.
func (c *Client) KeepConnections(n int) {
	t := newTransport(c.timeout)
	t.MaxIdleConns, t.MaxIdleConnsPerHost = n, n
	t.IdleConnTimeout = keptFor
	c.calls, c.keeps = t, true
}

// CloseIdleConnections closes the connections that are kept unused.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.calls.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// KeepsConnections pings the server and tells whether it keeps the connection
// open. Ours does after [Client.KeepConnections], Python's never does.
func (c *Client) KeepsConnections(ctx context.Context) (bool, error) {
	v, kept, err := c.callOver(ctx, c.calls, "ping")
	if err != nil {
		return false, err
	}
	if alive, ok := v.(bool); !ok || !alive {
		return false, unexpected("ping", v)
	}
	return kept, nil
}

func unexpected(method string, v any) error {
	return fmt.Errorf("%s: the server answered %v (%T), which no PR server answers", method, v, v)
}

func (c *Client) call(ctx context.Context, method string, args ...any) (any, error) {
	v, _, err := c.callOver(ctx, c.calls, method, args...)
	return v, err
}

// callOver makes a call and tells whether its connection stays open.
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

// send sends a call and returns its answer, of which the body is to be read.
// The library's own client runs one call at a time and dies of the first
// answer that it cannot read, so only its encoding is used.
func (c *Client) send(ctx context.Context, over http.RoundTripper, method string, args ...any) (*http.Response, error) {
	for _, arg := range args {
		if s, ok := arg.(string); ok && !IsXMLText(s) {
			// The library would send another text instead.
			return nil, fmt.Errorf("%s: %q has characters that XML cannot carry", method, s)
		}
	}
	req, err := xmlrpc.NewRequest(c.url, method, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if over != c.once {
		req.Header.Set("Connection", "keep-alive") // our server wants it in so many words
	}
	resp, err := roundTrip(ctx, over, req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, c.explain(ctx, err))
	}
	c.answered.Store(true)
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s: the server answered HTTP status %s; is it a PR server?", method, resp.Status)
	}
	return resp, nil
}

// roundTrip sends a request until it has failed on a connection that was made
// for it: on one that was kept, the server may just have closed it. net/http
// would do that by itself for some of the ways in which it finds out, if the
// request had an Idempotency-Key; half a request written is none of them.
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

// ErrNoAnswer is a server that is not there, or answers nothing that one can
// read.
var ErrNoAnswer = errors.New("no answer")

// noAnswerError is an [ErrNoAnswer] in other words.
type noAnswerError struct{ error }

func (e noAnswerError) Unwrap() error        { return e.error }
func (e noAnswerError) Is(target error) bool { return target == ErrNoAnswer }

// explain words why there is no answer.
func (c *Client) explain(ctx context.Context, err error) error {
	var op *net.OpError
	var errno syscall.Errno
	var host *net.DNSError
	known := errors.As(err, &errno)
	format := "asking %s: %w"
	switch {
	case ctx.Err() != nil:
	case errors.As(err, &host):
		format, err = "finding %s: %w; is the name right?", errors.New(host.Err)
	case errors.As(err, &op) && op.Op == "dial":
		format, err = "connecting to %s: %w; is the server running, and on that port?", op.Err
		if known {
			err = errno
		}
	case known && errno != syscall.ECONNRESET && errno != syscall.EPIPE:
		err = errno
	case c.answered.Load():
		format, err = "asking %s: %w; has it ended?", innermost(err)
	default:
		format, err = "asking %s: %w; is it a PR server? Those of BitBake 1.52 and later speak another protocol", innermost(err)
	}
	return noAnswerError{fmt.Errorf(format, c.addr, err)}
}

func readingFailed(method string, err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno // without the addresses of both sides
	}
	return fmt.Errorf("%s: reading the answer: %w", method, err)
}

// innermost returns the error that all others are wrapped around; what
// net/http says beyond it is of no use to a person.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// timeoutError says what was waited for.
type timeoutError string

func (e timeoutError) Error() string   { return string(e) }
func (e timeoutError) Timeout() bool   { return true }
func (e timeoutError) Temporary() bool { return true } // for net.Error

// Is lets callers ask for a timeout as they would for that of their context.
func (e timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// decodeAnswer returns the value of an answer; a fault is an error.
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
