package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/status"
	"prserver/prserv/store"
)

// TestWhyOfServer asks the status of a server, of which more events are told
// than there is room for.
func TestWhyOfServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	r, err := history.Open(file, history.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var before store.Value
	for i := range int64(13) {
		r.Committed(store.Commit{Changes: []store.Change{{Key: store.Key{Version: "a[b]-1", Pkgarch: "all", Checksum: "\x1b"}, Value: i, Before: before}}})
		before = i
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(status.New(status.Config{History: file}))
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	said := output(t, "why", addr, "a[b]")
	lines := strings.Split(said, "\n")
	if len(lines) != 13 || !strings.HasPrefix(lines[0], `a[b]-1 of all is at 12: somebody got it for the checksum \x1b on `) ||
		lines[1] != "  (3 events left out)" ||
		!strings.HasSuffix(lines[2], `: somebody asked for the checksum \x1b, which had 2 before, and got 3.`) {
		t.Errorf("why says %q", said)
	}
	if n := strings.Count(output(t, "history", addr, "--since", "1h"), "\n"); n != 13 {
		t.Errorf("history has %d lines, want 13", n)
	}
	none := httptest.NewServer(status.New(status.Config{}))
	defer none.Close()
	err = newProgram(nil, io.Discard, io.Discard).readEvents(t.Context(), strings.TrimPrefix(none.URL, "http://"), history.Filter{}, nil)
	if err == nil || !strings.Contains(err.Error(), "it says: no history is kept; start the server with --history FILE") {
		t.Errorf("of a server without: %v", err)
	}
}

// TestWhyWithoutProxy asks the status of a server though a proxy is set, at an
// address that a proxy would be asked for.
func TestWhyWithoutProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the proxy was asked for %s", r.URL) }))
	defer proxy.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"events":[{"time":"2026-11-28T12:00:00+01:00","version":"bash-5","value":"0"}]}`)
	}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	cmd := exec.Command("prserv-tool", "history", "0.0.0.0:"+port, "--json") // variables are read once a process
	cmd.Env = append(os.Environ(), "http_proxy="+proxy.URL, "HTTP_PROXY="+proxy.URL, "no_proxy=", "NO_PROXY=")
	if said, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(said), `"time":"2026-11-28T11:00:00Z"`) {
		t.Errorf("history says %q, %v", said, err)
	}
}

// TestManyEvents asks the status of a server for more events than it tells at once.
func TestManyEvents(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"events":[`+strings.TrimSuffix(strings.Repeat(`{"version":"bash-5"},`, mostEvents), ",")+`]}`)
	}))
	defer server.Close()
	var said strings.Builder
	events := 0
	err := newProgram(nil, io.Discard, &said).readEvents(t.Context(), strings.TrimPrefix(server.URL, "http://"), history.Filter{},
		func(history.Event) error { events++; return nil })
	if want := " tells the last 10000 events only; name the file of the history for older ones\n"; err != nil || events != mostEvents || !strings.HasSuffix(said.String(), want) {
		t.Errorf("%d events, %v, and %q; want %q", events, err, said.String(), want)
	}
}

func TestSince(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.Local)
	for _, test := range []struct {
		text string
		want time.Time
	}{
		{"2d", now.AddDate(0, 0, -2)},
		{"2w", now.AddDate(0, 0, -14)},
		{"90m", now.Add(-90 * time.Minute)},
		{"2026-11-01", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
		{"2026-11-01T08:30", time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC)},
		{"2026-11-01 08:30:00", time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC)},
		{"2026-11-01 08:30:00Z", time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC)},
		{"2026-11-01T08:30:00.250Z", time.Date(2026, 11, 1, 8, 30, 0, 250e6, time.UTC)},
		{"2026-11-01T08:30:00+01:00", time.Date(2026, 11, 1, 7, 30, 0, 0, time.UTC)},
		{"2026-11-01T08:30:00Z", time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC)},
	} {
		if got, err := parseSince(test.text, now); err != nil || !got.Equal(test.want) {
			t.Errorf("%s: %v, %v; want %v", test.text, got, err, test.want)
		}
	}
	for _, text := range []string{"-1d", "-1w", "-5m", "d", "x", "2026"} {
		if got, err := parseSince(text, now); err == nil {
			t.Errorf("%s: %v, want an error", text, got)
		}
	}
}
