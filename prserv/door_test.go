package prserv_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/access"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// Two clients by their addresses.
const (
	one = "127.0.0.1"
	two = "127.0.0.2"
)

func only(addr string) access.List { return access.List{netip.MustParsePrefix(addr + "/32")} }

// dialFrom connects to a server as a client at an address.
func dialFrom(t *testing.T, from, addr string) *net.TCPConn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// sayFrom sends a text as a client at an address, and returns all that it is
// answered.
func sayFrom(t *testing.T, from, addr, text string) string {
	t.Helper()
	conn := dialFrom(t, from, addr)
	io.WriteString(conn, text)
	conn.CloseWrite()
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// rpc returns a request of XML-RPC. A parameter is a text.
func rpc(method string, params ...string) string {
	body := "<methodCall><methodName>" + method + "</methodName><params>"
	for _, p := range params {
		body += "<param><value>" + p + "</value></param>"
	}
	body += "</params></methodCall>"
	return fmt.Sprintf("POST /RPC2 HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// refusals collects what is refused.
type refusals struct {
	mu  sync.Mutex
	all []string
}

func (r *refusals) note(of store.Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	host, _, _ := net.SplitHostPort(of.Asker.Addr.String())
	r.all = append(r.all, fmt.Sprintf("%s: %s %d %s %s %t", of.Reason, host, of.Asker.Generation, of.Asker.Method, of.Key.Version, of.First))
}

func (r *refusals) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	return strings.Join(all, ", ")
}

// serveRules serves a new file by rules.
func serveRules(t *testing.T, rules access.Rules) (addr string, refused *refusals, log *prservtest.Log) {
	t.Helper()
	refused, log = &refusals{}, &prservtest.Log{}
	addr, _ = serveConfig(t, prserv.Config{
		Access: rules, Refused: refused.note,
		Log: slog.New(compat.NewLogHandler(log, compat.LogText, slog.LevelInfo, false)),
	})
	return addr, refused, log
}

// TestNotServed has a client of each generation that is not in --allow.
func TestNotServed(t *testing.T) {
	addr, refused, log := serveRules(t, access.Rules{Allow: only(two)})
	const words = `this PR server does not serve 127\.0\.0\.1; its operator can add that address to --allow`
	for i, test := range []struct{ text, answer, note string }{
		{rpc("getPR", "v", "all", "a"), `<string>&lt;type 'exceptions.Exception'&gt;:` + words + `</string>`, "1 getPR v"},
		{rpc("ping"), words, "1 ping "},
		{rpc("none"), words, "1  "},
		{hello2b + message("get-pr", `"a"`, ""), `^\{"invoke-error": \{"message": "get-pr: ` + words + `"\}\}\n$`, "2 get-pr v"},
		{hello2b + `{"ping": {}}`, `^\{"invoke-error": \{"message": "ping: ` + words + `"\}\}\n$`, "0 ping "},
		{hello2a + message("get-pr", `"a"`, ""), "^null\n$", "2 get-pr v"},
		{hello2b, "^$", "0  "},
		{"", "^$", "0  "},
		{"GET / HTTP/1.0\r\n\r\n", "501", "0  "},
		{"PRSERVICE 9.9\n", "^$", "0  "},
	} {
		if got := sayFrom(t, one, addr, test.text+"\n"); !regexp.MustCompile(test.answer).MatchString(got) {
			t.Errorf("%q: answered %q, want %q", test.text, got, test.answer)
		}
		want := fmt.Sprintf("allow: 127.0.0.1 %s %t", test.note, i == 0)
		var got string
		prservtest.WaitFor(t, "the refusal", func() bool { got = refused.take(); return got != "" })
		if got != want {
			t.Errorf("%q: noted %q, want %q", test.text, got, want)
		}
	}
	if got, want := log.String(), "WARNING: a client is refused: it is not in --allow method=getPR version=v pkgarch=all client=127.0.0.1\n"; got != want {
		t.Errorf("the log has %q, want %q", got, want)
	}
	if got := sayFrom(t, two, addr, rpc("getPR", "v", "all", "a")); !strings.Contains(got, "<int>0</int>") {
		t.Errorf("who is in --allow gets %q", got)
	}
	if got := refused.take(); got != "" {
		t.Errorf("refused: %q", got)
	}
}

// TestReadOnlyFrom holds the answers to a client in --read-only-from against those
// of a read-only server.
func TestReadOnlyFrom(t *testing.T) {
	file := prservtest.NewFile(t)
	refused := &refusals{}
	s := prservtest.ServeConfig(t, file, prserv.Config{Access: access.Rules{ReadOnlyFrom: only(two)}, Refused: refused.note})
	readOnly := prservtest.ServeConfig(t, file, prserv.Config{ReadOnly: true})
	for i, text := range []string{
		rpc("getPR", "v", "all", "a"), rpc("getPR", "v", "all", "b"), rpc("getPR", "w", "all", "a"),
		hello2a + message("get-pr", `"a"`, ""), hello2a + message("get-pr", `"b"`, ""), hello2a + message("get-pr", `null`, ""),
		hello2b + message("get-pr", `"a"`, `, "history": false`), hello2b + message("get-pr", `"b"`, `, "history": true`),
		rpc("importone", "v", "all", "a", "7"), hello2a + message("import-one", `"a"`, `, "value": 7`), hello2b + message("import-one", `"a"`, `, "value": "7"`),
		hello2a + `{"is-readonly": {}}`, hello2b + `{"is-readonly": {}}`, rpc("ping"), rpc("export"), rpc("dump_db"), rpc("quit_not"),
	} {
		if i == 0 {
			sayFrom(t, one, s.Addr, rpc("getPR", "v", "all", "a")) // known from here on
		}
		got, want := sayFrom(t, two, s.Addr, text+"\n"), sayFrom(t, two, readOnly.Addr, text+"\n")
		date := regexp.MustCompile(`(?m)^Date: .*$`)
		if got = date.ReplaceAllString(got, ""); got != date.ReplaceAllString(want, "") {
			t.Errorf("%q: answered %q; a read-only server answers %q", text, got, want)
		}
	}
	const want = "read-only-from: 127.0.0.2 1 importone v true, read-only-from: 127.0.0.2 2 import-one v false, read-only-from: 127.0.0.2 0 import-one v false"
	if got := refused.take(); got != want {
		t.Errorf("refused: %q, want %q", got, want)
	}
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "a", int64(0)))
	if got := sayFrom(t, one, s.Addr, hello2b+`{"is-readonly": {}}`+"\n"); got != `{"readonly": false}`+"\n" {
		t.Errorf("another client is told %q", got)
	}
}

