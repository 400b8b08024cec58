package prserv_test

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/xmlrpc"
)

// logged starts a server whose database has no room, with a log as an operator
// sees it.
func logged(t *testing.T) (s *prserv.Server, log *prservtest.Log) {
	t.Helper()
	log = &prservtest.Log{}
	s, err := prserv.New(prserv.Config{
		Store:   troubled{err: &store.Error{Reason: store.ErrFull, Text: "database or disk is full"}},
		Dialect: compat.DialectFor, Log: slog.New(compat.NewLogHandler(log, compat.LogText, slog.LevelInfo, false)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, log
}

// TestRepeatsAreCounted writes a trouble with the first packages it concerns,
// and counts what comes again.
func TestRepeatsAreCounted(t *testing.T) {
	s, log := logged(t)
	ask := func(version string) {
		t.Helper()
		if v, err := call(t, s, "getPR", version, "all", "a"); v != nil || err != nil {
			t.Fatalf("getPR answered %v, %v", v, err)
		}
	}
	want := ""
	line := func(i int) string {
		return fmt.Sprintf("ERROR: database or disk is full method=getPR version=p-%d pkgarch=all client=\"\"\n", i)
	}
	check := func() {
		t.Helper()
		if log.String() != want {
			t.Fatalf("the log says\n%s, want\n%s", log, want)
		}
	}
	for range 3 {
		ask("p-0")
	}
	want = line(0)
	check()
	for i := range 100 {
		ask(fmt.Sprintf("p-%d", i))
		if 0 < i && i < 16 {
			want += line(i)
		}
	}
	check()
	s.TellRepeats()
	want += "ERROR: database or disk is full: 87 more like this within 1m0s\n"
	check()
	ask("p-99")
	want += line(99)
	check()
	ask("p-99")
	s.TellRepeats()
	want += "ERROR: database or disk is full: 1 more like this within 2m0s\n"
	check()
	s.TellRepeats() // nothing has come: it is forgotten
	ask("p-99")
	want += line(99)
	check()
	s.TellRepeats()
	s.TellRepeats()
	check()
}

// from is a connection from an address.
type from struct {
	net.Conn
	address string
}

func (c from) RemoteAddr() net.Addr {
	addr, _ := net.ResolveTCPAddr("tcp", c.address)
	return addr
}

// TestRepeatsByAddress counts for each address, whatever its port: one client
// hides nothing of another's. Addresses without number get one count together.
func TestRepeatsByAddress(t *testing.T) {
	s, log := logged(t)
	ask := func(address string) {
		t.Helper()
		v, err := s.Call(t.Context(), &xmlrpc.Call{
			Method: "getPR", HasMethod: true, Params: []any{nil, "all", "a\n" + strings.Repeat("b", 60000)},
			Dialect: compat.Py3, Client: from{address: address},
		})
		if v != nil || err != nil {
			t.Fatalf("getPR answered %v, %v", v, err)
		}
	}
	for port := 1; port < 4; port++ {
		ask(fmt.Sprintf("192.0.2.1:%d", port))
		ask(fmt.Sprintf("192.0.2.2:%d", port))
	}
	key := `(None, a\n` + strings.Repeat("b", 1024-len(`(None, a\n`)) + "...[58987 bytes more]"
	want := ""
	for i := 1; i <= 2; i++ {
		want += fmt.Sprintf("ERROR: can not find value for %s client=192.0.2.%d\n", key, i)
	}
	if log.String() != want {
		t.Errorf("the log says\n%s, want\n%s", log, want)
	}
	const some, most = 5000, 1024 + 16
	for i := range some {
		ask(fmt.Sprintf("198.18.%d.%d:1", i/256, i%256))
	}
	if n := strings.Count(log.String(), "\n"); n > most {
		t.Errorf("%d clients wrote %d lines, want %d at most", some, n, most)
	}
	s.TellRepeats()
	if !strings.Contains(log.String(), "ERROR: trouble with many clients: ") ||
		!strings.Contains(log.String(), "ERROR: can not find value for: 2 more like this within 1m0s client=192.0.2.1\n") {
		t.Errorf("the counts are missing: %.3000s", log.String()[len(log.String())-3000:])
	}
}
