package status_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"prserver/prserv/access"
	"prserver/prserv/history"
	"prserver/prserv/prservtest"
	"prserver/prserv/status"
	"prserver/prserv/store"
)

// TestAPI asks for the state of a server that keeps a history.
func TestAPI(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	r, err := history.Open(file, history.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r.Committed(store.Commit{Changes: []store.Change{{Key: store.Key{Version: "make-4"}, Value: int64(0)}}})
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
}

// TestHistoryAPI asks for parts of a history of ten events, two of each version from
// a to e.
func TestHistoryAPI(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	r, err := history.Open(file, history.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i := range int64(10) {
		r.Committed(store.Commit{Changes: []store.Change{{Key: store.Key{Version: string(rune('a' + i/2))}, Value: i}}})
	}
	prservtest.WaitFor(t, "the events", func() bool { return r.State().Written == 10 })
	st := status.New(status.Config{History: file})
	for _, test := range []struct {
		query string
		want  []int64 // IDs
		more  bool
	}{
		{"", []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, false},
		{"?limit=10", []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, false},
		{"?limit=2", []int64{9, 10}, true},
		{"?limit=2&before=9", []int64{7, 8}, true},
		{"?limit=2&before=3", []int64{1, 2}, false},
		{"?before=1", []int64{}, false},
		{"?limit=2&after=0", []int64{1, 2}, true},
		{"?limit=2&after=7", []int64{8, 9}, true},
		{"?limit=2&after=8", []int64{9, 10}, false},
		{"?after=10", []int64{}, false},
		{"?version=[bd]", []int64{3, 4, 7, 8}, false},
		{"?version=[bd]&limit=3", []int64{4, 7, 8}, true},
		{"?version=[bd]&limit=3&before=4", []int64{3}, false},
		{"?version=[bd]&limit=3&after=3", []int64{4, 7, 8}, false},
		{"?version=none", []int64{}, false},
		{"?since=2100-01-01T00:00:00Z", []int64{}, false},
		{"?since=2h", []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, false},
		{"?since=2026-01-01&after=9", []int64{10}, false},
	} {
		got := eventsPage(t, st, test.query)
		ids := []int64{}
		for _, e := range got.Events {
			ids = append(ids, e.ID)
		}
		if !slices.Equal(ids, test.want) || got.More != test.more {
			t.Errorf("%s: %d, more is %v; want %d, %v", test.query, ids, got.More, test.want, test.more)
		}
	}
	for query, want := range map[string]string{
		"?since=yesterday":    "since is no time; write it like 2026-11-28, 2026-11-28T08:30:00Z or 7d",
		"?since=":             "since is no time; write it like 2026-11-28, 2026-11-28T08:30:00Z or 7d",
		"?limit=0":            "limit is no number from 1 to 5000",
		"?limit=5001":         "limit is no number from 1 to 5000",
		"?limit=x":            "limit is no number from 1 to 5000",
		"?after=-1":           "after is no ID of an event, or 0",
		"?before=0":           "before is no ID of an event",
		"?before=x":           "before is no ID of an event",
		"?after=1&before=9":   "after and before do not go together",
		"?limit=1&limit=2":    "limit is there twice",
		"?last=10":            "there is no parameter last; there are version, since, limit, after and before",
		"?%1b%0a=%22&limit=1": `there is no parameter \x1b\n; there are version, since, limit, after and before`,
		"?version=%zz":        `invalid URL escape "%zz"`,
	} {
		if code, said := ask(t, st, "GET", "/api/v1/history"+query); code != 400 || said != want+"\n" {
			t.Errorf("%s: %d %q, want %q", query, code, said, want)
		}
	}
	if code, said := ask(t, st, "GET", "/api/v1/history?after=11"); code != 410 || !strings.HasPrefix(said, "the history has no such ID yet: it has begun anew; ") {
		t.Errorf("an ID beyond the last one: %d %q", code, said)
	}
}

// TestStoppedHistory asks for what a history has that cannot be written any more.
func TestStoppedHistory(t *testing.T) {
	p := servePages(t, true)
	if err := p.past.Close(); err != nil { // so that the file is there
		t.Fatal(err)
	}
	st := status.New(status.Config{History: p.past.File(), HistoryState: func() history.State { return history.State{Trouble: errors.New("disk full")} }})
	if _, body := ask(t, st, "GET", "/api/v1/history"); body != `{"events":[],"more":false,"reason":"disk full"}`+"\n" {
		t.Errorf("got %s", body)
	}
}

// TestHistoryOfLongTexts asks for more text than is told at once.
func TestHistoryOfLongTexts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	r, err := history.Open(file, history.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c := store.Commit{Changes: make([]store.Change, 500)}
	for i := range c.Changes {
		c.Changes[i] = store.Change{Key: store.Key{Version: strings.Repeat("v", history.MaxVersion)}, Value: int64(i)}
	}
	r.Committed(c)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	st := status.New(status.Config{History: file})
	events, pages := 0, 0
	for last := int64(0); ; pages++ {
		page := eventsPage(t, st, fmt.Sprintf("?after=%d", last))
		events += len(page.Events)
		if !page.More {
			break
		}
		if n := len(page.Events); n < 100 || n > 150 {
			t.Fatalf("a page has %d events", n)
		}
		last = page.Events[len(page.Events)-1].ID
	}
	if events != 500 || pages != 3 {
		t.Errorf("%d events on %d pages and a last one", events, pages)
	}
}

// eventsPage returns what the API tells of a history.
func eventsPage(t *testing.T, st *status.Status, query string) (page struct {
	Events []history.Event
	More   bool
}) {
	t.Helper()
	code, body := ask(t, st, "GET", "/api/v1/history"+query)
	if err := json.Unmarshal([]byte(body), &page); err != nil || code != 200 {
		t.Fatalf("%s: %d %s: %v", query, code, body, err)
	}
	return page
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
