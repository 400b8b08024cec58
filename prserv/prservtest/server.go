// Package prservtest starts servers for the tests of several packages, and
// looks at their database files from outside. Start with [Serve].
package prservtest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/client"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// Open opens a database file to write, until the test ends.
func Open(t testing.TB, file string) *sqlite.Store {
	t.Helper()
	return openFile(t, file, false)
}

func openFile(t testing.TB, file string, readOnly bool) *sqlite.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), file, readOnly)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

// Make makes a database file with nothing in it.
func Make(t testing.TB, file string) {
	t.Helper()
	if err := Open(t, file).Close(); err != nil {
		t.Fatal(err)
	}
}

// New returns a server of a store.
func New(t testing.TB, s store.Store) *prserv.Server {
	t.Helper()
	return newServer(t, prserv.Config{Store: s})
}

func newServer(t testing.TB, cfg prserv.Config) *prserv.Server {
	t.Helper()
	cfg.Dialect, cfg.Text, cfg.Log = compat.DialectFor, compat.Py3.Text, slog.New(slog.DiscardHandler)
	server, err := prserv.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// Server is a server that is serving.
type Server struct {
	*prserv.Server
	DB     *sqlite.Store
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
	db := Open(t, file)
	return serve(t, New(t, db), db, ln)
}

// ServeConfig serves a database file as [Serve] does, with the options of cfg;
// its Store, Dialect and Log do not count.
func ServeConfig(t testing.TB, file string, cfg prserv.Config) *Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	db := openFile(t, file, cfg.ReadOnly)
	cfg.Store = db
	return serve(t, newServer(t, cfg), db, ln)
}

// ServeStore serves a store until the test ends, and returns the address; the
// Store, Dialect and Log of cfg do not count.
func ServeStore(t testing.TB, store store.Store, cfg prserv.Config) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Store = store
	return serve(t, newServer(t, cfg), nil, ln).Addr
}

func serve(t testing.TB, server *prserv.Server, db *sqlite.Store, ln net.Listener) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{Server: server, DB: db, Addr: ln.Addr().String(), Cancel: cancel, Served: make(chan error, 1)}
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

// Log is a text that a server may write while a test reads it.
type Log struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns what has been written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
