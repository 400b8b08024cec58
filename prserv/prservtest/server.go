// Package prservtest starts servers for the tests of several packages, and
// looks at their database files from outside. Start with [Serve].
package prservtest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/client"
)

// New returns a server of a database file, which the end of the test closes.
func New(t testing.TB, file string) *prserv.Server {
	t.Helper()
	s, err := prserv.New(t.Context(), prserv.Config{
		File: file, Dialect: compat.DialectFor, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// Server is a server that is serving.
type Server struct {
	*prserv.Server
	Addr   string
	Cancel context.CancelFunc // ends the context of Serve
	Served chan error         // has what Serve returned
}

// Serve serves a database file on a port of its own until the test ends.
func Serve(t testing.TB, file string) *Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ServeListener(t, file, ln)
}

// ServeListener serves a database file to the clients of ln until the test
// ends.
func ServeListener(t testing.TB, file string, ln net.Listener) *Server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{Server: New(t, file), Addr: ln.Addr().String(), Cancel: cancel, Served: make(chan error, 1)}
	ended := make(chan struct{})
	go func() { s.Served <- s.Serve(ctx, ln); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return s
}

// Client returns a client of the server.
func (s *Server) Client() *client.Client { return client.New(s.Addr, client.Timeout) }

// WantServed waits for Serve to return nil.
func (s *Server) WantServed(t testing.TB) {
	t.Helper()
	select {
	case err := <-s.Served:
		if err != nil {
			t.Errorf("Serve: got %v, want nil", err)
		}
	case <-time.After(patience):
		t.Fatal("Serve does not return")
	}
}

// WaitRefused waits until nobody listens at the server's address.
func (s *Server) WaitRefused(t testing.TB) {
	t.Helper()
	WaitFor(t, "the listener to be closed", func() bool {
		conn, err := net.Dial("tcp", s.Addr)
		if err == nil {
			conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
}

// patience is how long a test waits for something that a busy machine may do
// late, before it fails.
const patience = time.Minute

// WaitFor waits until a condition holds.
func WaitFor(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// Together calls f n times at once, with 0 to n-1, and waits for all of them.
func Together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f(i)
		}()
	}
	wg.Wait()
}
