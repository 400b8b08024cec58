package status_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"prserver/prserv"
	"prserver/prserv/prservtest"
	"prserver/prserv/status"
	"prserver/prserv/store"
)

// serve serves a new file with a status.
func serve(t testing.TB) (*prservtest.Server, *status.Status) {
	t.Helper()
	file := prservtest.NewFile(t)
	var s *prservtest.Server
	st := status.New(status.Config{
		File:        file,
		Ready:       func() error { return s.DB.Ready() },
		Connections: func() (int, int, int) { return s.Connections() },
		Log:         slog.New(slog.DiscardHandler),
	})
	s = prservtest.ServeConfig(t, file, prserv.Config{Observer: st, Askers: true})
	s.DB.Observe(st)
	return s, st
}

func ask(t *testing.T, st http.Handler, method, path string) (code int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	st.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") {
		t.Errorf("%s %s: Content-Security-Policy %q", method, path, got)
	}
	return w.Code, w.Body.String()
}

func TestHealth(t *testing.T) {
	broken := errors.New("the disk is full:\r\nmake\x00room")
	st := status.New(status.Config{Ready: func() error { return broken }})
	for _, test := range []struct {
		method, path string
		code         int
		body         string
	}{
		{"GET", "/healthz", 200, "ok\n"},
		{"HEAD", "/healthz", 200, "ok\n"}, // net/http leaves out the body
		{"POST", "/healthz", 405, "Method Not Allowed\n"},
		{"GET", "/readyz", 503, "the disk is full: make room\n"},
		{"GET", "/none", 404, "404 page not found\n"},
	} {
		if code, body := ask(t, st, test.method, test.path); code != test.code || body != test.body {
			t.Errorf("%s %s: %d %q, want %d %q", test.method, test.path, code, body, test.code, test.body)
		}
	}
	broken = nil
	if code, body := ask(t, st, "GET", "/readyz"); code != 200 || body != "ready\n" {
		t.Errorf("/readyz: %d %q", code, body)
	}
}

// TestReady moves the file of a server away and back.
func TestReady(t *testing.T) {
	s, st := serve(t)
	file := s.DB.Name()
	for _, step := range []struct {
		from, to string
		code     int
	}{{file, file + ".away", 503}, {file + ".away", file, 200}} {
		if err := os.Rename(step.from, step.to); err != nil {
			t.Fatal(err)
		}
		if code, body := ask(t, st, "GET", "/readyz"); code != step.code || strings.Count(body, "\n") != 1 {
			t.Errorf("after %s was renamed: %d %q, want %d and one line", step.from, code, body, step.code)
		}
	}
}

