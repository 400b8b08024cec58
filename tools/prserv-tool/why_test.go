package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
		io.WriteString(w, `{"events":[{"id":1,"time":"2026-11-28T12:00:00+01:00","version":"bash-5","value":"0"}]}`)
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
	file := filepath.Join(t.TempDir(), "history")
	r, err := history.Open(file, history.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	const many = 2*pageEvents + 1
	c := store.Commit{Changes: make([]store.Change, many)}
	for i := range c.Changes {
		c.Changes[i] = store.Change{Key: store.Key{Version: "bash-5"}, Value: int64(i)}
	}
	r.Committed(c)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var asked []string
	st := status.New(status.Config{History: file})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.FormValue("after"))
		st.ServeHTTP(w, r)
	}))
	defer server.Close()
	var said strings.Builder
	read := func() (ids []int64, err error) {
		err = newProgram(nil, io.Discard, &said).readEvents(t.Context(), strings.TrimPrefix(server.URL, "http://"), history.Filter{},
			func(e history.Event) error { ids = append(ids, e.ID); return nil })
		return ids, err
	}
	ids, err := read()
	if err != nil || len(ids) != many || ids[0] != 1 || ids[many-1] != many {
		t.Errorf("%d events, %v; want %d", len(ids), err, many)
	}
	if want := []string{"0", "5000", "10000"}; !slices.Equal(asked, want) {
		t.Errorf("asked for what comes after %q, want %q", asked, want)
	}
	if said.String() != "" {
		t.Errorf("said %q", said.String())
	}
	st = status.New(status.Config{History: file, HistoryState: func() history.State { return history.State{Trouble: errors.New("disk full")} }})
	if ids, err := read(); err != nil || len(ids) != many || !strings.HasSuffix(said.String(), ": the newest events are missing: disk full\n") {
		t.Errorf("of a history that is not written: %d events, %v, said %q", len(ids), err, said.String())
	}
	// One that takes no notice of where to go on would be asked for ever.
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"events":[{"id":1,"version":"bash-5"}],"more":true}`)
	})
	if ids, err := read(); len(ids) != 1 || err == nil || !strings.HasSuffix(err.Error(), "it does not tell page by page, as servers of this version do; name the file") {
		t.Errorf("%d events, %v", len(ids), err)
	}
}
