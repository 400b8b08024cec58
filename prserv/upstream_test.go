package prserv_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"prserver/prserv"
	"prserver/prserv/client"
	"prserver/prserv/prservtest"
)

// serveBelow serves a new file with an upstream server.
func serveBelow(t *testing.T, upstream string) string {
	t.Helper()
	u := client.NewUpstream(upstream)
	t.Cleanup(u.Close)
	addr, _ := serveConfig(t, prserv.Config{Upstream: u})
	return addr
}

// newest asks as BitBake 2.10 does, and returns the value or the whole answer.
func newest(t *testing.T, addr, checksum string) string {
	t.Helper()
	answer := strings.Join(say(t, addr, hello2b, message("get-pr", `"`+checksum+`"`, `, "history": false`)), "")
	value, ok := strings.CutPrefix(answer, `{"value": "`)
	if !ok {
		return answer
	}
	return strings.TrimSuffix(value, `"}`)
}

// TestUpstreams has three servers in a row, and clients of all generations at
// each.
func TestUpstreams(t *testing.T) {
	top, _ := serveConfig(t, prserv.Config{})
	middle := serveBelow(t, top)
	bottom := serveBelow(t, middle)
	for i, test := range []struct{ addr, checksum, want string }{
		{top, "a", "0"},
		{middle, "a", "0"},
		{bottom, "a", "0"},
		{middle, "b", "0.0"},
		{middle, "c", "0.1"},
		{middle, "b", "0.2"},
		{bottom, "d", "0.2.0"},
		{bottom, "e", "0.2.1"},
		{bottom, "d", "0.2.2"},
		{top, "f", "1"},
		{middle, "g", "1.0"},
		{bottom, "h", "1.0.0"},
		{top, "a", "2"},
		{middle, "a", "2"},
		{bottom, "a", "2"},
		{middle, "g", "3"},
		{middle, "x", "4"}, // the upstream is behind
	} {
		if got := newest(t, test.addr, test.checksum); got != test.want {
			t.Errorf("%d: %s gets %s, want %s", i, test.checksum, got, test.want)
		}
	}
	for i, test := range []struct {
		addr, checksum string
		want           int64
	}{
		{bottom, "old", 5}, // the next whole number behind the middle's 4
		{bottom, "old", 5},
		{top, "old", 3},
		{middle, "old", 5}, // 3 would be below its own 4
	} {
		if got, err := client.New(test.addr, client.Timeout).GetPR(t.Context(), "v", "all", test.checksum); err != nil || got != test.want {
			t.Errorf("%d: BitBake 1.50 gets %d, %v for %s; want %d", i, got, err, test.checksum, test.want)
		}
	}
	prservtest.Together(8, func(int) {
		if got := newest(t, bottom, "together"); got != "6" && got != "5.0" {
			t.Errorf("together: %s", got)
		}
	})
}

// TestUpstreamTrouble stores nothing while the upstream server fails, and needs
// no restart when it is well again.
func TestUpstreamTrouble(t *testing.T) {
	top, _ := serveConfig(t, prserv.Config{})
	if got := newest(t, top, "x"); got != "0" {
		t.Fatal(got)
	}
	var nonsense atomic.Pointer[string]
	var connections atomic.Int32
	addr := proxy(t, top, &nonsense, &connections)
	below := serveBelow(t, addr)
	for _, text := range []string{"", "garbage\n", "[]\n", `{"value": "abc"}` + "\n", `{"value": []}` + "\n", `{"invoke-error": {"message": "no"}}` + "\n"} {
		nonsense.Store(&text)
		if got := newest(t, below, "a"); !strings.HasPrefix(got, `{"invoke-error": {"message": "get-pr: the upstream PR server: `) {
			t.Errorf("an upstream server that says %q: got %s", text, got)
		}
		if got, err := client.New(below, client.Timeout).GetPR(t.Context(), "v", "all", "a"); err == nil || !strings.Contains(err.Error(), "upstream PR server") {
			t.Errorf("an upstream server that says %q: BitBake 1.50 gets %d, %v", text, got, err)
		}
	}
	nonsense.Store(nil)
	connections.Store(0)
	var clients sync.WaitGroup
	for i := range 40 {
		clients.Add(1)
		go func() {
			defer clients.Done()
			if got := newest(t, below, fmt.Sprint(i)); !strings.HasPrefix(got, "0.") {
				t.Errorf("afterwards: got %s", got)
			}
		}()
	}
	clients.Wait()
	if n := connections.Load(); n > 4 {
		t.Errorf("%d connections to the upstream server, want 4 at most", n)
	}
}

// proxy passes connections on to a server, but answers with nonsense, if there is
// some, and closes.
func proxy(t *testing.T, to string, nonsense *atomic.Pointer[string], connections *atomic.Int32) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() { ln.Close(); running.Wait() })
	running.Add(1)
	go func() {
		defer running.Done()
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			running.Add(1)
			go func() {
				defer running.Done()
				defer conn.Close()
				if text := nonsense.Load(); text != nil {
					r := bufio.NewReader(conn)
					for line := ""; !strings.HasPrefix(line, "{"); {
						if line, err = r.ReadString('\n'); err != nil {
							return
						}
					}
					io.WriteString(conn, *text)
					return
				}
				server, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer server.Close()
				running.Add(1)
				go func() { defer running.Done(); io.Copy(server, conn); server.Close() }()
				io.Copy(conn, server)
			}()
		}
	}()
	return ln.Addr().String()
}
