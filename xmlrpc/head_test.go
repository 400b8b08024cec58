package xmlrpc_test

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"prserver/xmlrpc"
)

// TestHTTP09 sends requests of HTTP/0.9, whose answers have no head.
func TestHTTP09(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	for request, want := range map[string]string{
		"GET /\r\n\r\n":      "<p>Message: Unsupported method ('GET').",
		"GET /RPC2\n\n":      "<p>Message: Unsupported method ('GET').",
		"POST /\r\n\r\n":     "<p>Message: Bad HTTP/0.9 request type ('POST').",
		"POST\r\n\r\n":       "<p>Message: Bad request syntax ('POST').",
		"a b c d\r\n\r\n":    "<p>Message: Bad request syntax ('a b c d').",
		"GET / HTTP\r\n":     "<p>Message: Bad request version ('HTTP').",
		"GET / HTTP/x.y\r\n": "<p>Message: Bad request version ('HTTP/x.y').",
	} {
		c := dial(t, addr)
		c.send(request)
		c.CloseWrite()
		if got := c.rest(); strings.HasPrefix(got, "HTTP/") || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want only a page with %q", request, got, want)
		}
	}
	c := dial(t, addr)
	c.send("GET / HTTP/2.0\r\n\r\n")
	if got, want := c.rest(), "Invalid HTTP Version (2.0)"; !strings.Contains(got, want) {
		t.Errorf("HTTP/2.0: got %q, want %q in it", got, want)
	}
}

// TestGarbage sends other things than HTTP. At most an error page comes back,
// and the connection ends.
func TestGarbage(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	for _, garbage := range []string{
		"\x00", "\n", "\r\n\r\n", "   \r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "SSH-2.0-OpenSSH_9.2\r\n",
		"{\"method\": \"ping\"}\n", "PRSERVICE 1.0\n\n", echo, strings.Repeat("\xff", 70_000), strings.Repeat("\n", 1000),
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "POST / HTTP/1.1\r\n\x00\xff\r\n\r\n", "POST / HTTP/1.1\r\n: \r\n\r\n",
		"POST / HTTP/1.1\r\n \r\n \r\n\r\n", "POST / HTTP/99999999999999999999.9\r\n\r\n",
	} {
		c := dial(t, addr)
		c.send(garbage)
		c.CloseWrite()
		if got := c.rest(); strings.Contains(got, "goroutine") || strings.HasPrefix(got, "HTTP/1.0 200") {
			t.Errorf("%.40q: got %.400q", garbage, got)
		}
	}
}

// TestHeadLimits sends heads of the greatest length allowed, and longer ones.
func TestHeadLimits(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	lines := func(n int) string { return strings.Repeat("X-A: b\r\n", n) }
	long := func(n int) string { return "X-A: " + strings.Repeat("b", n-len("X-A: \r\n")) + "\r\n" }
	for _, test := range []struct{ name, request, want string }{
		{"request line of 65536 bytes", "POST /" + strings.Repeat("x", 65536-len("POST / HTTP/1.1\r\n")) + " HTTP/1.1\r\n\r\n", "HTTP/1.0 404 "},
		{"request line of 65537 bytes", "POST /" + strings.Repeat("x", 65537-len("POST / HTTP/1.1\r\n")) + " HTTP/1.1\r\n\r\n", "HTTP/1.0 414 "},
		{"request line without end", "POST /" + strings.Repeat("x", 100_000), "HTTP/1.0 414 "},
		{"99 headers", post("/", agent3+lines(97), echo), "HTTP/1.0 200 "},
		{"100 headers", post("/", agent3+lines(98), echo), "HTTP/1.0 431 Too many headers"},
		{"many headers of Python 2", post("/", agent2+lines(2000), echo), "HTTP/1.0 200 "},
		{"a header of 65536 bytes", post("/", agent3+long(65536), echo), "HTTP/1.0 200 "},
		{"a header of 65537 bytes", post("/", agent3+long(65537), echo), "HTTP/1.0 431 Line too long"},
		{"a long header of Python 2", post("/", agent2+long(500_000), echo), "HTTP/1.0 200 "},
		{"a head of 1 MiB", "POST / HTTP/1.1\r\n" + strings.Repeat(long(1000), 1100), "HTTP/1.0 431 "},
		{"a header of 1 MiB", "POST / HTTP/1.1\r\n" + long(1100<<10), "HTTP/1.0 431 "},
		{"a header without end", "POST / HTTP/1.1\r\nX-A: " + strings.Repeat("b", 2<<20), "HTTP/1.0 431 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, addr)
			sent := make(chan struct{})
			go func() { defer close(sent); c.Write([]byte(test.request)) }() // may be cut short
			if got := c.rest(); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %.300q, want %q", got, test.want)
			}
			c.Close()
			<-sent
		})
	}
}

// TestHeadCost sends heads of very many lines. A line may cost its share of
// memory and one look-up of the client's dialect.
func TestHeadCost(t *testing.T) {
	h, _ := answering()
	var looks atomic.Int64
	dialectFor := h.Dialect
	h.Dialect = func(userAgent string) *xmlrpc.Dialect {
		looks.Add(1)
		return dialectFor(userAgent)
	}
	addr := listen(t, h)
	const size = 512 << 10
	for _, line := range []string{"connectiom:\n", "connection:\n", "user-agent:\n", "accept-encoding: gzip,gzip\n", "connection: x\n a\n", " a\n"} {
		lines := size / len(line)
		c := dial(t, addr)
		looks.Store(0)
		before := allocated()
		c.send(post("/", "connection: x\n"+strings.Repeat(line, lines), echo))
		if got := c.rest(); !strings.HasPrefix(got, "HTTP/1.0 200 ") {
			t.Errorf("%q %d times: got %.100q, want an answer", line, lines, got)
		}
		if took := allocated() - before; took > 32*size {
			t.Errorf("%q %d times, %d bytes, took %d MiB of memory", line, lines, size, took>>20)
		}
		if got := looks.Load(); got > int64(lines)+10 {
			t.Errorf("%q %d times: the dialect was looked up %d times", line, lines, got)
		}
	}
}

// TestGzipCost limits the memory for a body of very many empty gzip members.
func TestGzipCost(t *testing.T) {
	h, _ := answering()
	c := dial(t, listen(t, h))
	const members = 10_000
	body := strings.Repeat(packed(t, ""), members)
	before := allocated()
	c.send(post("/", "Content-Encoding: gzip\r\n", body))
	c.rest()
	if took := allocated() - before; took > 32<<20 {
		t.Errorf("%d gzip members, %d bytes, took %d MiB of memory", members, len(body), took>>20)
	}
}

// allocated returns how many bytes the process has ever allocated.
func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}
