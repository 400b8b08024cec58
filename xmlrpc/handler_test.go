package xmlrpc_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"prserver/compat"
	"prserver/xmlrpc"
)

// patience is how long a test waits before it fails.
const patience = 20 * time.Second

// answering returns a handler with a few methods, and its log.
func answering() (*xmlrpc.Handler, *logBuffer) {
	logged := &logBuffer{}
	return xmlrpc.NewHandler(xmlrpc.HandlerConfig{
		Dialect: compat.DialectFor,
		Serve: func(_ context.Context, call *xmlrpc.Call) (any, error) {
			switch call.Method {
			case "echo":
				return call.Params[0], nil
			case "long": // a string of that many characters
				return strings.Repeat("x", int(call.Params[0].(int64))), nil
			case "fail":
				return nil, errors.New("failed")
			}
			return call.Dialect.Name, nil
		},
		ReadTimeout:  time.Minute,
		WriteTimeout: time.Minute,
		Log:          slog.New(slog.NewTextHandler(logged, nil)),
	}), logged
}

// serveConn serves a connection as a server does.
func serveConn(ctx context.Context, h *xmlrpc.Handler, conn net.Conn) {
	defer conn.Close()
	h.ServeConn(ctx, conn, bufio.NewReader(conn), xmlrpc.Unlimited{})
}

// logBuffer is a buffer that a handler can write while a test reads it.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// listen serves connections with h until the test ends, and returns the address.
// The test fails if a connection is still open at its end.
func listen(t testing.TB, h *xmlrpc.Handler) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Add(1)
			go func() {
				defer running.Done()
				serveConn(context.Background(), h, conn)
			}()
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		done := make(chan struct{})
		go func() { running.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("connections are still being served")
		}
	})
	return ln.Addr().String()
}

// client is a raw connection to a handler.
type client struct {
	t testing.TB
	*net.TCPConn
	r *bufio.Reader
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &client{t, conn.(*net.TCPConn), bufio.NewReader(conn)}
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatalf("sending: %v", err)
	}
}

// response reads the next answer, the body included.
func (c *client) response() (*http.Response, string) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("reading an answer: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("reading the body of an answer: %v", err)
	}
	return resp, string(body)
}

// rest reads until the server closes the connection. A reset counts as its end,
// because a server that has not read all we sent resets the connection.
func (c *client) rest() string {
	c.t.Helper()
	rest, err := io.ReadAll(c.r)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		c.t.Fatalf("the connection stays open after %q", rest)
	}
	return string(rest)
}

const (
	agent2 = "User-Agent: xmlrpclib.py/1.0.1 (by www.pythonware.com)\r\n"
	agent3 = "User-Agent: Python-xmlrpc/3.8\r\n"
)

// post returns a request; headers are its header lines but Content-Length.
func post(path, headers, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", path, headers, len(body), body)
}

func calling(method, params string) string {
	return "<methodCall><methodName>" + method + "</methodName><params>" + params + "</params></methodCall>"
}

func TestPaths(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	for _, path := range []string{"/", "/RPC2", "/RPC2/", "/RPC3", "/rpc2", "//", "/?a=b", "*", "http://h/RPC2"} {
		c := dial(t, addr)
		c.send(post(path, "", calling("echo", "<value>x</value>")))
		resp, body := c.response()
		wantStatus, wantType, wantBody := 404, "text/plain", "No such page"
		if path == "/" || path == "/RPC2" {
			wantStatus, wantType, wantBody = 200, "text/xml", reply("<value><string>x</string></value>\n")
		}
		if resp.StatusCode != wantStatus || resp.Header.Get("Content-Type") != wantType || body != wantBody {
			t.Errorf("%s: got %s, %s, %q, want %d, %s, %q", path,
				resp.Status, resp.Header.Get("Content-Type"), body, wantStatus, wantType, wantBody)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("%s: got %q after the answer", path, rest)
		}
	}
}

func TestMethods(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	for _, method := range []string{"GET", "HEAD", "PUT", "post", "M-POST", "OPTIONS", "<x>"} {
		c := dial(t, addr)
		c.send(method + " /RPC2 HTTP/1.1\r\n\r\n")
		answer := c.rest()
		if want := fmt.Sprintf("HTTP/1.0 501 Unsupported method ('%s')\r\n", method); !strings.HasPrefix(answer, want) {
			t.Errorf("%s: got %q, want it to begin with %q", method, answer, want)
		}
		if _, page, _ := strings.Cut(answer, "\r\n\r\n"); (page == "") != (method == "HEAD") {
			t.Errorf("%s: got the page %q", method, page)
		}
	}
}

