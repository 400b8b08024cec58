package client_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"prserver/prserv/client"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// countingListener counts the connections.
type countingListener struct {
	net.Listener
	accepted atomic.Int32
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

// serveCounting serves a new file at addr, where port 0 is any.
func serveCounting(t *testing.T, addr string) (*prservtest.Server, *countingListener) {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	counting := &countingListener{Listener: ln}
	return prservtest.ServeListener(t, prservtest.NewFile(t), counting), counting
}

// wantKept looks whether a client says that connections are kept.
func wantKept(t *testing.T, c *client.Client, want bool) {
	t.Helper()
	if got, err := c.KeepsConnections(t.Context()); err != nil || got != want {
		t.Errorf("KeepsConnections: got %v, %v; want %v", got, err, want)
	}
}

// TestKeepConnections has one connection for all calls, where it asks for
// that and nobody else needs one.
func TestKeepConnections(t *testing.T) {
	r, ln := serveCounting(t, "127.0.0.1:0")
	c := r.Client()
	wantKept(t, c, false)
	c.KeepConnections(8)
	defer c.CloseIdleConnections()
	wantKept(t, c, true)
	for i := range 50 {
		wantValue(t, int64(i))(c.ImportOne(t.Context(), "v", "all", fmt.Sprint(i), int64(i)))
	}
	if _, err := c.Export(t.Context(), store.Filter{}, true); err != nil { // its answer is packed
		t.Error(err)
	}
	wantValue(t, 50)(c.GetPR(t.Context(), "v", "all", "a"))
	if got := ln.accepted.Load(); got != 2 {
		t.Errorf("%d connections, want one that is not kept and one that is", got)
	}
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range 50 {
				wantValue(t, int64(i))(c.ImportOne(t.Context(), fmt.Sprint(w), "all", fmt.Sprint(i), int64(i)))
			}
		}()
	}
	workers.Wait()
	// One may be made that is not needed any more when it is there.
	if got := ln.accepted.Load(); got > 2+2*8 {
		t.Errorf("%d connections for 8 workers", got)
	}
}

// TestKeepConnectionsRestart goes on when the server has been restarted, in
// spite of the connections to the old one.
func TestKeepConnectionsRestart(t *testing.T) {
	r, _ := serveCounting(t, "127.0.0.1:0")
	c := r.Client()
	c.KeepConnections(8)
	defer c.CloseIdleConnections()
	for range 3 {
		prservtest.Together(8, func(i int) { wantValue(t, 7)(c.ImportOne(t.Context(), "v", "all", fmt.Sprint(i), 7)) })
		r.Cancel()
		r.WantServed(t)
		r, _ = serveCounting(t, r.Addr)
	}
	wantKept(t, c, true)
}

// TestKeepConnectionsNot works with a server that closes, as Python's does,
// with a word or without.
func TestKeepConnectionsNot(t *testing.T) {
	closing := func(s string) string { return strings.Replace(s, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1) }
	newer := func(s string) string { return strings.Replace(closing(s), "1.0", "1.1", 1) }
	for _, say := range []func(string) string{strings.Clone, closing, newer} {
		c := reply(t, say(response("<int>7</int>")))
		c.KeepConnections(8)
		for range 3 {
			wantValue(t, 7)(c.ImportOne(t.Context(), "v", "all", "a", 7))
		}
		c = reply(t, say(response("<boolean>1</boolean>")))
		c.KeepConnections(8)
		wantKept(t, c, false)
	}
}