// TestAllowImport lets one client import, and not the other.
func TestAllowImport(t *testing.T) {
	addr, refused, log := serveRules(t, access.Rules{AllowImport: only(two)})
	const words = "this PR server takes no imported values from 127.0.0.1; its operator can add that address to --allow-import"
	for _, test := range []struct{ text, one, two string }{
		{rpc("importone", "v", "all", "a", "7"), "<string>&lt;type 'exceptions.Exception'&gt;:" + words, "7"},
		{hello2b + message("import-one", `"b"`, `, "value": "8"`), `{"invoke-error": {"message": "import-one: ` + words + `"}}`, `{"value": "8"}`},
		{hello2a + message("import-one", `"c"`, `, "value": 9`), "null", `{"value": 9}`},
	} {
		for from, want := range map[string]string{one: test.one, two: test.two} {
			if got := sayFrom(t, from, addr, test.text+"\n"); !strings.Contains(got, want) {
				t.Errorf("%s sends %q: answered %q, want %q", from, test.text, got, want)
			}
		}
	}
	if got := strings.Count(refused.take(), "allow-import: 127.0.0.1 "); got != 3 {
		t.Errorf("%d imports were refused, want 3", got)
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "WARNING: an import is refused: its client is not in --allow-import method=importone version=v pkgarch=all client=127.0.0.1\n") {
		t.Errorf("the log has %q", got)
	}
	if got := sayFrom(t, one, addr, rpc("getPR", "v", "all", "x")); !strings.Contains(got, "<int>10</int>") {
		t.Errorf("who may not import gets the value %q", got)
	}
}

// TestRefusedTakeNoRoom has many clients that are not served, silent ones and such
// that send a lot, on a server with two places.
func TestRefusedTakeNoRoom(t *testing.T) {
	var log prservtest.Log
	addr, _ := serveConfig(t, prserv.Config{
		Access: access.Rules{Allow: only(two)}, MaxConns: 2, MaxFiles: 1,
		Log: slog.New(compat.NewLogHandler(&log, compat.LogText, slog.LevelInfo, false)),
	})
	large := fmt.Appendf(nil, "POST /RPC2 HTTP/1.0\r\nContent-Length: %d\r\n\r\n%[1]*d", 4<<20, 0)
	var conns []*net.TCPConn
	for i := range 60 {
		conn := dialFrom(t, one, addr)
		if i%2 == 0 {
			go conn.Write(large)
		}
		conns = append(conns, conn)
	}
	// All beyond the sixteenth are closed at once, and those that send too much.
	closed := make(chan struct{}, len(conns))
	for _, conn := range conns {
		go func() {
			bufio.NewReader(conn).ReadByte()
			closed <- struct{}{}
		}()
	}
	for range len(conns) - 16 {
		<-closed
	}
	kept := dialFrom(t, two, addr) // takes one of the two places
	io.WriteString(kept, hello2b+`{"ping": {}}`+"\n")
	if line, err := bufio.NewReader(kept).ReadString('\n'); err != nil || line != "{\"alive\": true}\n" {
		t.Fatalf("a client that is served is answered %q, %v", line, err)
	}
	for i := range 5 {
		if got := sayFrom(t, two, addr, rpc("getPR", fmt.Sprint(i), "all", "a")); !strings.Contains(got, "<int>0</int>") {
			t.Errorf("a client that is served gets %q", got)
		}
	}
	if got := strings.Count(log.String(), "\n"); got != 1 {
		t.Errorf("the log has %d lines:\n%s", got, log.String())
	}
}

