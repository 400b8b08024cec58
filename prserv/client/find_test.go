package client_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/client"
	"prserver/prserv/prservtest"
)

// TestFind finds out what servers of each kind speak, and gets a value of each.
func TestFind(t *testing.T) {
	python150 := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.Write([]byte(response("<boolean>1</boolean>")))
	}
	noJSON := func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(response("<boolean>1</boolean>"))) }
	serveHTTP := func(h http.HandlerFunc) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	for about, test := range map[string]struct {
		addr            string
		xml, json, keep bool
		revisions       bool
	}{
		"ours":                   {prservtest.Serve(t, prservtest.NewFile(t)).Addr, true, true, true, true},
		"BitBake 1.50":           {serveHTTP(python150), true, false, false, false},
		"BitBake 2.8":            {prservtest.ServeAsPython(t, prservtest.NewFile(t), false), false, true, false, false},
		"BitBake 2.10":           {prservtest.ServeAsPython(t, prservtest.NewFile(t), true), false, true, false, true},
		"an HTTP server between": {serveHTTP(noJSON), true, false, true, false},
	} {
		s, err := client.Find(t.Context(), test.addr, client.Timeout)
		if err != nil {
			t.Errorf("%s: %v", about, err)
			continue
		}
		if s.XMLRPC != nil != test.xml || s.JSON != nil != test.json || s.Keeps != test.keep || s.Trouble != nil {
			t.Errorf("%s: got %+v", about, s)
		}
		if s.JSON != nil {
			if revisions, err := s.JSON.HasRevisions(t.Context()); err != nil || revisions != test.revisions {
				t.Errorf("%s: revisions %v, %v; want %v", about, revisions, err, test.revisions)
			}
			for i, checksum := range []string{"a", "b", "a"} {
				if v, err := s.GetPR(t.Context(), "v", "all", checksum); err != nil || v[0] != int64(i) || len(v) != 1 {
					t.Errorf("%s: got %v, %v; want %d", about, v, err, i)
				}
			}
		}
		s.Close()
	}
}

// TestFindTrouble finds a server of ours whose file has been removed: it answers
// with words, on both wires.
func TestFindTrouble(t *testing.T) {
	file := prservtest.NewFile(t)
	addr := prservtest.Serve(t, file).Addr
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	s, err := client.Find(t.Context(), addr, client.Timeout)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var fault *client.FaultError
	if s.XMLRPC == nil || s.JSON == nil || !errors.As(s.Trouble, &fault) {
		t.Fatalf("got %+v", s)
	}
	var words *asyncrpc.InvokeError
	if err := s.JSON.Ping(t.Context()); !errors.As(err, &words) || !strings.Contains(words.Message, "has been removed") {
		t.Errorf("over JSON lines: %v", err)
	}
}

// TestFindNot has errors of one line where no PR server answers.
func TestFindNot(t *testing.T) {
	for about, test := range map[string]struct{ addr, want string }{
		"it closes": {listenRaw(t, func(conn net.Conn) { conn.Read(make([]byte, 1)); conn.(*net.TCPConn).SetLinger(0) }),
			": ping: connection reset by peer; is it a PR server?"},
		"another protocol": {listenRaw(t, func(conn net.Conn) { conn.Write([]byte("220 mail.example ESMTP\r\n")) }), "; is it a PR server?"},
		"nobody":           {"127.0.0.1:1", "connecting to 127.0.0.1:1: connection refused; is the server running, and on that port?"},
	} {
		s, err := client.Find(t.Context(), test.addr, client.Timeout)
		if s != nil || err == nil || !strings.HasSuffix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, %v; want %s", about, s, err, test.want)
		}
	}
}
