package xmlrpc_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"prserver/xmlrpc"
	"prserver/xmlrpc/spool"
)

var echo = calling("echo", "<value>x</value>")

// TestByteByByte sends a request one byte at a time.
func TestByteByByte(t *testing.T) {
	h, _ := answering()
	c := dial(t, listen(t, h))
	for _, b := range []byte(post("/RPC2", agent3, echo)) {
		c.send(string([]byte{b}))
	}
	if resp, body := c.response(); resp.StatusCode != 200 || body != reply("<value><string>x</string></value>\n") {
		t.Errorf("got %s, %q", resp.Status, body)
	}
}

// TestConnectionHeader checks which connections stay open: those whose client
// asks for it, until something goes wrong.
func TestConnectionHeader(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	for _, test := range []struct {
		name, request, want string
	}{
		{"nothing said", post("/", "", echo), "close"},
		{"nothing said by Python 2", post("/", agent2, echo), "close"},
		{"nothing said by Python 3", post("/", agent3, echo), "close"},
		{"close", post("/", "Connection: close\r\n", echo), "close"},
		{"keep-alive", post("/", "Connection: keep-alive\r\n", echo), "keep-alive"},
		{"in capitals", post("/", "CONNECTION: Keep-Alive\r\n", echo), "keep-alive"},
		{"HTTP/1.0", strings.Replace(post("/", "Connection: keep-alive\r\n", echo), "HTTP/1.1", "HTTP/1.0", 1), "keep-alive"},
		{"a list", post("/", "Connection: keep-alive, TE\r\n", echo), "close"},
		{"a fault", post("/", "Connection: keep-alive\r\n", calling("fail", "")), "keep-alive"},
		{"no XML", post("/", "Connection: keep-alive\r\n", "x"), "keep-alive"},
		{"a bad path", post("/x", "Connection: keep-alive\r\n", echo), "close"},
		{"no length", "POST / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n", "close"},
		{"a bad method", "GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n", "close"},
		{"no fault", post("/", "Connection: keep-alive\r\n", "<fault><struct><name>faultCode</name><i8>3000000000</i8>"+
			"<name>faultString</name><nil/></struct></fault>"), "close"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, addr)
			c.send(test.request)
			resp, _ := c.response()
			if got := strings.Join(resp.Header["Connection"], ", "); got != test.want {
				t.Errorf("got Connection: %s, want %s", got, test.want)
			}
			if test.want == "close" {
				if rest := c.rest(); rest != "" {
					t.Errorf("got %q after the answer", rest)
				}
				return
			}
			c.send(post("/", "", echo))
			if resp, _ := c.response(); resp.StatusCode != 200 {
				t.Errorf("got %s for the second request", resp.Status)
			}
		})
	}
}

// TestPipelined sends several requests before it reads the answers.
func TestPipelined(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	const keep = "Connection: keep-alive\r\n"
	say := func(text string) string { return calling("echo", "<value>"+text+"</value>") }
	c := dial(t, addr)
	c.send(post("/", keep, say("1")) + post("/RPC2", keep+agent3, say("2")) + post("/", keep, "x") + post("/", "", say("4")) + post("/", "", say("5")))
	for _, want := range []string{"<string>1<", "<string>2<", "syntax error", "<string>4<"} {
		if _, body := c.response(); !strings.Contains(body, want) {
			t.Errorf("got %q, want %s", body, want)
		}
	}
	if rest := c.rest(); rest != "" {
		t.Errorf("got %q after the last answer", rest)
	}

	// The body ends where its length says.
	c = dial(t, addr)
	c.send("POST / HTTP/1.1\r\n" + keep + "Content-Length: 1\r\n\r\nx" + "POST /x HTTP/1.1\r\n\r\n")
	if resp, _ := c.response(); resp.StatusCode != 200 {
		t.Errorf("got %s for the first request", resp.Status)
	}
	if resp, _ := c.response(); resp.StatusCode != 404 {
		t.Errorf("got %s for the second request", resp.Status)
	}
}

