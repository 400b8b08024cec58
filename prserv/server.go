package prserv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"prserver/xmlrpc"
)

// shutdownTimeout is how long calls that are being answered may take once the
// server is to end.
const shutdownTimeout = 10 * time.Second

// Config is what a [Server] needs.
type Config struct {
	// File is the database file; it is made where it does not exist.
	File string
	// Dialect chooses how to talk to a client by its User-Agent.
	Dialect func(userAgent string) *xmlrpc.Dialect
	// Log takes what the operator should know.
	Log *slog.Logger
}

// Server answers the PR clients of a listener from one database file.
type Server struct {
	store   *Store
	log     *slog.Logger
	handler *xmlrpc.Handler

	quitOnce sync.Once
	quitCh   chan struct{} // closed when a client has asked the server to end

	mu     sync.Mutex
	conns  map[net.Conn]bool // the open connections, and whether a call is being answered; guarded by mu
	ending bool              // no connection is taken any more; guarded by mu
}

// New opens the database and returns a server for it. The error says what
// could not be opened; nothing stays open then.
func New(ctx context.Context, cfg Config) (*Server, error) {
	store, err := Open(ctx, cfg.File)
	if err != nil {
		return nil, err
	}
	s := &Server{
		store:  store,
		log:    cfg.Log,
		quitCh: make(chan struct{}),
		conns:  map[net.Conn]bool{},
	}
	s.handler = &xmlrpc.Handler{Dialect: cfg.Dialect, Serve: s.call, Busy: s.setBusy, Log: cfg.Log}
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
// and closes ln. It returns nil then, once every call that had arrived whole
// has its answer; connections that are waiting for a call are closed.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	// The calls that are being answered when ctx ends are to be finished.
	calls, cancelCalls := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelCalls()

	var running sync.WaitGroup
	accepting := make(chan error, 1)
	go func() { accepting <- s.accept(calls, ln, &running) }()

	var err error
	select {
	case <-ctx.Done():
	case <-s.quitCh:
	case err = <-accepting:
	}
	ln.Close()
	s.endConns(false)
	finished := make(chan struct{})
	go func() { running.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-time.After(shutdownTimeout):
		s.log.Warn("clients did not fetch their answers in time", "seconds", shutdownTimeout.Seconds())
		cancelCalls()
		s.endConns(true)
		<-finished
	}
	return err
}

// accept serves every connection of ln until ln is closed.
func (s *Server) accept(ctx context.Context, ln net.Listener, running *sync.WaitGroup) error {
	const retry = 50 * time.Millisecond
	for {
		conn, err := ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			// Out of descriptors, most likely: others will become free.
			s.log.Error("accepting a connection failed", "error", err)
			select {
			case <-time.After(retry):
				continue
			case <-ctx.Done():
				return fmt.Errorf("accepting connections: %w", err)
			}
		case !s.addConn(conn, running):
			conn.Close()
			continue
		}
		go func() {
			defer running.Done()
			defer s.removeConn(conn)
			s.handler.ServeConn(ctx, conn)
		}()
	}
}

// addConn counts a connection, unless the server is ending.
func (s *Server) addConn(conn net.Conn, running *sync.WaitGroup) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return false
	}
	s.conns[conn] = false
	running.Add(1)
	return true
}

func (s *Server) removeConn(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

func (s *Server) setBusy(conn net.Conn, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[conn] = busy
	if s.ending && !busy {
		conn.Close()
	}
}

// endConns closes the connections that wait for a call, or all of them.
func (s *Server) endConns(all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	for conn, busy := range s.conns {
		if all || !busy {
			conn.Close()
		}
	}
}
