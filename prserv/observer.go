package prserv

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/store"
	"prserver/xmlrpc"
)

// Observer is told what a server does. Answers wait for it, so it must be quick,
// and never wait itself.
type Observer interface {
	// Called is called for each call once its answer is ready.
	Called(Call)
	// AskedUpstream is called for each question to the upstream server.
	AskedUpstream(took time.Duration, err error)
}

// Call is a call that has its answer.
type Call struct {
	Wire       Wire
	Generation int    // 1 to 3; 0 where the call does not tell 2 from 3
	Method     string // as it is called on the wire; empty if there is no such method
	Outcome    Outcome
	Took       time.Duration // until the answer was ready, sending it not included
}

// clock returns a time that differences can be made of. It looks at one clock of
// the system, and [time.Now] at two, which takes a virtual machine twice as long.
func clock() time.Duration { return time.Since(clockBegun) }

var clockBegun = time.Now()

// Wire is how a client calls.
type Wire uint8

// The wires.
const (
	ByXMLRPC Wire = iota
	ByJSONLines
)

func (w Wire) String() string { return [...]string{ByXMLRPC: "xmlrpc", ByJSONLines: "jsonlines"}[w] }

// Outcome is what a call is answered.
type Outcome uint8

// The outcomes.
const (
	Answered Outcome = iota // what was asked for, whether its client waits for it or has left
	Nothing                 // nil where a value was asked for: most builds end by that
	Fault                   // an error in words
	// Closed is that the server closes the connection instead, as the original does:
	// after what is no call, and where an export for BitBake 1.52 to 2.6 fails.
	Closed
)

func (o Outcome) String() string {
	return [...]string{Answered: "answered", Nothing: "nothing", Fault: "fault", Closed: "closed"}[o]
}

// Methods returns the methods of a wire.
func Methods(w Wire) []string {
	var names []string
	if w == ByJSONLines {
		for _, c := range commands {
			names = append(names, c.name)
		}
		return names
	}
	for name := range methods {
		names = append(names, name)
	}
	return names
}

// asker returns the context of a call, which says who asks.
func (s *Server) asker(ctx context.Context, conn net.Conn, generation int, method string) context.Context {
	if !s.askers || conn == nil {
		return ctx
	}
	return store.WithAsker(ctx, store.Asker{Addr: conn.RemoteAddr(), Generation: generation, Method: method})
}

// observed answers a call of XML-RPC, and tells the observer.
func (s *Server) observed(ctx context.Context, c *xmlrpc.Call) (any, error) {
	ctx = s.asker(ctx, c.Client, 1, c.Method)
	if s.observer == nil && s.accesses == nil {
		return s.call(ctx, c)
	}
	begun := clock()
	v, err := s.call(ctx, c)
	call := Call{Wire: ByXMLRPC, Generation: 1, Took: clock() - begun}
	m, ok := methods[c.Method]
	if ok {
		call.Method = c.Method
	}
	switch {
	case err != nil:
		call.Outcome = Fault
	case ok && v == nil && m.failure != faults || call.Method == "importone" && v == nil:
		call.Outcome = Nothing
	}
	s.called(ctx, call, c.Client)
	return v, err
}

// called tells the observer and the log of a call.
func (s *Server) called(ctx context.Context, call Call, conn net.Conn) {
	if s.observer != nil {
		s.observer.Called(call)
	}
	if s.accesses == nil {
		return
	}
	generation := slog.IntValue(call.Generation)
	if call.Generation == 0 {
		generation = slog.StringValue("2-3")
	}
	s.accesses.LogAttrs(ctx, slog.LevelDebug, "call",
		slog.String("method", call.Method), slog.String("wire", call.Wire.String()), slog.Attr{Key: "generation", Value: generation},
		slog.String("client", addressOf(conn)), slog.String("outcome", call.Outcome.String()), slog.Int64("microseconds", call.Took.Microseconds()))
}

// observedLine answers a message of the JSON-lines protocol, and tells the
// observer.
func (s *Server) observedLine(ctx context.Context, session *asyncrpc.Session, message any) (any, error) {
	r := &request{session: session}
	if s.observer == nil && s.accesses == nil {
		return s.command(ctx, r, message)
	}
	begun := clock()
	reply, err := s.command(ctx, r, message)
	tell := func(reply any, err error) {
		call := Call{Wire: ByJSONLines, Generation: r.generation(), Method: r.command, Took: clock() - begun}
		var words *asyncrpc.InvokeError
		switch {
		case errors.As(err, &words):
			call.Outcome = Fault
		case err != nil:
			call.Outcome = Closed
		case reply == nil:
			call.Outcome = Nothing
		}
		s.called(ctx, call, session.Conn)
	}
	stream, ok := reply.(asyncrpc.Stream)
	if !ok {
		tell(reply, err)
		return reply, err
	}
	return asyncrpc.Stream(func(w io.Writer) error {
		err := stream(w)
		tell(stream, err)
		return err
	}), nil
}

// generation returns the generation of the client, as far as the request tells.
func (r *request) generation() int {
	switch {
	case r.is2a():
		return 2
	case r.mode().Revisions:
		return 3
	case r.takesHistory:
		return 2
	}
	return 0
}

// observedUpstream tells the observer of the questions to an upstream server.
type observedUpstream struct {
	Upstream
	observer Observer
}

func (u *observedUpstream) Published(ctx context.Context, k store.Key, need func(store.Revision) bool) (*store.Published, error) {
	begun := time.Now()
	p, err := u.Upstream.Published(ctx, k, need)
	u.observer.AskedUpstream(time.Since(begun), err)
	return p, err
}

// Connections returns how many connections are open: those of XML-RPC, those of
// JSON lines, and those that have not said yet what they speak.
func (s *Server) Connections() (xml, json, silent int) {
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	for c := range s.clients.open {
		switch c.protocol {
		case xmlRPC:
			xml++
		case jsonLines:
			json++
		default:
			silent++
		}
	}
	return xml, json, silent
}
