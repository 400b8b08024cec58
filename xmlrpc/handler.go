package xmlrpc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"prserver/xmlrpc/spool"
)

const (
	// gzipThreshold is the size up to which a reply is sent as it is.
	gzipThreshold = 1400
	// smallReply is the size up to which nobody counts what a reply holds.
	smallReply = 4096
	// writePiece is how much of a reply is sent at a time.
	writePiece = 256 << 10
	// lingerTimeout is how long a request that was refused unread may go on
	// arriving before the connection is cut; cut at once, the client's system
	// would throw the answer away.
	lingerTimeout = time.Second
)

// HandlerConfig is what a [Handler] needs.
type HandlerConfig struct {
	// Dialect chooses the client's dialect by its User-Agent.
	Dialect func(userAgent string) *Dialect
	// Serve answers a call, or fails with an error that the dialect can word.
	Serve func(ctx context.Context, call *Call) (any, error)
	// ReadTimeout bounds the time a client may take for a request, and between
	// two on one connection.
	ReadTimeout time.Duration
	// WriteTimeout bounds the time a client may take to fetch a piece of a
	// reply, of 256 KiB.
	WriteTimeout time.Duration
	Log          *slog.Logger
}

// Handler answers the XML-RPC requests that come over connections.
type Handler struct {
	HandlerConfig
	large chan struct{} // holds an element for each large request under way
}

// NewHandler returns a handler.
func NewHandler(cfg HandlerConfig) *Handler {
	return &Handler{HandlerConfig: cfg, large: make(chan struct{}, largeAtATime)}
}

// ServeConn answers the requests on conn, which r reads. It returns when the
// client has gone, has been too slow or has had its answer, and leaves closing
// the connection to its caller.
//
// Like the reference it answers one request a connection, except that a client
// may ask for more in so many words. Without those words nothing may be kept
// open, because forked bitbake processes share a connection object and would
// read each other's answers.
func (h *Handler) ServeConn(ctx context.Context, conn net.Conn, r *bufio.Reader, account spool.Account) {
	for h.serveOne(ctx, conn, r, account) {
	}
}

// serveOne answers one request and reports whether the connection stays open.
func (h *Handler) serveOne(ctx context.Context, conn net.Conn, r *bufio.Reader, account spool.Account) bool {
	keepAlive, refused := h.serveRequest(ctx, conn, r, account)
	if refused {
		linger(conn)
	}
	return keepAlive
}

// serveRequest answers a request. Refused tells that the answer is an error of
// HTTP, and that some of the request may be still to come.
func (h *Handler) serveRequest(ctx context.Context, conn net.Conn, r *bufio.Reader, account spool.Account) (keepAlive, refused bool) {
	deadline := time.Now().Add(h.ReadTimeout)
	conn.SetReadDeadline(deadline)
	req, length, err := h.readHead(r, account)
	var body []byte
	if err == nil {
		if isLarge(req, length) {
			leave, ok := h.enterLarge(ctx, deadline)
			if !ok {
				return false, false
			}
			defer leave()
		}
		body, err = readBody(r, req, length, account)
	}
	var status *statusError
	if err != nil && !errors.As(err, &status) {
		return false, false
	}
	account.Enter(spool.Working)
	defer account.Enter(spool.Reading)
	a := h.answer(ctx, conn, req, body, account, status)
	defer a.close()
	account.Enter(spool.Sending)
	if err := a.writeTo(conn, h.WriteTimeout); err != nil {
		h.Log.Debug("answer not delivered", "client", conn.RemoteAddr(), "error", err)
		return false, false
	}
	return a.keepAlive, status != nil
}

// answer makes the answer to a request, or to one that was refused.
func (h *Handler) answer(ctx context.Context, conn net.Conn, req *request, body []byte, account spool.Account, refused *statusError) *answer {
	a := &answer{dialect: req.dialect, version: req.version}
	if refused != nil {
		h.Log.Debug("request refused", "client", conn.RemoteAddr(), "error", refused)
		a.refuse(refused, req.method)
		return a
	}
	reply, packed, err := h.process(ctx, conn, req, body, account)
	if err != nil {
		a.refuse(&statusError{status: 500, reason: internalError}, req.method)
		return a
	}
	connection, _ := req.get("connection")
	a.keepAlive = strings.EqualFold(strings.TrimSpace(connection), "keep-alive")
	a.accept(reply, packed)
	return a
}

// readHead reads a request up to its body, and returns how long that is; a
// negative number says that it ends with the connection. The request is never
// nil.
//
// Source: SimpleXMLRPCServer.py:SimpleXMLRPCRequestHandler.do_POST.
func (h *Handler) readHead(r *bufio.Reader, account spool.Account) (*request, int64, error) {
	req, err := readRequest(r, h.Dialect, account)
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
	length, err := req.dialect.headInt(text)
	if err != nil {
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
func (h *Handler) process(ctx context.Context, conn net.Conn, req *request, body []byte, account spool.Account) (reply *spool.Spool, packed bool, err error) {
	d, pack := req.dialect, acceptsGzip(req)
	call, err := Decode(body, d)
	var v any
	if err == nil {
		call.Client, call.pack, call.account = conn, pack, account
		v, err = h.Serve(ctx, call)
	}
	if reply, ok := v.(*Reply); ok && err == nil {
		return reply.out, reply.packed, nil
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
	if len(out) <= smallReply {
		return spool.Of(out), packed, nil
	}
	reply = spool.New(account)
	if _, err = reply.Write(out); err != nil {
		reply.Close()
		return nil, false, err
	}
	return reply, packed, nil
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
