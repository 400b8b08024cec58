package xmlrpc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

const (
	// gzipThreshold is the size up to which a reply is sent as it is.
	gzipThreshold = 1400
	// DefaultReadTimeout is what PR clients wait themselves.
	DefaultReadTimeout = 60 * time.Second
	// writeTimeout bounds the time a client may take to fetch a piece of a
	// reply of writePiece bytes.
	writeTimeout = 60 * time.Second
	writePiece   = 256 << 10
	// lingerTimeout is how long a request that was refused unread may go on
	// arriving before the connection is cut; cut at once, the client's system
	// would throw the answer away.
	lingerTimeout = time.Second
)

// Handler answers the XML-RPC requests that come over connections.
type Handler struct {
	// Dialect chooses the client's dialect by its User-Agent.
	Dialect func(userAgent string) *Dialect
	// Serve answers a call, or fails with an error that the dialect can word.
	Serve func(ctx context.Context, call *Call) (any, error)
	// Busy, where set, is told when a request has arrived whole and when its
	// answer has been handed to the system.
	Busy func(conn net.Conn, busy bool)
	// ReadTimeout bounds the time a client may take for a request, and between
	// two on one connection; 0 is [DefaultReadTimeout].
	ReadTimeout time.Duration
	Log         *slog.Logger

	largeOnce sync.Once
	large     chan struct{} // holds an element for each large request under way
}

var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// ServeConn answers the requests on conn and closes it. It returns when the
// client has gone, has been too slow or has had its answer: like the
// reference it answers one request a connection, except that a client may ask
// for more in so many words. Without those words nothing may be kept open,
// because forked bitbake processes share a connection object and would read
// each other's answers.
func (h *Handler) ServeConn(ctx context.Context, conn net.Conn) {
	r := readers.Get().(*bufio.Reader)
	r.Reset(conn)
	defer func() {
		if p := recover(); p != nil {
			h.Log.Error("panic while serving a client", "client", conn.RemoteAddr(), "panic", p, "stack", string(debug.Stack()))
		}
		conn.Close()
		r.Reset(nil)
		readers.Put(r)
	}()
	for h.serveOne(ctx, conn, r) {
	}
}

// serveOne answers one request and reports whether the connection stays open.
func (h *Handler) serveOne(ctx context.Context, conn net.Conn, r *bufio.Reader) bool {
	timeout := h.ReadTimeout
	if timeout == 0 {
		timeout = DefaultReadTimeout
	}
	deadline := time.Now().Add(timeout)
	conn.SetReadDeadline(deadline)
	req, length, err := h.readHead(r)
	var body []byte
	if err == nil {
		if isLarge(req, length) {
			leave, ok := h.enterLarge(ctx, deadline)
			if !ok {
				return false
			}
			defer leave()
		}
		body, err = readBody(r, req, length)
	}
	var status *statusError
	switch {
	case err == nil:
	case errors.As(err, &status):
		h.Log.Debug("request refused", "client", conn.RemoteAddr(), "error", err)
	default:
		return false
	}
	if h.Busy != nil {
		h.Busy(conn, true)
		defer h.Busy(conn, false)
	}
	a := answer{dialect: req.dialect, version: req.version}
	connection, _ := req.get("connection")
	a.keepAlive = err == nil && strings.EqualFold(connection, "keep-alive")
	switch {
	case err != nil:
		a.refuse(status, req.method)
	default:
		reply, packed, err := h.process(ctx, conn, req, body)
		if err != nil {
			a.refuse(&statusError{status: 500, reason: internalError}, req.method)
			break
		}
		defer reply.Close()
		a.accept(reply, packed)
	}
	if err := a.writeTo(conn); err != nil {
		h.Log.Debug("answer not delivered", "client", conn.RemoteAddr(), "error", err)
		return false
	}
	if status != nil {
		linger(conn)
	}
	return a.keepAlive
}

// readHead reads a request up to its body, and returns how long that is; a
// negative number says that it ends with the connection. The request is never
// nil.
//
// Source: SimpleXMLRPCServer.py:SimpleXMLRPCRequestHandler.do_POST.
func (h *Handler) readHead(r *bufio.Reader) (*request, int64, error) {
	req, err := readRequest(r, h.Dialect)
	if err != nil {
		return req, 0, err
	}
	if req.method != "POST" {
		return req, 0, page(501, "Unsupported method (%s)", req.dialect.Quote(req.method))
	}
	if req.path != "/" && req.path != "/RPC2" {
		return req, 0, &statusError{status: 404, reason: "Not Found"}
	}
	text, _ := req.get("content-length")
	length, err := parseInt(text, req.dialect.Numbers)
	if err != nil || !isASCII(text) {
		return req, 0, &statusError{status: 500, reason: internalError}
	}
	n, isInt64 := length.(int64)
	switch {
	case !isInt64 || n > maxBody:
		return req, 0, errTooLarge
	case n < 0 && !req.dialect.NegativeLength:
		return req, 0, &statusError{status: 500, reason: internalError}
	}
	return req, n, nil
}

// process turns the bytes of a call into its reply, and tells whether that is
// packed. An error means that not even a fault can be made of what went wrong.
//
// Source: SimpleXMLRPCServer.py:SimpleXMLRPCDispatcher._marshaled_dispatch.
func (h *Handler) process(ctx context.Context, conn net.Conn, req *request, body []byte) (reply *spool, packed bool, err error) {
	d, pack := req.dialect, acceptsGzip(req)
	call, err := Decode(body, d)
	var v any
	if err == nil {
		call.Client = conn
		v, err = h.Serve(ctx, call)
	}
	if text, ok := v.(Text); ok && err == nil {
		reply, packed, err = longReply(text, pack)
		if err == nil {
			return reply, packed, nil
		}
		h.Log.Error(err.Error())
		v, err = nil, nil
	}
	var out []byte
	if err == nil {
		if out, err = Encode(nil, v, d); err != nil {
			err = fmt.Errorf("reply of %s: %w", call.Method, err)
		}
	}
	if err != nil {
		if out, err = encodeError(err, d); err != nil {
			return nil, false, err
		}
	}
	if packed = pack && len(out) > gzipThreshold; packed {
		out = gzipped(out)
	}
	return held(out), packed, nil
}

// encodeError makes the fault that the dialect makes of an error, if it makes
// one.
func encodeError(err error, d *Dialect) ([]byte, error) {
	var f *Fault
	if !errors.As(err, &f) {
		if f = d.Fault(err); f == nil {
			return nil, err
		}
	}
	return EncodeFault(nil, f, d)
}

// linger lets a client that is still sending read its answer.
func linger(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		conn.SetReadDeadline(time.Now().Add(lingerTimeout))
		io.Copy(io.Discard, conn)
	}
}