// TestTooLarge checks that the answer does not wait for the body.
func TestTooLarge(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	for _, length := range []string{"16777217", "4294967296", "99999999999999999999999999"} {
		c := dial(t, addr)
		c.send("POST /RPC2 HTTP/1.1\r\nContent-Length: " + length + "\r\n\r\n")
		if resp, body := c.response(); resp.StatusCode != 413 || body != "" {
			t.Errorf("%s: got %s, %q, want 413", length, resp.Status, body)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("%s: got %q after the answer", length, rest)
		}
	}
}

// TestLargest sends a body of the greatest length allowed.
func TestLargest(t *testing.T) {
	h, _ := answering()
	c := dial(t, listen(t, h))
	c.send(post("/", "", strings.Repeat(" ", 16<<20)))
	if resp, body := c.response(); resp.StatusCode != 200 || !strings.Contains(body, "no element found: line 1, column 16777216") {
		t.Errorf("got %s, %.500q, want no element found", resp.Status, body)
	}
}

func TestLengths(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	for _, test := range []struct {
		headers, want string
	}{
		{"", "HTTP/1.0 500 "},
		{"Content-Length:\r\n", "HTTP/1.0 500 "},
		{"Content-Length: x\r\n", "HTTP/1.0 500 "},
		{"Content-Length: 0x10\r\n", "HTTP/1.0 500 "},
		{"Content-Length: 1.0\r\n", "HTTP/1.0 500 "},
		{"Content-Length: ٣\r\n", "HTTP/1.0 500 "},
		{"Content-Length: 0\r\n", "HTTP/1.0 200 "},
		{"content-LENGTH:\t +0 \r\n", "HTTP/1.0 200 "},
		{agent3 + "Content-Length: -1\r\n", "HTTP/1.0 500 "},
	} {
		c := dial(t, addr)
		c.send("POST / HTTP/1.1\r\n" + test.headers + "\r\n")
		if got := c.rest(); !strings.HasPrefix(got, test.want) {
			t.Errorf("%q: got %q, want it to begin with %q", test.headers, got, test.want)
		}
	}
}

// TestDialects checks that the User-Agent chooses the dialect.
func TestDialects(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	for headers, want := range map[string]string{
		"": "py2", agent2: "py2", agent3: "py3", "User-Agent: curl/8\r\n": "py2", "user-agent:Python-xmlrpc/\r\n": "py3",
	} {
		c := dial(t, addr)
		c.send(post("/", headers, calling("who", "")))
		if _, body := c.response(); body != reply("<value><string>"+want+"</string></value>\n") {
			t.Errorf("%q: got %q, want %s", headers, body, want)
		}
	}
}

// TestLargeAtATime checks that only two large requests are read at a time. A
// third one waits: if the server stops meanwhile, it gets no answer.
func TestLargeAtATime(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	text := strings.Repeat("x", 70_000)
	request := post("/", "", calling("echo", "<value>"+text+"</value>"))
	var first []*client
	for range 2 {
		c := dial(t, addr)
		c.send(request[:1000])
		first = append(first, c)
	}
	for deadline := time.Now().Add(patience); h.Large() < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the large requests are not being read")
		}
	}
	third := dial(t, addr)
	third.send(request)
	stopped, stop := context.WithCancel(context.Background())
	stop()
	for name, test := range map[string]struct {
		request string
		want    bool
	}{"large": {request, false}, "small": {post("/", "", echo), true}} {
		got := converse(t, stopped, h, []byte(test.request))
		if answered := bytes.HasPrefix(got, []byte("HTTP/1.0 200 ")); answered != test.want {
			t.Errorf("a %s request beside two large ones: got %.100q, want an answer: %v", name, got, test.want)
		}
	}
	for _, c := range append(first, third) {
		if c != third {
			c.send(request[1000:])
		}
		if resp, body := c.response(); resp.StatusCode != 200 || !strings.Contains(body, text) {
			t.Errorf("a large request: %s and %d bytes", resp.Status, len(body))
		}
	}
}