// TestMetrics drives a server, and looks at what is counted.
func TestMetrics(t *testing.T) {
	s, st := serve(t)
	c := s.Client()
	for _, checksum := range []string{"a", "b", "b"} {
		if _, err := c.GetPR(t.Context(), "v", "all", checksum); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.ImportOne(t.Context(), "v", "all", "c", int64(9)); err != nil {
		t.Fatal(err)
	}
	st.AskedUpstream(1, nil)
	st.AskedUpstream(1, errors.New("gone"))
	st.Called(prserv.Call{Wire: prserv.ByXMLRPC, Generation: 1, Method: "quit", Outcome: prserv.Fault})
	st.Called(prserv.Call{Wire: prserv.ByXMLRPC, Generation: 1, Outcome: prserv.Fault})
	st.Called(prserv.Call{Wire: prserv.ByXMLRPC, Generation: 1, Method: "dump_db"})
	st.Called(prserv.Call{Wire: prserv.ByJSONLines, Method: "ping"})
	st.Committed(store.Commit{Err: errors.New("full")})
	code, text := ask(t, st, "GET", "/metrics")
	if code != 200 {
		t.Fatalf("%d %s", code, text)
	}
	for _, want := range []string{
		`prserv_calls_total{wire="xmlrpc",generation="1",method="getPR",outcome="answered"} 3`,
		`prserv_calls_total{wire="xmlrpc",generation="1",method="importone",outcome="answered"} 1`,
		`prserv_calls_total{wire="xmlrpc",generation="1",method="unknown",outcome="fault"} 1`,
		`prserv_calls_total{wire="jsonlines",generation="2-3",method="ping",outcome="answered"} 1`,
		`prserv_call_seconds_count{wire="xmlrpc",method="getPR"} 3`,
		`prserv_commit_calls_count 3`,
		`prserv_commit_sync_seconds_count 3`,
		`prserv_commits_total{outcome="failed"} 1`,
		`prserv_commits_total{outcome="stored"} 3`,
		`prserv_values_stored_total{kind="given"} 2`,
		`prserv_values_stored_total{kind="imported"} 1`,
		`prserv_upstream_calls_total{outcome="failed"} 1`,
		`prserv_quits_refused_total 1`,
		`prserv_ready 1`,
		`prserv_connections{kind="jsonlines"} 0`,
		`# TYPE prserv_call_seconds histogram`,
		`# HELP process_open_fds Open files of the server.`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	for _, pattern := range []string{`(?m)^prserv_database_bytes [1-9]`, `(?m)^prserv_last_dump_timestamp_seconds [1-9]`, `(?m)^prserv_build_info\{.*goversion="go1`} {
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("/metrics lacks %s", pattern)
		}
	}
	checkFormat(t, text)
	if t.Failed() {
		t.Log(text)
	}
}

// checkFormat checks that each family is described once, before its series, and
// that no series comes twice.
func checkFormat(t *testing.T, text string) {
	t.Helper()
	line := regexp.MustCompile(`^([a-z_]+)(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? [0-9.e+-]+$`)
	described, seen, family := map[string]bool{}, map[string]bool{}, ""
	for got := range strings.Lines(text) {
		got = strings.TrimSuffix(got, "\n")
		if help, ok := strings.CutPrefix(got, "# HELP "); ok {
			family, _, _ = strings.Cut(help, " ")
			if described[family] {
				t.Errorf("%s comes twice", family)
			}
			described[family] = true
			continue
		}
		if strings.HasPrefix(got, "# TYPE "+family+" ") {
			continue
		}
		m := line.FindStringSubmatch(got)
		if m == nil || !strings.HasPrefix(m[1], family) || seen[m[1]+m[2]] {
			t.Errorf("not a series of %s, or one that came before: %q", family, got)
			continue
		}
		seen[m[1]+m[2]] = true
	}
}

// TestSeriesAreBounded checks that clients cannot make series.
func TestSeriesAreBounded(t *testing.T) {
	_, st := serve(t)
	for _, wire := range []prserv.Wire{prserv.ByXMLRPC, prserv.ByJSONLines} {
		for _, method := range append(prserv.Methods(wire), "") {
			for generation := range 4 {
				if (generation == 1) != (wire == prserv.ByXMLRPC) {
					continue
				}
				for outcome := range prserv.Closed + 1 {
					st.Called(prserv.Call{Wire: wire, Generation: generation, Method: method, Outcome: outcome})
				}
			}
		}
	}
	_, text := ask(t, st, "GET", "/metrics")
	n := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	if n < 300 || n > 700 {
		t.Errorf("%d series when everything has come once", n)
	}
	checkFormat(t, text)
}

// TestPromtool lets Prometheus look at the metrics.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool, of Debian's package prometheus, is not here to check the metrics")
	}
	s, st := serve(t)
	if _, err := s.Client().GetPR(t.Context(), "v", "all", "a"); err != nil {
		t.Fatal(err)
	}
	_, text := ask(t, st, "GET", "/metrics")
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// TestServe has more clients than places, then ends.
func TestServe(t *testing.T) {
	st := status.New(status.Config{Ready: func() error { return nil }, Log: slog.New(slog.DiscardHandler)})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- st.Serve(ctx, ln) }()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	for range 20 { // as browsers do, which keep their connections
		conn := dial()
		fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
		if answer, err := io.ReadAll(conn); err != nil || !strings.HasSuffix(string(answer), "\r\n\r\nok\n") {
			t.Errorf("%q, %v; want an answer, and the end", answer, err)
		}
	}
	var conns []net.Conn
	for range 20 {
		conns = append(conns, dial())
	}
	prservtest.Together(len(conns), func(i int) {
		fmt.Fprintf(conns[i], "GET /healthz HTTP/1.0\r\n\r\n")
		if answer, err := io.ReadAll(conns[i]); err != nil || !strings.HasSuffix(string(answer), "\r\n\r\nok\n") {
			t.Errorf("client %d: %q, %v", i, answer, err)
		}
	})
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
