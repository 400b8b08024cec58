package xmlrpc_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"prserver/xmlrpc"
)

// FuzzRequest sends anything to a connection. The handler must not panic, must
// answer every call with as many bytes as it announces, and must close the
// connection.
func FuzzRequest(f *testing.F) {
	for _, request := range recorded(f) {
		f.Add(request)
	}
	for _, call := range []string{echo, calling("long", "<int>3000</int>"), calling("fail", ""), calling("who", ""), "x", ""} {
		f.Add([]byte(post("/RPC2", agent3, call)))
		f.Add([]byte(post("/", "Connection: keep-alive\r\nAccept-Encoding: gzip\r\n", call) + post("/", agent2, call)))
		f.Add([]byte(post("/", "Content-Encoding: gzip\r\n", packed(f, call))))
	}
	for _, garbage := range []string{"", "\n", "GET /\r\n\r\n", "POST / HTTP/1.1\r\nx\r\n\r\n", "POST / HTTP/1.1\r\nConnection: a\r\n b\r\n\r\n"} {
		f.Add([]byte(garbage))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		h, _ := answering()
		serve, served := h.Serve, 0
		h.Serve = func(ctx context.Context, call *xmlrpc.Call) (any, error) {
			served++
			if call.Method == "echo" && len(call.Params) == 0 || call.Method == "long" {
				return nil, nil
			}
			return serve(ctx, call)
		}
		got := converse(t, context.Background(), h, request)
		checkAnswers(t, got, served)
	})
}

// converse sends request to h and returns all that comes back.
func converse(t *testing.T, ctx context.Context, h *xmlrpc.Handler, request []byte) []byte {
	t.Helper()
	requestOut, requestIn := net.Pipe()
	replyOut, replyIn := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		serveConn(ctx, h, twoPipes{replyIn, requestOut})
	}()
	go func() {
		requestIn.Write(request) // fails if the handler stops reading
		requestIn.Close()
	}()
	replyOut.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(replyOut)
	if err != nil {
		t.Fatalf("reading what the handler answers: %v", err)
	}
	<-done
	return got
}

// twoPipes is a connection of which the client closes its side only, which a
// single pipe cannot do.
type twoPipes struct {
	net.Conn          // where answers go
	requests net.Conn // where requests come from
}

func (c twoPipes) Read(p []byte) (int, error)         { return c.requests.Read(p) }
func (c twoPipes) SetReadDeadline(at time.Time) error { return c.requests.SetReadDeadline(at) }

func (c twoPipes) Close() error {
	c.requests.Close()
	return c.Conn.Close()
}

func checkAnswers(t *testing.T, got []byte, served int) {
	t.Helper()
	r := bufio.NewReader(bytes.NewReader(got))
	const headReason = "HTTP/1.0 501 Unsupported method ('HEAD')"
	answers := 0
	for {
		start, err := r.Peek(len("HTTP/1.0 "))
		if err == io.EOF && len(start) == 0 {
			break
		}
		if string(start) != "HTTP/1.0 " {
			return // the answer to a request of HTTP/0.9 is the page alone
		}
		asked := &http.Request{Method: "POST"}
		if reason, _ := r.Peek(len(headReason)); string(reason) == headReason {
			asked.Method = "HEAD" // the answer has no body
		}
		resp, err := http.ReadResponse(r, asked)
		if err != nil {
			t.Fatalf("an answer that is not HTTP: %v: %.300q", err, got)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatalf("an answer that is shorter than announced: %v: %.300q", err, got)
		}
		answers++
		if resp.StatusCode == 200 {
			if !bytes.HasPrefix(body, []byte("<?xml version='1.0'?>\n<methodResponse>\n")) && resp.Header.Get("Content-Encoding") != "gzip" {
				t.Fatalf("a reply that is not XML-RPC: %.300q", body)
			}
		}
		if resp.Header.Get("Connection") != "keep-alive" {
			if rest, _ := io.ReadAll(r); len(rest) > 0 {
				t.Fatalf("something after the last answer: %.300q", rest)
			}
			break
		}
	}
	if served > answers {
		t.Errorf("%d calls, %d answers", served, answers)
	}
}
