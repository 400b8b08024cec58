package prserv_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"prserver/prserv/client"
	"prserver/prserv/prservtest"
)

func TestServeEndsWithItsContext(t *testing.T) {
	r := prservtest.Serve(t, prservtest.NewFile(t))
	if err := r.Client().Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Cancel()
	r.WantServed(t)
	r.WaitRefused(t)
}

func TestServeWithAnEndedContext(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := prservtest.New(t, prservtest.Open(t, prservtest.NewFile(t))).Serve(ctx, ln); err != nil {
		t.Errorf("Serve: got %v, want nil", err)
	}
	if conn, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is open: %v, %v", conn, err)
	}
}

func TestServeEndsWithQuit(t *testing.T) {
	r := prservtest.Serve(t, prservtest.NewFile(t))
	if err := r.Client().Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.WantServed(t)
	r.WaitRefused(t)
	r.Quit() // once more does no harm
	for range 2 {
		if err := r.DB.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

// TestServeFinishesCalls ends a server while a call waits for the file: it is
// answered first.
func TestServeFinishesCalls(t *testing.T) {
	file := prservtest.NewFile(t)
	r := prservtest.Serve(t, file)
	unlock := prservtest.LockFile(t, file)
	answers := ask(t, r, "a")
	prservtest.WaitFor(t, "the call to arrive", func() bool { return r.Answering() == 1 })
	r.Cancel()
	r.WaitRefused(t)
	select {
	case err := <-r.Served:
		t.Errorf("Serve returned %v before the call had its answer", err)
	default:
	}
	unlock()
	if a := <-answers; a.err != nil || a.value != 0 {
		t.Errorf("got %d, %v; want 0", a.value, a.err)
	}
	r.WantServed(t)
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "a", int64(0)))
}

// TestServeGivesUp does not wait for ever for a file that is locked. What was
// not answered is not stored either.
func TestServeGivesUp(t *testing.T) {
	file := prservtest.NewFile(t)
	r := prservtest.Serve(t, file)
	unlock := prservtest.LockFile(t, file)
	answers := ask(t, r, "a")
	prservtest.WaitFor(t, "the call to arrive", func() bool { return r.Answering() == 1 })
	r.Cancel()
	r.WantServed(t)
	if a := <-answers; a.err == nil {
		t.Errorf("got %d, want an error", a.value)
	}
	if err := r.DB.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	unlock()
	prservtest.WaitFor(t, "the call to let go of the file", func() bool { return prservtest.Descriptors(t, filepath.Dir(file)) == nil })
	prservtest.WantRows(t, file)
}

type answer struct {
	value int64
	err   error
}

// ask asks for a value in the background.
func ask(t *testing.T, r *prservtest.Server, checksum string) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		v, err := r.Client().GetPR(t.Context(), "v", "all", checksum)
		answers <- answer{v, err}
	}()
	return answers
}

// TestServeClosesIdleConnections has a client that keeps its connection.
func TestServeClosesIdleConnections(t *testing.T) {
	r := prservtest.Serve(t, prservtest.NewFile(t))
	conn, err := net.Dial("tcp", r.Addr)
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
	r.Cancel()
	r.WantServed(t)
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
	r := prservtest.ServeListener(t, prservtest.NewFile(t), ln)
	if v, err := r.Client().GetPR(t.Context(), "v", "all", "a"); err != nil || v != 0 {
		t.Errorf("got %d, %v; want 0", v, err)
	}
}

// TestManyClients asks for new values over as many connections at once.
func TestManyClients(t *testing.T) {
	const clients, each = 16, 10
	r := prservtest.Serve(t, prservtest.NewFile(t))
	client := r.Client() // may be shared
	var counts [clients * each]atomic.Int32
	prservtest.Together(clients, func(i int) {
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

// TestFileGone removes the file of a server: clients hear why they get no new
// value, and what was given out can still be saved.
func TestFileGone(t *testing.T) {
	file := prservtest.NewFile(t)
	c := prservtest.Serve(t, file).Client()
	if _, err := c.GetPR(t.Context(), "v", "all", "a"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	_, err := c.GetPR(t.Context(), "v", "all", "b")
	for what, err := range map[string]error{"getPR": err, "ping": c.Ping(t.Context())} {
		var fault *client.FaultError
		if !errors.As(err, &fault) || !strings.Contains(fault.Message, file+" has been removed or replaced") {
			t.Errorf("%s: %v, want a fault with the reason", what, err)
		}
	}
	dump, err := c.DumpDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer dump.Close()
	if text, err := io.ReadAll(dump); err != nil || !strings.Contains(string(text), "VALUES('v','all','a',0)") {
		t.Errorf("the dump is %q, %v", text, err)
	}
}