// TestHalfClosed serves clients that close their side and read on.
func TestHalfClosed(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	for _, test := range []struct {
		name, request, want string // a part of the answer
	}{
		{"after the request", post("/", "", echo), "<string>x</string>"},
		{"after one that would go on", post("/", "Connection: keep-alive\r\n", echo), "<string>x</string>"},
		{"in the body", "POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + echo, "<string>x</string>"},
		{"in a tag", "POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n<a", "unclosed token"},
		{"before the body", "POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", "no element found"},
		{"with a body of all there is", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n" + echo, "<string>x</string>"},
		{"in the head", "POST / HTTP/1.1\r\nContent-Length: 0\r\n", "no element found"},
		{"in a header", "POST / HTTP/1.1\r\nContent-Length: 0", "no element found"},
		{"in the request line", "POST / HTTP/1.1", "HTTP/1.0 500"},
		{"at once", "", ""},
		{"after an empty line", "\r\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, addr)
			c.send(test.request)
			c.CloseWrite()
			got := c.rest()
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
		})
	}
}

// phases is an account that remembers what it was told.
type phases struct {
	xmlrpc.Unlimited
	told chan spool.Phase
}

func (p phases) Enter(phase spool.Phase) { p.told <- phase }

// TestPhases checks what is told of a connection: that a request has arrived,
// that its answer is to be fetched, and that it is over.
func TestPhases(t *testing.T) {
	h, _ := answering()
	account := phases{told: make(chan spool.Phase, 10)}
	serve := h.Serve
	h.Serve = func(ctx context.Context, call *xmlrpc.Call) (any, error) {
		if len(account.told) != 1 {
			t.Errorf("told %d times before the method runs, want 1", len(account.told))
		}
		return serve(ctx, call)
	}
	ours, theirs := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		defer ours.Close()
		h.ServeConn(context.Background(), ours, bufio.NewReader(ours), account)
	}()
	io.WriteString(theirs, post("/", "Connection: keep-alive\r\n", echo))
	if _, err := http.ReadResponse(bufio.NewReader(theirs), nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []spool.Phase{spool.Working, spool.Sending, spool.Reading} {
		if got := <-account.told; got != want {
			t.Errorf("told phase %d, want %d", got, want)
		}
	}
	theirs.Close()
	if <-served; len(account.told) != 0 {
		t.Errorf("told %d times more for no request", len(account.told))
	}
}

// stalled is a connection on which deadlines pass when the test says so, not
// with time.
type stalled struct {
	net.Conn
	mu            sync.Mutex
	passed        bool // guarded by mu, as all below
	reads, writes int  // how many deadlines the handler has set
	tooLate       bool // one of them was more than a minute away
}

func (c *stalled) SetReadDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	return c.set(c.Conn.SetReadDeadline, at)
}

func (c *stalled) SetWriteDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	return c.set(c.Conn.SetWriteDeadline, at)
}

func (c *stalled) set(deadline func(time.Time) error, at time.Time) error {
	c.tooLate = c.tooLate || time.Until(at) > time.Minute
	if c.passed {
		return deadline(time.Unix(1, 0))
	}
	return nil
}

// pass lets the deadlines pass that the handler has set or will set.
func (c *stalled) pass() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed = true
	if c.reads > 0 {
		c.Conn.SetReadDeadline(time.Unix(1, 0))
	}
	if c.writes > 0 {
		c.Conn.SetWriteDeadline(time.Unix(1, 0))
	}
}

// TestSlowClients serves clients that stop in the middle or never fetch their
// answer. A pipe has no buffer: what nobody reads is not written.
func TestSlowClients(t *testing.T) {
	long := calling("long", "<int>1000000</int>")
	for _, test := range []struct {
		name          string
		act           func(conn net.Conn)
		reads, writes int // the deadlines expected
	}{
		{"says nothing", func(net.Conn) {}, 1, 0},
		{"stops in the request line", func(conn net.Conn) { io.WriteString(conn, "POST / HT") }, 1, 0},
		{"stops in the head", func(conn net.Conn) { io.WriteString(conn, "POST / HTTP/1.1\r\nContent-Len") }, 1, 0},
		{"stops in the body", func(conn net.Conn) { io.WriteString(conn, "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n<a") }, 1, 0},
		{"sends byte after byte", func(conn net.Conn) {
			for range 1000 {
				io.WriteString(conn, "x")
			}
		}, 1, 0},
		{"does not fetch its answer", func(conn net.Conn) { io.WriteString(conn, post("/", "", long)) }, 1, 1},
		{"fetches a part of its answer", func(conn net.Conn) {
			io.WriteString(conn, post("/", "", long))
			io.CopyN(io.Discard, conn, 300_000)
		}, 1, 3},
		{"says nothing after an answer", func(conn net.Conn) {
			io.WriteString(conn, post("/", "Connection: keep-alive\r\n", echo))
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("reading the answer: %v", err)
				return
			}
			io.Copy(io.Discard, resp.Body)
		}, 2, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, _ := answering()
			ours, theirs := net.Pipe()
			defer theirs.Close()
			theirs.SetDeadline(time.Now().Add(patience))
			conn := &stalled{Conn: ours}
			done := make(chan struct{})
			go func() { defer close(done); serveConn(context.Background(), h, conn) }()
			test.act(theirs)
			conn.pass()
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatal("the connection is still being served")
			}
			if conn.reads != test.reads || conn.writes != test.writes {
				t.Errorf("the handler set %d deadlines for reading and %d for writing, want %d and %d",
					conn.reads, conn.writes, test.reads, test.writes)
			}
			if conn.tooLate {
				t.Error("a deadline was more than a minute away")
			}
		})
	}
}
