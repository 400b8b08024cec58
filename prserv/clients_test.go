package prserv_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/client"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// serveConfig serves a new file with the given settings and returns the
// address, and a function that ends the server and returns Serve's error.
func serveConfig(t *testing.T, cfg prserv.Config) (addr string, end func() error) {
	t.Helper()
	if cfg.Store == nil {
		cfg.Store = prservtest.Open(t, prservtest.NewFile(t))
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Dialect, cfg.Text = compat.DialectFor, compat.Py3.Text
	s, err := prserv.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	end = sync.OnceValue(func() error { cancel(); return <-served })
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return ln.Addr().String(), end
}

// unfinished are what a hung client may have sent.
var unfinished = []string{
	"",
	"POST /RPC2 HTTP/1.1\r\nContent-Le",
	"POST /RPC2 HTTP/1.1\r\nContent-Length: 500\r\n\r\n<?xml version='1.0'?>",
}

// hang opens n connections that never send a whole request.
func hang(t *testing.T, addr string, n int) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, unfinished[i%len(unfinished)]); err != nil {
			t.Fatal(err)
		}
		conns[i] = conn
	}
	return conns
}

// closedByServer waits until the server has closed conn.
func closedByServer(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.Copy(io.Discard, conn); err != nil && os.IsTimeout(err) {
		t.Fatal("the server keeps a hung connection open")
	}
}

func TestHungClientsKeepNobodyWaiting(t *testing.T) {
	addr, _ := serveConfig(t, prserv.Config{})
	hang(t, addr, 1000)
	c := client.New(addr, 10*time.Second)
	for i := range 50 {
		if got, err := c.GetPR(t.Context(), "v", "all", fmt.Sprint(i)); err != nil || got != int64(i) {
			t.Fatalf("getPR beside hung clients = %d, %v, want %d", got, err, i)
		}
	}
}

func TestHungClientsAreClosed(t *testing.T) {
	addr, _ := serveConfig(t, prserv.Config{ReadTimeout: 50 * time.Millisecond})
	for _, conn := range hang(t, addr, 30) {
		closedByServer(t, conn)
	}
}

// TestConnectionLimit fills the server with hung clients: the oldest of them
// have to go, and who really asks is answered.
func TestConnectionLimit(t *testing.T) {
	addr, _ := serveConfig(t, prserv.Config{MaxConns: 20})
	hung := hang(t, addr, 60)
	c := client.New(addr, 10*time.Second)
	if got, err := c.GetPR(t.Context(), "v", "all", "c"); err != nil || got != 0 {
		t.Fatalf("getPR at a full server = %d, %v, want 0", got, err)
	}
	for _, conn := range hung[:40] {
		closedByServer(t, conn)
	}
}

// waiting is a store whose answers wait until the test lets them go.
type waiting struct {
	store.Store
	goOn chan struct{}
}

func (s waiting) Check(context.Context) error { return nil }

func (s waiting) GetPR(context.Context, store.Key, store.Mode) (store.Value, error) {
	<-s.goOn
	return int64(7), nil
}

// TestNewcomerWaits has a server whose clients are all being answered: whoever
// comes is not closed, and is answered when one of them has its answer.
func TestNewcomerWaits(t *testing.T) {
	const conns, clients = 3, 8
	s := waiting{goOn: make(chan struct{})}
	addr, _ := serveConfig(t, prserv.Config{Store: s, MaxConns: conns})
	answers := make(chan error, clients)
	for range clients {
		go func() {
			got, err := client.New(addr, time.Minute).GetPR(t.Context(), "v", "all", "c")
			if err == nil && got != 7 {
				err = fmt.Errorf("got %d", got)
			}
			answers <- err
		}()
	}
	for range clients {
		s.goOn <- struct{}{} // never more than conns wait for it
		if err := <-answers; err != nil {
			t.Errorf("a client of a busy server: %v", err)
		}
	}
}

