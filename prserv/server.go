package prserv

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"prserver/prserv/access"
	"prserver/prserv/asyncrpc"
	"prserver/prserv/store"
	"prserver/xmlrpc"
)

const (
	// requestGrace is how long, once the server is to end, an accepted connection
	// may still deliver its call. Whoever had just
	// connected when a restart came would see a broken connection otherwise,
	// and BitBake does not try again.
	requestGrace = 800 * time.Millisecond
	// answerGrace is how long calls may take to be answered then.
	answerGrace = 1400 * time.Millisecond
	// endGrace is when Serve returns whatever happens: the rest of two seconds
	// is for closing the file.
	endGrace = 1700 * time.Millisecond
	// readTimeout is what PR clients wait themselves.
	readTimeout = 60 * time.Second
	// writeTimeout is how long a client may take to fetch a piece of an answer.
	writeTimeout = 60 * time.Second
	// linesPatience is how long a call of JSON lines may wait for a database that
	// does not answer: clients of BitBake 1.52 and later wait 30 seconds for each
	// line, and then ask again, three times.
	linesPatience = 25 * time.Second
)

// Config is what a [Server] needs.
type Config struct {
	// Store keeps the values. It stays open when the server ends.
	Store store.Store
	// Upstream is asked before a value is given out, if it is not nil.
	Upstream Upstream
	// ReadOnly refuses imports. The store of such a server should be read-only
	// as well.
	ReadOnly bool
	// Access says who may do what. A client that is not served may end the server
	// all the same if it is on the same machine.
	Access access.Rules
	// Refused is told of everything that Access refuses, if it is not nil. It must
	// not wait.
	Refused func(store.Refusal)
	// AllowRemoteQuit lets other machines end the server.
	AllowRemoteQuit bool
	// MaxConns is how many connections may be open; 0 chooses by the limits
	// of the process. See [Server.Serve].
	MaxConns int
	// MaxFiles is how many long answers may be in files at a time; 0 chooses by
	// the limits of the process.
	MaxFiles int
	// ReadTimeout is how long a client may take for a request, and between two
	// of them; 0 is what BitBake's clients wait themselves.
	ReadTimeout time.Duration
	// Dialect chooses how to talk to a client by its User-Agent.
	Dialect func(userAgent string) *xmlrpc.Dialect
	// Text is the str() of Python 3, for filters of exports in JSON lines.
	Text func(any) (string, error)
	// Observer is told of every call, if it is not nil.
	Observer Observer
	// Askers lets the store know who asks, by [store.AskerOf].
	Askers bool
	// Log takes what the operator should know. What comes again is counted, by
	// its message and the address in its attribute "client"; the counts come a
	// minute later, or when Serve returns. At DEBUG it has a line for every call.
	Log *slog.Logger
}

// Server answers the PR clients of a listener from one store.
type Server struct {
	service         *service
	observer        Observer
	askers          bool
	log             *slog.Logger
	handler         *xmlrpc.Handler
	lines           *asyncrpc.Handler
	text            func(any) (string, error)
	allowRemoteQuit bool
	readTimeout     time.Duration

	quitOnce sync.Once
	quitCh   chan struct{} // closed when a client has asked the server to end

	door     *door
	accesses *slog.Logger // has a line for every call; nil if nobody wants them

	clients  *clients
	troubles *troubles // what the log has been told lately
}

// New returns a server. The error is returned where the limits of the process
// leave too few connections.
func New(cfg Config) (*Server, error) {
	if cfg.MaxConns == 0 || cfg.MaxFiles == 0 {
		conns, files, err := chooseLimits(doorFiles(cfg.Access))
		if err != nil {
			return nil, err
		}
		cfg.MaxConns, cfg.MaxFiles = cmp.Or(cfg.MaxConns, conns), cmp.Or(cfg.MaxFiles, files)
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = readTimeout
	}
	if cfg.Upstream != nil && cfg.Observer != nil {
		cfg.Upstream = &observedUpstream{cfg.Upstream, cfg.Observer}
	}
	counting := newRepeats(cfg.Log.Handler())
	log := slog.New(counting)
	s := &Server{
		service:         &service{store: cfg.Store, upstream: cfg.Upstream, readOnly: cfg.ReadOnly, log: log},
		observer:        cfg.Observer,
		askers:          cfg.Askers,
		text:            cfg.Text,
		log:             log,
		allowRemoteQuit: cfg.AllowRemoteQuit,
		readTimeout:     cfg.ReadTimeout,
		quitCh:          make(chan struct{}),
		clients:         newClients(cfg.MaxConns, cfg.MaxFiles),
		troubles:        counting.troubles,
	}
	if cfg.Log.Enabled(context.Background(), slog.LevelDebug) {
		s.accesses = cfg.Log // every line counts, so no repeats are looked for
	}
	s.door = s.newDoor(&cfg)
	s.handler = xmlrpc.NewHandler(xmlrpc.HandlerConfig{
		Dialect: cfg.Dialect, Serve: s.observed, ReadTimeout: cfg.ReadTimeout, WriteTimeout: writeTimeout, Log: log,
	})
	s.lines = asyncrpc.NewHandler(asyncrpc.HandlerConfig{
		Protocol: protocolName, Version: protocolVersion, Serve: s.observedLine,
		FirstTimeout: cfg.ReadTimeout, WriteTimeout: writeTimeout, Log: log,
	})
	return s, nil
}

