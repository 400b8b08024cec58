package main

import (
	"log/slog"
	"net/http/httptest"
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
	for i := range int64(13) {
		r.Committed(store.Commit{Changes: []store.Change{{Key: store.Key{Version: "a[b]-1", Pkgarch: "all", Checksum: "\x1b"}, Value: i}}})
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(status.New(status.Config{History: file}))
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	said := output(t, "why", addr, "a[b]")
	lines := strings.Split(said, "\n")
	if len(lines) != 13 || lines[0] != "a[b]-1 of all is at 12." || lines[1] != "  3 events before these." ||
		!strings.HasSuffix(lines[2], `: somebody asked for the checksum \x1b, which had 2, and got 3.`) {
		t.Errorf("why says %q", said)
	}
	if n := strings.Count(output(t, "history", addr, "--since", "1h"), "\n"); n != 13 {
		t.Errorf("history has %d lines, want 13", n)
	}
	none := httptest.NewServer(status.New(status.Config{}))
	defer none.Close()
	err = readEvents(t.Context(), strings.TrimPrefix(none.URL, "http://"), history.Filter{}, nil)
	if err == nil || !strings.Contains(err.Error(), "it says: no history is kept; start the server with --history FILE") {
		t.Errorf("of a server without: %v", err)
	}
}

func TestSince(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.Local)
	for _, test := range []struct {
		text string
		want time.Time
	}{
		{"2d", now.AddDate(0, 0, -2)},
		{"90m", now.Add(-90 * time.Minute)},
		{"2026-11-01", time.Date(2026, 11, 1, 0, 0, 0, 0, time.Local)},
		{"2026-11-01T08:30", time.Date(2026, 11, 1, 8, 30, 0, 0, time.Local)},
		{"2026-11-01T08:30:00Z", time.Date(2026, 11, 1, 8, 30, 0, 0, time.UTC)},
	} {
		if got, err := parseSince(test.text, now); err != nil || !got.Equal(test.want) {
			t.Errorf("%s: %v, %v; want %v", test.text, got, err, test.want)
		}
	}
	for _, text := range []string{"-1d", "-5m", "d", "x", "2026"} {
		if got, err := parseSince(text, now); err == nil {
			t.Errorf("%s: %v, want an error", text, got)
		}
	}
}
