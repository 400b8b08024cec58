package status_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"prserver/compat"
	"prserver/prserv/access"
	"prserver/prserv/prservtest"
	"prserver/prserv/status"
)

// TestStatusAllow asks from an address that is in the list, and from one that is
// not, while others of that one are silent.
func TestStatusAllow(t *testing.T) {
	var log prservtest.Log
	st := status.New(status.Config{
		Ready: func() error { return nil }, Connections: func() (int, int, int) { return 0, 0, 0 },
		Allow: access.List{netip.MustParsePrefix("127.0.0.2/32")},
		Log:   slog.New(compat.NewLogHandler(&log, compat.LogText, slog.LevelInfo, false)),
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- st.Serve(ctx, ln) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	dial := func(from string) net.Conn {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		conn, err := d.DialContext(ctx, "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	get := func(from, path string) string {
		conn := dial(from)
		io.WriteString(conn, "GET "+path+" HTTP/1.0\r\n\r\n")
		answer, _ := io.ReadAll(conn) // one that is closed at once has none
		return string(answer)
	}
	if got := get("127.0.0.1", "/healthz"); !strings.HasPrefix(got, "HTTP/1.1 403 Forbidden\r\n") || !strings.HasSuffix(got, "\r\n\r\n127.0.0.1 is not in --status-allow\n") {
		t.Errorf("who is not in the list is answered %q", got)
	}
	// Four are told so at a time, within two seconds.
	refused, got := 1, "?"
	for tries := 0; got != "" && tries < 10; tries++ {
		for range 30 {
			dial("127.0.0.1")
		}
		got = get("127.0.0.1", "/healthz")
		refused += 31
	}
	if got != "" {
		t.Errorf("behind thirty others that are not in the list, one is answered %q", got)
	}
	if got := get("127.0.0.2", "/healthz"); !strings.HasPrefix(got, "HTTP/1.0 200 OK\r\n") {
		t.Errorf("who is in the list is answered %q", got)
	}
	metrics := bufio.NewScanner(strings.NewReader(get("127.0.0.2", "/metrics")))
	found := false
	for metrics.Scan() {
		found = found || metrics.Text() == fmt.Sprintf(`prserv_refused_total{reason="status-allow"} %d`, refused)
	}
	if !found {
		t.Errorf("/metrics does not count %d clients that were refused", refused)
	}
	if got, want := log.String(), "WARNING: the status refuses a client: it is not in --status-allow client=127.0.0.1\n"; got != want {
		t.Errorf("the log has %q, want %q", got, want)
	}
}