// Quit makes Serve return, as if its context had ended.
func (s *Server) Quit() { s.quitOnce.Do(func() { close(s.quitCh) }) }

func (s *Server) quitting() bool {
	select {
	case <-s.quitCh:
		return true
	default:
		return false
	}
}

// Serve answers the clients of ln until ctx ends or one of them calls quit,
// and closes ln. It returns nil then, within two seconds: the calls that have
// arrived get their answers, and connections that were accepted may deliver
// theirs; what has not come by then is cut off.
//
// Where as many connections are open as the limit allows, a new one waits until
// another has its answer, has kept the server waiting for a call while others
// wait for its place, or has been slow to fetch its answer for a minute.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer s.troubles.end()
	// The calls that are being answered when ctx ends are to be finished.
	calls, cancelCalls := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelCalls()

	ended := make(chan struct{})
	stop := sync.OnceFunc(func() { close(ended); ln.Close() })
	defer stop()
	go func() {
		select {
		case <-ctx.Done():
		case <-s.quitCh:
		case <-ended:
		}
		stop()
	}()
	var running sync.WaitGroup
	s.accept(calls, ln, ended, &running)

	finished := make(chan struct{})
	go func() { running.Wait(); close(finished) }()
	isSilent := func(c *client) bool { return !c.busy() }
	s.clients.end(func(c *client) bool { return c.served && !c.busy() })
	s.door.clients.end(isSilent)
	for _, phase := range []struct {
		until time.Duration
		close func(*client) bool
	}{
		{requestGrace, isSilent},
		{answerGrace - requestGrace, func(*client) bool { return true }},
	} {
		select {
		case <-finished:
			return nil
		case <-time.After(phase.until):
			s.clients.end(phase.close)
			s.door.clients.end(phase.close)
		}
	}
	s.log.Warn("clients did not fetch their answers in time")
	cancelCalls()
	select {
	case <-finished:
	case <-time.After(endGrace - answerGrace):
	}
	return nil
}

// accept serves every connection of ln until ln is closed.
func (s *Server) accept(ctx context.Context, ln net.Listener, ended <-chan struct{}, running *sync.WaitGroup) {
	const retry = 50 * time.Millisecond
	for {
		conn, err := ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			// Out of descriptors, most likely: others will become free.
			s.log.Error("accepting a connection failed", "error", err)
			select {
			case <-time.After(retry):
			case <-ended:
				return
			}
			continue
		}
		c, goesOn := s.admit(conn, ended)
		if !goesOn {
			return
		}
		if c == nil {
			continue
		}
		running.Add(1)
		go func() {
			defer running.Done()
			defer c.clients.remove(c)
			s.serveClient(ctx, c)
		}()
	}
}

var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// serveClient serves a client in the protocol that it speaks, and closes its
// connection.
func (s *Server) serveClient(ctx context.Context, c *client) {
	r := readers.Get().(*bufio.Reader)
	r.Reset(c)
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic while serving a client", "client", c.RemoteAddr(), "panic", p, "stack", string(debug.Stack()))
		}
		c.Close()
		r.Reset(nil)
		readers.Put(r)
	}()
	handler, lines := s.handler, s.lines
	if c.rights.Refused {
		handler, lines = s.door.handler, s.door.lines
		defer s.door.see(c)()
	}
	c.SetReadDeadline(time.Now().Add(s.readTimeout))
	speaks, err := sniff(r)
	if err != nil {
		return // it has sent nothing, or no more than a part of a hello
	}
	c.setProtocol(speaks)
	switch speaks {
	case xmlRPC:
		handler.ServeConn(ctx, c, r, c)
	case jsonLines:
		lines.ServeConn(store.WithPatience(ctx, linesPatience), c, r, c)
	}
}
