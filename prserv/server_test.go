package prserv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"prserver/compat"
	"prserver/prserv"
)

func newServer(t *testing.T, file string) *prserv.Server {
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

// running is a server with its listener and the end of its context.
type running struct {
	*prserv.Server
	addr   string
	cancel context.CancelFunc
	served chan error // has what Serve returned
}

func serveFile(t *testing.T, file string) *running {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveListener(t, file, ln)
}

func serveListener(t *testing.T, file string, ln net.Listener) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Server: newServer(t, file), addr: ln.Addr().String(), cancel: cancel, served: make(chan error, 1)}
	ended := make(chan struct{})
	go func() { r.served <- r.Serve(ctx, ln); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return r
}

func (r *running) client() *prserv.Client { return prserv.NewClient(r.addr, prserv.ClientTimeout) }

// wantServed waits for Serve to return nil.
func (r *running) wantServed(t *testing.T) {
	t.Helper()
	select {
	case err := <-r.served:
		if err != nil {
			t.Errorf("Serve: got %v, want nil", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Serve does not return")
	}
}

func (r *running) waitRefused(t *testing.T) {
	t.Helper()
	waitFor(t, "the listener to be closed", func() bool {
		conn, err := net.Dial("tcp", r.addr)
		if err == nil {
			conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
}

func TestServeEndsWithItsContext(t *testing.T) {
	r := serveFile(t, newFile(t))
	if err := r.client().Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.cancel()
	r.wantServed(t)
	r.waitRefused(t)
}

func TestServeWithAnEndedContext(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newServer(t, newFile(t)).Serve(ctx, ln); err != nil {
		t.Errorf("Serve: got %v, want nil", err)
	}
	if conn, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is open: %v, %v", conn, err)
	}
}

func TestServeEndsWithQuit(t *testing.T) {
	r := serveFile(t, newFile(t))
	if err := r.client().Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wantServed(t)
	r.waitRefused(t)
	r.Quit() // once more does no harm
	for range 2 {
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

// TestServeFinishesCalls ends a server while a call waits for the file: it is
// answered first.
func TestServeFinishesCalls(t *testing.T) {
	file := newFile(t)
	r := serveFile(t, file)
	unlock := lockFile(t, file)
	answers := ask(t, r, "a")
	waitFor(t, "the call to arrive", func() bool { return r.Answering() == 1 })
	r.cancel()
	r.waitRefused(t)
	select {
	case err := <-r.served:
		t.Errorf("Serve returned %v before the call had its answer", err)
	default:
	}
	unlock()
	if a := <-answers; a.err != nil || a.value != 0 {
		t.Errorf("got %d, %v; want 0", a.value, a.err)
	}
	r.wantServed(t)
	wantRows(t, file, row("v", "all", "a", int64(0)))
}

// TestServeGivesUp does not wait for ever for a file that is locked. What was
// not answered is not stored either.
func TestServeGivesUp(t *testing.T) {
	file := newFile(t)
	r := serveFile(t, file)
	unlock := lockFile(t, file)
	answers := ask(t, r, "a")
	waitFor(t, "the call to arrive", func() bool { return r.Answering() == 1 })
	r.cancel()
	r.wantServed(t)
	if a := <-answers; a.err == nil {
		t.Errorf("got %d, want an error", a.value)
	}
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	unlock()
	waitFor(t, "the call to let go of the file", func() bool { return descriptors(t, filepath.Dir(file)) == nil })
	wantRows(t, file)
}

type answer struct {
	value int64
	err   error
}

// ask asks for a value in the background.
func ask(t *testing.T, r *running, checksum string) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		v, err := r.client().GetPR(t.Context(), "v", "all", checksum)
		answers <- answer{v, err}
	}()
	return answers
}

// TestServeClosesIdleConnections has a client that keeps its connection.
func TestServeClosesIdleConnections(t *testing.T) {
	r := serveFile(t, newFile(t))
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const body = "<methodCall><methodName>ping</methodName></methodCall>"
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	reply := make([]byte, len("HTTP/1.0 200 OK"))
	if _, err := io.ReadFull(conn, reply); err != nil || string(reply) != "HTTP/1.0 200 OK" {
		t.Fatalf("got %q, %v", reply, err)
	}
	r.cancel()
	r.wantServed(t)
	if _, err := io.ReadAll(conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the idle connection: %v", err)
	}
}

// flakyListener fails before each of its first connections.
type flakyListener struct {
	net.Listener
	failures atomic.Int32
}

func (l *flakyListener) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestServeSurvivesAcceptErrors(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := &flakyListener{Listener: inner}
	ln.failures.Store(3)
	r := serveListener(t, newFile(t), ln)
	if v, err := r.client().GetPR(t.Context(), "v", "all", "a"); err != nil || v != 0 {
		t.Errorf("got %d, %v; want 0", v, err)
	}
}

// TestNewOnABrokenFile leaves nothing open, and the file as it was.
func TestNewOnABrokenFile(t *testing.T) {
	file := newFile(t)
	content := []byte(strings.Repeat("This is no database. ", 50))
	if err := os.WriteFile(file, content, 0o666); err != nil {
		t.Fatal(err)
	}
	cfg := prserv.Config{File: file, Dialect: compat.DialectFor, Log: slog.New(slog.DiscardHandler)}
	if s, err := prserv.New(t.Context(), cfg); err == nil {
		s.Close()
		t.Fatal("there is a server for a file that is no database")
	} else if s != nil {
		t.Errorf("beside the error there is a server")
	}
	if open := descriptors(t, filepath.Dir(file)); open != nil {
		t.Errorf("still open: %v", open)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file was changed: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	s, err := prserv.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestManyClients asks for new values over as many connections at once.
func TestManyClients(t *testing.T) {
	const clients, each = 16, 10
	r := serveFile(t, newFile(t))
	client := r.client() // may be shared
	var counts [clients * each]atomic.Int32
	together(clients, func(i int) {
		for j := range each {
			v, err := client.GetPR(t.Context(), "v", "all", fmt.Sprintf("%d-%d", i, j))
			if err != nil || v < 0 || v >= clients*each {
				t.Errorf("got %d, %v", v, err)
				return
			}
			counts[v].Add(1)
		}
	})
	for v := range counts {
		if n := counts[v].Load(); n != 1 {
			t.Errorf("value %d was answered %d times", v, n)
		}
	}
}
