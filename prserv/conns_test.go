package prserv_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/client"
)

// serveConfig serves a new file with the given settings and returns the
// address, and a function that ends the server and returns Serve's error.
func serveConfig(t *testing.T, cfg prserv.Config) (addr string, end func() error) {
	t.Helper()
	cfg.File = filepath.Join(t.TempDir(), "prserv.sqlite3")
	cfg.Dialect = compat.DialectFor
	cfg.Log = slog.New(slog.DiscardHandler)
	s, err := prserv.New(t.Context(), cfg)
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
	var result error
	ended := false
	end = func() error {
		if !ended {
			cancel()
			result = <-served
			ended = true
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		return result
	}
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
	client := client.New(addr, 10*time.Second)
	for i := range 50 {
		if got, err := client.GetPR(t.Context(), "v", "all", fmt.Sprint(i)); err != nil || got != int64(i) {
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
	client := client.New(addr, 10*time.Second)
	if got, err := client.GetPR(t.Context(), "v", "all", "c"); err != nil || got != 0 {
		t.Fatalf("getPR at a full server = %d, %v, want 0", got, err)
	}
	for _, conn := range hung[:40] {
		closedByServer(t, conn)
	}
}

// TestEndWithHungClients: what has not come when the server is to end is not
// waited for.
func TestEndWithHungClients(t *testing.T) {
	addr, end := serveConfig(t, prserv.Config{})
	hang(t, addr, 30)
	client := client.New(addr, 10*time.Second)
	if err := client.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := end(); err != nil {
		t.Fatalf("Serve = %v, want nil", err)
	}
	// Two seconds are promised; a busy machine may take longer to notice.
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("ending with hung clients took %v", took)
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
	waitUntil(t, "the listener is closed", func() bool {
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

func waitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// TestAbortedConnectionsLeakNothing breaks off thousands of connections at
// every stage.
func TestAbortedConnectionsLeakNothing(t *testing.T) {
	addr, _ := serveConfig(t, prserv.Config{})
	client := client.New(addr, 10*time.Second)
	if err := client.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
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
	waitUntil(t, "goroutines and files are as few as before", func() bool {
		return runtime.NumGoroutine() <= goroutines+slack && openFiles(t) <= files+slack
	})
	if err := client.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("no /proc to count descriptors in: %v", err)
	}
	return len(entries)
}