// TestUnreadAnswers has many clients ask for a long answer that they do not
// fetch: what is held for them stays bounded, and others are answered.
func TestUnreadAnswers(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	const long, clients, files = 16 << 20, 12, 4 // more than the system holds
	addr, _ := serveConfig(t, prserv.Config{Store: longDump{length: long}, MaxConns: 100, MaxFiles: files})
	var unread []net.Conn
	for range clients {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		const body = "<methodCall><methodName>dump_db</methodName></methodCall>"
		fmt.Fprintf(conn, "POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		if _, err := conn.Read(make([]byte, 1)); err != nil { // it is made
			t.Fatal(err)
		}
		unread = append(unread, conn)
		if err := client.New(addr, time.Minute).Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	prservtest.WaitFor(t, "all files but a few are closed", func() bool { return temporaryFiles(t) == files })
	complete := 0
	for _, conn := range unread {
		if n, _ := io.Copy(io.Discard, conn); n > long {
			complete++
		}
	}
	if complete != files {
		t.Errorf("%d of the clients get all of their answer, want %d", complete, files)
	}
	prservtest.WaitFor(t, "all files are closed", func() bool { return temporaryFiles(t) == 0 })
}

// temporaryFiles counts the open files in TMPDIR.
func temporaryFiles(t *testing.T) int {
	t.Helper()
	n := 0
	for i := range prservtest.OpenFiles(t) + 100 {
		if to, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", i)); err == nil && strings.HasPrefix(to, os.Getenv("TMPDIR")) {
			n++
		}
	}
	return n
}

// longDump is a store with a long dump.
type longDump struct {
	store.Store
	length int
}

func (s longDump) Check(context.Context) error { return nil }

func (s longDump) Dump(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, strings.Repeat("x", s.length))
	return err
}

// TestEndWithHungClients: what has not come when the server is to end is not
// waited for.
func TestEndWithHungClients(t *testing.T) {
	addr, end := serveConfig(t, prserv.Config{})
	hang(t, addr, 30)
	c := client.New(addr, 10*time.Second)
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Without an end the clients would be waited for a minute; how long it takes
	// is for the tests of the program.
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("Serve = %v, want nil", err)
		}
	case <-time.After(50 * time.Second):
		t.Fatal("Serve waits for hung clients")
	}
}

// TestEndAnswersWhoWasAccepted: a connection that was accepted before the
// server is to end may deliver its call after that.
func TestEndAnswersWhoWasAccepted(t *testing.T) {
	addr, end := serveConfig(t, prserv.Config{})
	late := hang(t, addr, 1)[0]
	// Its answer shows that the connection before it has been accepted.
	if err := client.New(addr, 10*time.Second).Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	prservtest.WaitFor(t, "the listener is closed", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	body := "<methodCall><methodName>ping</methodName></methodCall>"
	fmt.Fprintf(late, "POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	reply, err := io.ReadAll(late)
	if err != nil || !strings.Contains(string(reply), "<boolean>") {
		t.Errorf("a call on an accepted connection got %q, %v", reply, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

// TestAbortedConnectionsLeakNothing breaks off thousands of connections at
// every stage.
func TestAbortedConnectionsLeakNothing(t *testing.T) {
	addr, _ := serveConfig(t, prserv.Config{})
	c := client.New(addr, 10*time.Second)
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	goroutines, files := runtime.NumGoroutine(), prservtest.OpenFiles(t)
	for i := range 10000 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, unfinished[i%len(unfinished)])
		if i%2 == 0 {
			conn.(*net.TCPConn).SetLinger(0) // breaks it off with a reset
		}
		conn.Close()
	}
	const slack = 10
	prservtest.WaitFor(t, "goroutines and files are as few as before", func() bool {
		return runtime.NumGoroutine() <= goroutines+slack && prservtest.OpenFiles(t) <= files+slack
	})
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
