package status_test

import (
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/status"
	"prserver/prserv/store"
)

// TestAPI asks for the state, and for events of a history.
func TestAPI(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	r, err := history.Open(file, history.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	hostile := "<script>\"'&-1"
	r.Committed(store.Commit{Changes: []store.Change{
		{Key: store.Key{Version: "make-4"}, Value: int64(0)}, {Key: store.Key{Version: hostile}, Value: int64(1), Before: int64(0)},
	}})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	st := status.New(status.Config{
		File: file, History: file, Ready: func() error { return nil },
		Connections: func() (int, int, int) { return 1, 2, 3 },
	})
	var state struct {
		Since          time.Time
		Ready, History bool
		Bytes          int64
		Connections    struct{ XMLRPC, JSONLines, Silent int }
	}
	code, body := ask(t, st, "GET", "/api/v1/status")
	if err := json.Unmarshal([]byte(body), &state); err != nil || code != 200 {
		t.Fatalf("%d %s: %v", code, body, err)
	}
	if !state.Ready || !state.History || state.Bytes == 0 || state.Connections.JSONLines != 2 || time.Since(state.Since) > time.Hour {
		t.Errorf("got %+v of %s", state, body)
	}
	for _, test := range []struct {
		query string
		code  int
		want  []string // versions
	}{
		{"", 200, []string{"make-4", hostile}},
		{"?last=1", 200, []string{hostile}},
		{"?version=make-*", 200, []string{"make-4"}},
		{"?version=none", 200, nil},
		{"?since=2100-01-01T00:00:00Z", 200, nil},
		{"?since=yesterday", 400, nil},
		{"?last=0", 400, nil},
		{"?last=10001", 400, nil},
	} {
		code, body := ask(t, st, "GET", "/api/v1/history"+test.query)
		if code != test.code {
			t.Errorf("%s: %d %s, want %d", test.query, code, body, test.code)
		}
		if code != 200 {
			continue
		}
		var got struct{ Events []history.Event }
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Events) != len(test.want) {
			t.Errorf("%s: %s, %v; want %q", test.query, body, err, test.want)
			continue
		}
		for i, e := range got.Events {
			if e.Version != test.want[i] {
				t.Errorf("%s: event %d is of %q, want %q", test.query, i, e.Version, test.want[i])
			}
		}
	}
	if code, _ := ask(t, status.New(status.Config{}), "GET", "/api/v1/history"); code != 404 {
		t.Errorf("without a history: %d, want 404", code)
	}
}
