package asyncrpc_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"prserver/prserv/asyncrpc"
	"prserver/xmlrpc/spool"
)

// echo answers a message with itself, or as the message wants it.
func echo(_ context.Context, s *asyncrpc.Session, message any) (any, error) {
	object, _ := message.(asyncrpc.Object)
	if words, ok := object.Get("refuse"); ok {
		return nil, errors.New(words.(string))
	}
	if words, ok := object.Get("words"); ok {
		return nil, &asyncrpc.InvokeError{Message: words.(string)}
	}
	if text, ok := object.Get("stream"); ok {
		return asyncrpc.Stream(func(w io.Writer) error {
			_, err := w.Write(asyncrpc.Append(nil, text))
			return err
		}), nil
	}
	if _, ok := object.Get("headers"); ok {
		return s.Headers, nil
	}
	return message, nil
}

// serve serves a listener until the test ends, and returns its address.
func serve(t testing.TB, cfg asyncrpc.HandlerConfig) string {
	t.Helper()
	cfg.Protocol, cfg.Version = "PRSERVICE", "1.0"
	if cfg.Serve == nil {
		cfg.Serve = echo
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.FirstTimeout == 0 {
		cfg.FirstTimeout = time.Minute
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = time.Minute
	}
	h := asyncrpc.NewHandler(cfg)
	return listen(t, func(conn net.Conn, r *bufio.Reader) {
		h.ServeConn(context.Background(), conn, r, spool.Unlimited{})
	})
}

// listen serves each connection of a listener until the test ends, and returns
// its address.
func listen(t testing.TB, serve func(net.Conn, *bufio.Reader)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn, bufio.NewReader(conn))
			}()
		}
	}()
	return ln.Addr().String()
}

// converse sends all of input and returns all that comes back.
func converse(t testing.TB, addr, input string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		io.WriteString(conn, input)
		conn.(*net.TCPConn).CloseWrite()
	}()
	out, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return string(out)
}

const hello = "PRSERVICE 1.0\nneeds-headers: false\n\n"

func TestConversations(t *testing.T) {
	addr := serve(t, asyncrpc.HandlerConfig{})
	for _, test := range []struct{ name, in, want string }{
		{"one", hello + `{"a":[1,2.5e3,"é"]}` + "\n", `{"a": [1, 2500.0, "\u00e9"]}` + "\n"},
		{"invoke-error", hello + "1\n" + `{"words":"No room"}` + "\n2\n", ""},
		{"long", hello + `{"stream":"x"}` + "\n", "\"x\"\n"},
		{"headers", hello + `{"headers":1}` + "\n", "1\n"},
		{"error", hello + `{}` + "\n" + `{"refuse":"x"}` + "\n{}\n", "{}\n"},
	} {
		if test.name == "invoke-error" {
			test.in = strings.ReplaceAll(test.in, "1\n{", "{}\n{")
			test.want = "{}\n" + `{"invoke-error": {"message": "No room"}}` + "\n"
		}
		if got := converse(t, addr, test.in); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// dial connects to a server until the test ends.
func dial(t testing.TB, addr string, maxAnswer int) *asyncrpc.Conn {
	t.Helper()
	conn, err := asyncrpc.Dial(t.Context(), addr, asyncrpc.Config{
		Protocol: "PRSERVICE", Version: "1.0", Timeout: time.Minute, MaxAnswer: maxAnswer,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestCall(t *testing.T) {
	addr := serve(t, asyncrpc.HandlerConfig{})
	conn := dial(t, addr, 1<<20)
	for _, text := range []string{"x", strings.Repeat("0123456 ", 10000), strings.Repeat(" ", 100000)} {
		for _, message := range []any{asyncrpc.Object{{"text", text}}, asyncrpc.Object{{"stream", text}}} {
			answer, err := conn.Call(t.Context(), message)
			if err != nil {
				t.Fatal(err)
			}
			if object, ok := answer.(asyncrpc.Object); ok {
				answer, _ = object.Get("text")
			}
			if answer != any(text) {
				t.Errorf("%d characters came back wrong", len(text))
			}
		}
	}
	_, err := conn.Call(t.Context(), asyncrpc.Object{{"words", "No"}})
	var words *asyncrpc.InvokeError
	if !errors.As(err, &words) || words.Message != "No" {
		t.Errorf("got %v", err)
	}
}
