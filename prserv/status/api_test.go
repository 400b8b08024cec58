package status_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"prserver/prserv/access"
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
}

// TestNoHistory asks servers that keep no history, or cannot write it, on the page
// and by the API.
func TestNoHistory(t *testing.T) {
	trouble := errors.New("writing the history /past: disk full;\nfree some space there")
	for _, test := range []struct {
		cfg          status.Config
		code         int
		reason, page string
	}{
		{status.Config{}, 404, "no history is kept; start the server with --history FILE", "not kept"},
		{status.Config{ReadOnly: true}, 404, "a read-only server keeps no history; ask the server that writes the values", "not kept"},
		{status.Config{History: "/past", HistoryState: func() history.State { return history.State{Trouble: trouble, Dropped: 1234} }},
			500, "writing the history /past: disk full; free some space there", `stopped</span><small>writing the history /past: disk full; free some space there</small><small>1,234 events missing<`},
		{status.Config{History: "/past", HistoryState: func() history.State { return history.State{} }}, 500, "", "<dd>kept<"},
	} {
		cfg := test.cfg
		cfg.Ready, cfg.Connections = func() error { return nil }, func() (int, int, int) { return 0, 0, 0 }
		st := status.New(cfg)
		code, said := ask(t, st, "GET", "/api/v1/history")
		if code != test.code || code == 404 && said != test.reason+"\n" {
			t.Errorf("%q: /api/v1/history: %d %s, want %d", test.reason, code, said, test.code)
		}
		_, body := ask(t, st, "GET", "/api/v1/status")
		var state struct {
			HistoryReason *string `json:"history_reason"`
		}
		if err := json.Unmarshal([]byte(body), &state); err != nil || state.HistoryReason == nil || *state.HistoryReason != test.reason {
			t.Errorf("%q: /api/v1/status: %s, %v", test.reason, body, err)
		}
		_, page := ask(t, st, "GET", "/")
		want(t, test.reason, page, test.page, test.reason)
	}
}

// TestTimes wants every time in JSON in UTC, whatever the zone of the server.
func TestTimes(t *testing.T) {
	p := servePages(t, true)
	if _, err := p.Client().GetPR(t.Context(), "make-4-r0", "all", "a"); err != nil {
		t.Fatal(err)
	}
	p.log.Warn("a warning")
	p.log.Error("an error")
	if err := p.past.Close(); err != nil { // it has written all
		t.Fatal(err)
	}
	of := regexp.MustCompile(`"(?:time|since|begun)":"([^"]*)"`)
	for path, least := range map[string]int{"status": 2, "values": 1, "troubles": 2, "history": 1, "package/make": 1} {
		found := of.FindAllStringSubmatch(p.page(t, "/api/v1/"+path, 200), -1)
		if len(found) < least {
			t.Errorf("%s has %d times, want %d", path, len(found), least)
		}
		for _, at := range found {
			if !regexp.MustCompile(`^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$`).MatchString(at[1]) {
				t.Errorf("%s has the time %s", path, at[1])
			}
		}
	}
}

// TestRefusedIsNoValue looks for a refused call among the values of its package.
func TestRefusedIsNoValue(t *testing.T) {
	p := servePages(t, true)
	if _, err := p.Client().GetPR(t.Context(), "make-4-r0", "all", "a"); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"make-4-r0", "never-1-r0"} {
		r := store.Refusal{Asker: store.Asker{Generation: 1, Method: "importone"}, Key: store.Key{Version: version, Pkgarch: "all", Checksum: "b"},
			Reason: access.ByAllowImport, First: true}
		p.status.Refused(r)
		p.past.Refused(r)
	}
	if err := p.past.Close(); err != nil { // it has written all
		t.Fatal(err)
	}
	want(t, "values", p.page(t, "/api/v1/values", 200), `"version":"make-4-r0"`, "!refused")
	want(t, "package", p.page(t, "/api/v1/package/make", 200), `"total":1`, "!refused")
	want(t, "page", p.page(t, "/package/make", 200), "1 row, ", "!refused")
	want(t, "first page", p.page(t, "/", 200), "make-4-r0", "!refused")
	want(t, "none", p.page(t, "/package/never", 404), "No value is stored", "!refused")
	want(t, "history", p.page(t, "/api/v1/history", 200), `"value":"refused: allow-import"`)
}

// TestLongTexts looks for a value whose texts are too long to be remembered whole.
func TestLongTexts(t *testing.T) {
	p := servePages(t, true)
	long := strings.Repeat("é", 3000)
	if _, err := p.Client().GetPR(t.Context(), "make-4-r0", long, long); err != nil {
		t.Fatal(err)
	}
	want(t, "memory", p.page(t, "/api/v1/package/make", 200), `"total":1`, `"stored":true`, `"method":"getPR"`)
	if err := p.past.Close(); err != nil { // it has written all
		t.Fatal(err)
	}
	again := status.New(status.Config{Values: p.DB, History: p.past.File()}) // has nothing in memory
	_, body := ask(t, again, "GET", "/api/v1/package/make")
	want(t, "history", body, `"total":1`, `"stored":true`, `"method":"getPR"`)
	if events := p.page(t, "/api/v1/history", 200); len(events) > 5<<10 {
		t.Errorf("the history has %d bytes of it", len(events))
	}
}
