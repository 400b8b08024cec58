package prserv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"prserver/prserv/store/sqlite"
	"prserver/xmlrpc"
)

const (
	// requestGrace is how long a connection may take, once the server is to
	// end, to deliver a call it has been accepted for. Whoever had just
	// connected when a restart came would see a broken connection otherwise,
	// and BitBake does not try again.
	requestGrace = 800 * time.Millisecond
	// answerGrace is how long calls may take to be answered then.
	answerGrace = 1400 * time.Millisecond
	// endGrace is when Serve returns whatever happens: the rest of two seconds
	// is for closing the file.
	endGrace = 1700 * time.Millisecond
)

// Config is what a [Server] needs.
type Config struct {
	// File is the database file; it is made where it does not exist.
	File string
	// ReadOnly serves what another server writes to the file. New values are
	// computed, but not stored, and nothing can be imported.
	ReadOnly bool
	// AllowRemoteQuit lets other machines end the server.
	AllowRemoteQuit bool
	// MaxConns is how many connections may be open; 0 chooses by the limits
	// of the process. See [Server.Serve].
	MaxConns int
	// ReadTimeout is how long a client may take for a request; 0 is
	// [xmlrpc.DefaultReadTimeout].
	ReadTimeout time.Duration
	// Dialect chooses how to talk to a client by its User-Agent.
	Dialect func(userAgent string) *xmlrpc.Dialect
	// Log takes what the operator should know.
	Log *slog.Logger
}

// Server answers the PR clients of a listener from one database file.
type Server struct {
	store           *sqlite.Store
	log             *slog.Logger
	handler         *xmlrpc.Handler
	allowRemoteQuit bool

	quitOnce sync.Once
	quitCh   chan struct{} // closed when a client has asked the server to end

	conns *connections
}

// New opens the database and returns a server for it. The error says what
// could not be opened; nothing stays open then.
func New(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.MaxConns == 0 {
		var err error
		if cfg.MaxConns, err = chooseMaxConns(); err != nil {
			return nil, err
		}
	}
	store, err := sqlite.Open(ctx, cfg.File, cfg.ReadOnly)
	if err != nil {
		return nil, err
	}
	if store.IsNew {
		cfg.Log.Warn(fmt.Sprintf("The database %s is new: every PR value starts at 0", cfg.File))
	}
	if store.HasNewer {
		cfg.Log.Warn(fmt.Sprintf("The database %s has values of BitBake 2.10 and later as well (table %s), which this server does not know; "+
			"if packages have been built with them, stop it and serve what this makes: prserv-tool copy %s NEW.sqlite3 --generation 1",
			cfg.File, sqlite.NewerTable, cfg.File))
	}
	if store.NetworkFS != "" {
		cfg.Log.Warn(fmt.Sprintf("The database %s is on a network file system (%s), whose locks may fail; "+
			"keep it on a local disk", cfg.File, store.NetworkFS))
	}
	if !cfg.ReadOnly && store.Journal != "wal" {
		cfg.Log.Warn(fmt.Sprintf("The database %s is written with a rollback journal: as safely as in WAL mode, "+
			"but new values wait while it is dumped", cfg.File))
	}
	s := &Server{
		store:           store,
		log:             cfg.Log,
		allowRemoteQuit: cfg.AllowRemoteQuit,
		quitCh:          make(chan struct{}),
		conns:           newConnections(cfg.MaxConns),
	}
	s.handler = &xmlrpc.Handler{
		Dialect: cfg.Dialect, Serve: s.call, Busy: s.conns.setBusy, ReadTimeout: cfg.ReadTimeout, Log: cfg.Log,
	}
	return s, nil
}

// Close closes the database. It may be called more than once.
func (s *Server) Close() error { return s.store.Close() }

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
// Where more connections are open than the limit allows, the one that has
// kept the server waiting longest for a call is closed for a new one.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
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
	s.conns.end(func(c *connState) bool { return c.served && !c.busy })
	for _, phase := range []struct {
		until time.Duration
		close func(*connState) bool
	}{
		{requestGrace, func(c *connState) bool { return !c.busy }},
		{answerGrace - requestGrace, func(*connState) bool { return true }},
	} {
		select {
		case <-finished:
			return nil
		case <-time.After(phase.until):
			s.conns.end(phase.close)
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
	for s.conns.makeRoom(ended) {
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
		s.conns.add(conn)
		running.Add(1)
		go func() {
			defer running.Done()
			defer s.conns.remove(conn)
			s.handler.ServeConn(ctx, conn)
		}()
	}
}