// TestRefusedAtATime has many silent clients that are not served. The sixteen
// places are all that are taken.
func TestRefusedAtATime(t *testing.T) {
	s := prservtest.ServeConfig(t, prservtest.NewFile(t), prserv.Config{Access: access.Rules{Allow: only(two)}})
	for range 40 {
		dialFrom(t, one, s.Addr)
	}
	// Who is served is accepted behind them.
	if got := sayFrom(t, two, s.Addr, rpc("getPR", "v", "all", "a")); !strings.Contains(got, "<int>0</int>") {
		t.Errorf("a client that is served gets %q", got)
	}
	if n := s.Refusing(); n > 16 {
		t.Errorf("%d clients are connected that are not served, want 16 at most", n)
	}
}

// TestLongCallsOfRefused has a client that is not served make calls with room for
// them and without.
func TestLongCallsOfRefused(t *testing.T) {
	s := prservtest.ServeConfig(t, prservtest.NewFile(t), prserv.Config{Access: access.Rules{Allow: only(two)}})
	for bytes, answered := range map[int]bool{500 << 10: true, 2 << 20: false} {
		conn := dialFrom(t, one, s.Addr)
		go io.WriteString(conn, rpc("getPR", strings.Repeat("v", bytes), "all", "a"))
		answer, _ := io.ReadAll(conn)
		if got := strings.Contains(string(answer), "does not serve 127.0.0.1"); got != answered {
			t.Errorf("a call of %d bytes is answered %.300q", bytes, answer)
		}
	}
}

// TestQuitOfRefused ends a server from its own machine, which it does not serve.
func TestQuitOfRefused(t *testing.T) {
	refused := &refusals{}
	s := prservtest.ServeConfig(t, prservtest.NewFile(t), prserv.Config{Access: access.Rules{Allow: only("192.0.2.1")}, Refused: refused.note})
	if got := sayFrom(t, one, s.Addr, rpc("quit")); !strings.Contains(got, "<nil/>") {
		t.Errorf("quit is answered %q", got)
	}
	s.WantServed(t)
	if got := refused.take(); got != "" {
		t.Errorf("refused: %q", got)
	}
}

// TestAccessLines has a line for every call at DEBUG, and none otherwise.
func TestAccessLines(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
		var log prservtest.Log
		addr, end := serveConfig(t, prserv.Config{Log: slog.New(compat.NewLogHandler(&log, compat.LogText, level, false))})
		for range 20 { // more than lines that are told of the same trouble
			sayFrom(t, one, addr, rpc("ping"))
		}
		sayFrom(t, two, addr, hello2b+message("get-pr", `"a"`, "")+"\n"+`{"ping": {}}`+"\n"+`{"none": 1}`+"\n")
		sayFrom(t, two, addr, rpc("x\nNOTE: Started"))
		if err := end(); err != nil {
			t.Fatal(err)
		}
		got := regexp.MustCompile(`microseconds=\d+`).ReplaceAllString(log.String(), "microseconds=N")
		if level == slog.LevelInfo {
			if strings.Contains(got, "microseconds") {
				t.Errorf("at INFO:\n%s", got)
			}
			continue
		}
		want := strings.Repeat("DEBUG: call method=ping wire=xmlrpc generation=1 client=127.0.0.1 outcome=answered microseconds=N\n", 20) +
			"DEBUG: call method=get-pr wire=jsonlines generation=2 client=127.0.0.2 outcome=answered microseconds=N\n" +
			"DEBUG: call method=ping wire=jsonlines generation=2-3 client=127.0.0.2 outcome=answered microseconds=N\n" +
			"DEBUG: call method=\"\" wire=jsonlines generation=2-3 client=127.0.0.2 outcome=closed microseconds=N\n" +
			"WARNING: message refused client=127.0.0.2 error=\"no command that this server knows\"\n" +
			"DEBUG: call method=\"\" wire=xmlrpc generation=1 client=127.0.0.2 outcome=fault microseconds=N\n"
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
