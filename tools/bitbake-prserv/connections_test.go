package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prserver/tools/internal/scripttest"
)

// TestForkedClients runs eight Python processes that share one client object. If
// the server kept connections open, they would share one and read each other's
// answers.
func TestForkedClients(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		p := startProgram(t, filepath.Join(t.TempDir(), "prserv.sqlite3"))
		runPython(t, python, "forked.py", p.addr)
	})
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(scripttest.Patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// call returns a getPR request, with header as one more header line if it is not
// empty.
func call(version, protocol, header string) string {
	body := "<methodCall><methodName>getPR</methodName><params><param><value>" + version +
		"</value></param><param><value>all</value></param><param><value>c</value></param></params></methodCall>"
	if header != "" {
		header += "\r\n"
	}
	return fmt.Sprintf("POST /RPC2 %s\r\n%sContent-Length: %d\r\n\r\n%s", protocol, header, len(body), body)
}

func importKeys(t *testing.T, p *program, versions ...string) {
	t.Helper()
	for i, version := range versions {
		if _, err := ask(p.addr).ImportOne(t.Context(), version, "all", "c", int64(100+i)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestConnectionClose reads to the end of the connection, so that it fails if the
// server leaves the connection open.
func TestConnectionClose(t *testing.T) {
	p := startProgram(t, filepath.Join(t.TempDir(), "prserv.sqlite3"))
	importKeys(t, p, "one", "two")
	for _, test := range []struct{ protocol, header string }{
		{"HTTP/1.1", ""},
		{"HTTP/1.0", ""},
		{"HTTP/1.1", "Connection: close"},
		{"HTTP/1.1", "Connection: something"},
		{"HTTP/1.1", "Keep-Alive: timeout=5"},
	} {
		conn := dial(t, p.addr)
		io.WriteString(conn, call("one", test.protocol, test.header))
		reply, err := io.ReadAll(conn)
		if err != nil {
			t.Fatalf("%v: %v after %q", test, err, reply)
		}
		head, body, _ := strings.Cut(string(reply), "\r\n\r\n")
		if strings.Count(strings.ToLower(head), "\r\nconnection:") != 1 || !strings.Contains(head+"\r\n", "\r\nConnection: close\r\n") {
			t.Errorf("%v: got the head %q, want Connection: close", test, head)
		}
		if !strings.Contains(body, "<int>100</int>") {
			t.Errorf("%v: got the body %q, want 100", test, body)
		}
	}
}

// TestRefusedConnectionClose sends requests that are no calls. The server has to
// close the connection, even if the client asks to keep it.
func TestRefusedConnectionClose(t *testing.T) {
	p := startProgram(t, filepath.Join(t.TempDir(), "prserv.sqlite3"))
	for _, test := range []struct{ request, status string }{
		{"GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n", " 501 "},
		{"POST /other HTTP/1.1\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", " 404 "},
		{"POST / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n", " 500 "},
	} {
		conn := dial(t, p.addr)
		io.WriteString(conn, test.request)
		reply, err := io.ReadAll(conn)
		head, _, _ := strings.Cut(string(reply), "\r\n\r\n")
		if err != nil || !strings.Contains(head, test.status) || !strings.Contains(head+"\r\n", "\r\nConnection: close\r\n") {
			t.Errorf("%q: got %q, %v; want%sand Connection: close", test.request, reply, err, test.status)
		}
	}
}

// TestKeepAlive sends three requests on one connection, which have to be answered
// in order.
func TestKeepAlive(t *testing.T) {
	p := startProgram(t, filepath.Join(t.TempDir(), "prserv.sqlite3"))
	importKeys(t, p, "one", "two", "three")
	for _, keep := range []string{"Connection: keep-alive", "connection: Keep-Alive"} {
		for _, atOnce := range []bool{true, false} {
			conn := dial(t, p.addr)
			replies := bufio.NewReader(conn)
			calls := []string{call("one", "HTTP/1.1", keep), call("two", "HTTP/1.1", keep), call("three", "HTTP/1.1", "")}
			if atOnce {
				io.WriteString(conn, strings.Join(calls, ""))
			}
			for i, c := range calls {
				if !atOnce {
					io.WriteString(conn, c)
				}
				resp, err := http.ReadResponse(replies, nil)
				if err != nil {
					t.Fatalf("%s, reply %d: %v", keep, i+1, err)
				}
				body, err := io.ReadAll(resp.Body)
				if want := fmt.Sprintf("<int>%d</int>", 100+i); err != nil || !strings.Contains(string(body), want) {
					t.Errorf("%s, reply %d: got %q, %v; want %s", keep, i+1, body, err, want)
				}
				want := "keep-alive"
				if i == len(calls)-1 {
					want = "close"
				}
				if got := resp.Header.Get("Connection"); got != want {
					t.Errorf("%s, reply %d: got Connection: %s, want %s", keep, i+1, got, want)
				}
			}
			if rest, err := io.ReadAll(replies); err != nil || len(rest) > 0 {
				t.Errorf("%s: after the last reply got %q, %v", keep, rest, err)
			}
		}
	}
}