// TestKeptConnectionClosed sends a call again that met a connection which the
// server was about to close, in whatever way it learns of that.
func TestKeptConnectionClosed(t *testing.T) {
	keep := strings.Replace(response("<int>7</int>"), "\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n", 1)
	for about, end := range map[string]func(conn *net.TCPConn, in *bufio.Reader){
		"read":           func(conn *net.TCPConn, in *bufio.Reader) { io.Copy(io.Discard, request(in).Body) },
		"half read":      func(conn *net.TCPConn, in *bufio.Reader) { in.ReadByte() },
		"read and reset": func(conn *net.TCPConn, in *bufio.Reader) { in.ReadByte(); conn.SetLinger(0) },
		"half answered": func(conn *net.TCPConn, in *bufio.Reader) {
			io.Copy(io.Discard, request(in).Body)
			io.WriteString(conn, keep[:20])
		},
	} {
		for _, size := range []int{1, 1 << 20} {
			var connections, met atomic.Int32
			c := client.New(listen(t, func(conn net.Conn) {
				connections.Add(1)
				io.WriteString(conn, keep)
				in := bufio.NewReader(conn)
				if _, err := in.Peek(1); err == nil {
					met.Add(1)
				}
				end(conn.(*net.TCPConn), in)
			}), client.Timeout)
			c.KeepConnections(8)
			for range 5 {
				wantValue(t, 7)(c.ImportOne(t.Context(), "v", "all", strings.Repeat("x", size), 7))
			}
			if connections.Load() != 5 || met.Load() != 4 {
				t.Errorf("%s, %d bytes: %d connections of which %d were used again, want 5 and 4",
					about, size, connections.Load(), met.Load())
			}
			c.CloseIdleConnections()
		}
	}
}

// request reads a request, or returns an empty one.
func request(in *bufio.Reader) *http.Request {
	if req, err := http.ReadRequest(in); err == nil {
		return req
	}
	return &http.Request{Body: http.NoBody}
}

// TestQuitOnce does not send quit again, which could end another server.
func TestQuitOnce(t *testing.T) {
	var calls atomic.Int32
	keep := strings.Replace(response("<boolean>1</boolean>"), "\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n", 1)
	c := client.New(listen(t, func(conn net.Conn) {
		if calls.Add(1) == 1 {
			io.WriteString(conn, keep)
			request(bufio.NewReader(conn))
		}
	}), client.Timeout)
	c.KeepConnections(8)
	defer c.CloseIdleConnections()
	wantKept(t, c, true)
	if err := c.Quit(t.Context()); err == nil {
		t.Error("a quit without an answer is no error")
	}
	if got := calls.Load(); got != 2 {
		t.Errorf("%d calls, want a ping and a quit", got)
	}
}

// TestClientErrorTexts has errors on one line that a person can read, with
// their cause.
func TestClientErrorTexts(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := ln.Addr().String()
	ln.Close()
	const hint = "; is it a PR server? Those of BitBake 1.52 and later speak another protocol"
	const there = "; is the server running, and on that port?"
	answered := func(bytes string) string {
		return listen(t, func(conn net.Conn) { io.WriteString(conn, bytes) })
	}
	reset := listen(t, func(conn net.Conn) { conn.(*net.TCPConn).SetLinger(0) })
	for _, test := range []struct {
		addr, want string // ADDR is the address
		cause      error
	}{
		{nobody, "connecting to ADDR: connection refused" + there, syscall.ECONNREFUSED},
		{"127.0.0.1:99999", "connecting to ADDR: address 99999: invalid port" + there, nil},
		{answered(""), "asking ADDR: ping: EOF" + hint, io.EOF},
		{reset, "asking ADDR: ping: connection reset by peer" + hint, syscall.ECONNRESET},
		{answered("PONG\n"), `asking ADDR: ping: malformed HTTP response "PONG"` + hint, nil},
		{answered(httpOK + "Content-Length: 10\r\n\r\n"), "ping: reading the answer: unexpected EOF", io.ErrUnexpectedEOF},
		{answered("HTTP/1.0 301 Moved\r\nLocation: /\r\n\r\n"), "ping: the server answered HTTP status 301 Moved; is it a PR server?", nil},
	} {
		for _, keep := range []bool{false, true} {
			c := client.New(test.addr, client.Timeout)
			if keep {
				c.KeepConnections(1)
			}
			err := c.Ping(t.Context())
			if want := strings.Replace(test.want, "ADDR", test.addr, 1); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if test.cause != nil && !errors.Is(err, test.cause) {
				t.Errorf("%v does not wrap %v", err, test.cause)
			}
		}
	}
}
