package asyncrpc

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"time"

	"prserver/xmlrpc/spool"
)

const (
	// maxMessage is how long a message from a client may be. No client of a PR
	// server sends a hundredth of it.
	maxMessage = 16 << 20
	// writePiece is how much of an answer is sent at a time.
	writePiece = 256 << 10
	// keptOut is how much room for answers a silent session keeps.
	keptOut = 4 << 10
	// lingerTimeout is how long a client that is refused may go on sending
	// before the connection is cut; cut at once, its system would throw the
	// answers to what it has sent before away.
	lingerTimeout = time.Second
)

// KeepAlive is how a server finds clients that are gone without a word.
//
// Source: lib/bb/asyncrpc/serv.py:TCPStreamServer.start.
var KeepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4}

// HandlerConfig is what a [Handler] needs.
type HandlerConfig struct {
	// Protocol and Version are what clients have to say first, such as
	// PRSERVICE and 1.0.
	Protocol, Version string
	// Serve answers a message, which is a value as [Unmarshal] returns it. The
	// reply is one that [Append] takes, or a [Stream]. After an error the
	// connection is closed: an [*InvokeError] is sent before that, any other is
	// logged.
	Serve func(ctx context.Context, s *Session, message any) (reply any, err error)
	// FirstTimeout bounds the time that a client may take for its first line.
	// After that it may be silent as long as it likes.
	FirstTimeout time.Duration
	// WriteTimeout bounds the time that a client may take to fetch a piece of
	// an answer, of 256 KiB. It may have twice as much.
	WriteTimeout time.Duration
	// Log has a warning for each message that is refused.
	Log *slog.Logger
}

// Stream is a reply of any length: it writes the JSON of it, in ASCII. If it
// fails, nothing of it is sent, and its error is treated as one of Serve.
type Stream func(w io.Writer) error

// Handler answers the messages that come over connections.
type Handler struct{ HandlerConfig }

// NewHandler returns a handler.
func NewHandler(cfg HandlerConfig) *Handler { return &Handler{cfg} }

// Session is a connection whose client has said hello.
type Session struct {
	// Conn is the connection. It must not be read from or written to.
	Conn net.Conn
	// Headers is how many header lines the client has sent: none up to BitBake
	// 2.6, at least one from 2.8 on.
	Headers int

	handler      *Handler
	lines        lineReader
	account      spool.Account
	phase        spool.Phase
	out          []byte // answers that are not sent yet
	writeBy      time.Time
	needsHeaders bool
}

// ServeConn answers the messages on conn, which r reads. It returns when the
// client has gone or was refused, and leaves closing the connection to its
// caller.
func (h *Handler) ServeConn(ctx context.Context, conn net.Conn, r *bufio.Reader, account spool.Account) {
	s := &Session{Conn: conn, handler: h, account: account}
	s.lines = lineReader{r: r, limit: maxLine, hold: s.hold, wait: s.flush}
	if tcp, ok := conn.(interface {
		SetKeepAliveConfig(net.KeepAliveConfig) error
	}); ok {
		tcp.SetKeepAliveConfig(KeepAlive) // a connection that cannot is none of TCP
	}
	refused := s.ended(s.serve(ctx))
	if err := s.flush(); err != nil {
		h.Log.Debug("answers not delivered", "client", s.Client(), "error", err)
	} else if refused {
		linger(conn)
	}
}

// Client returns the address of the client without its port, which differs
// from one connection to the next.
func (s *Session) Client() string {
	addr := s.Conn.RemoteAddr().String()
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// serve answers messages until one cannot be answered or none comes any more;
// the error says why.
func (s *Session) serve(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	for {
		message, err := s.receive()
		if err != nil {
			return err
		}
		s.enter(spool.Working)
		reply, err := s.handler.Serve(ctx, s, message)
		if err != nil {
			return &serveError{err}
		}
		if err := s.reply(reply); err != nil {
			return err
		}
	}
}

// begin reads up to the first message.
func (s *Session) begin() error {
	s.Conn.SetReadDeadline(time.Now().Add(s.handler.FirstTimeout))
	line, err := s.lines.text()
	if err != nil {
		return err
	}
	if len(line) == 0 {
		return errEnd
	}
	if err := hello(line, s.handler.Protocol, s.handler.Version); err != nil {
		return err
	}
	s.Conn.SetReadDeadline(time.Time{})
	for {
		line, err := s.lines.text()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		name, value, err := header(line)
		if err != nil {
			return err
		}
		s.Headers++
		if name == "needs-headers" {
			s.needsHeaders = value == "true"
		}
	}
	if s.needsHeaders {
		s.out = append(s.out, '\n') // there are none
	}
	return nil
}

// receive reads a message.
//
// Source: lib/bb/asyncrpc/connection.py:StreamConnection.recv_message, and for
// sessions without headers lib/bb/asyncrpc/serv.py:AsyncServerConnection of
// BitBake 2.0.
func (s *Session) receive() (any, error) {
	s.lines.long = nil
	line, err := s.lines.read()
	if err != nil {
		return nil, err
	}
	if !s.isBare() {
		line = trimRight(line)
	}
	message, err := s.decode(string(line))
	if err != nil {
		return nil, about(err, line)
	}
	if s.announces(message) {
		if message, err = s.receiveChunks(); err != nil {
			return nil, err
		}
	}
	if message == nil {
		return nil, errEnd
	}
	return message, nil
}

// isBare tells a session of BitBake 1.52 to 2.6, which has no headers.
func (s *Session) isBare() bool { return s.Headers == 0 }

// announces tells whether a message says that another one follows in chunks.
func (s *Session) announces(message any) bool {
	_, isObject := message.(Object)
	return has(message, chunkStream) && (isObject || !s.isBare())
}

func (s *Session) receiveChunks() (any, error) {
	// What is held from now on must not be let go of by sending.
	if err := s.flush(); err != nil {
		return nil, err
	}
	next := s.lines.text
	if s.isBare() {
		next = s.lines.bareChunk
	}
	text, err := s.lines.chunks(maxMessage, next)
	if err != nil {
		return nil, err
	}
	message, err := s.decode(text)
	if err == nil && s.isBare() && has(message, chunkStream) {
		err = errNested
	}
	if err != nil {
		return nil, about(err, []byte(text[:min(len(text), 100)]))
	}
	return message, nil
}

func (s *Session) decode(text string) (any, error) { return unmarshal(text, s.hold) }
