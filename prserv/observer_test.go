package prserv_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/xmlrpc"
)

// calls collects what an observer is told, and who has stored something.
type calls struct {
	mu  sync.Mutex
	all []string
}

func (c *calls) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, fmt.Sprintf(format, args...))
}

func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.all
	c.all = nil
	return all
}

func (c *calls) Called(call prserv.Call) {
	if call.Took <= 0 {
		c.add("a call that took %v", call.Took)
	}
	wire := [...]string{prserv.ByXMLRPC: "xml", prserv.ByJSONLines: "json"}[call.Wire]
	outcome := [...]string{prserv.Answered: "answered", prserv.Nothing: "nothing", prserv.Fault: "fault", prserv.Closed: "closed"}[call.Outcome]
	c.add("%s %d %s %s", wire, call.Generation, call.Method, outcome)
}

func (c *calls) AskedUpstream(took time.Duration, err error) { c.add("upstream %t", err == nil) }

func (c *calls) Committed(commit store.Commit) {
	for _, change := range commit.Changes {
		a := change.Asker
		c.add("stored for %t %d %s", a.Addr != nil && strings.HasPrefix(a.Addr.String(), "127.0.0.1:"), a.Generation, a.Method)
	}
}

// TestObserverOfJSONLines sends what each client may send, each on a connection
// of its own.
func TestObserverOfJSONLines(t *testing.T) {
	told := &calls{}
	s := prservtest.ServeConfig(t, prservtest.NewFile(t), prserv.Config{Observer: told, Askers: true})
	s.DB.Observe(told)
	const columns = `"version": null, "pkgarch": null, "checksum": null, "colinfo": true`
	for _, test := range []struct{ hello, message, want string }{
		{hello2a, `{"ping": null}`, "json 2 ping answered"},
		{hello2b, `{"ping": null}`, "json 0 ping answered"},
		{hello2b, message("get-pr", `"a"`, ""), "stored for true 2 get-pr, json 2 get-pr answered"},
		{hello2b, message("get-pr", `"a"`, ""), "json 2 get-pr answered"},
		{hello2b, message("get-pr", `"b"`, `, "history": false`), "stored for true 3 get-pr, json 3 get-pr answered"},
		{hello2b, message("import-one", `"c"`, `, "value": 7`), "stored for true 0 import-one, json 0 import-one answered"},
		{hello2b, message("import-one", `"c"`, `, "value": "x"`), "json 0 import-one fault"},
		{hello2a, message("import-one", `"c"`, `, "value": "x"`), "json 2 import-one nothing"},
		{hello2b, `{"get-pr": 1}`, "json 2 get-pr closed"},
		{hello2b, `{"none": 1}`, "json 0  closed"},
		{hello2b, `{"export": {` + columns + `, "history": true}}`, "json 3 export answered"},
		{hello2b, `{"export": {` + columns + `}}`, "json 2 export answered"},
	} {
		say(t, s.Addr, test.hello, test.message)
		if got := strings.Join(told.take(), ", "); got != test.want {
			t.Errorf("%s: told %q, want %q", test.message, got, test.want)
		}
	}
}

// TestObserverOfExports has an export whose client has left before it was ready, and
// such that fail.
func TestObserverOfExports(t *testing.T) {
	told := &calls{}
	s := prservtest.ServeConfig(t, prservtest.NewFile(t), prserv.Config{Observer: told})
	export := `{"export": {"version": null, "pkgarch": null, "checksum": null, "colinfo": false}}` + "\n"
	say(t, s.Addr, hello2b, message("get-pr", `"a"`, ""))
	told.take()
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, hello2b+export)
	conn.Close()
	prservtest.WaitFor(t, "the export", func() bool { return slices.Equal(told.take(), []string{"json 2 export answered"}) })
	if err := s.DB.Close(); err != nil {
		t.Fatal(err)
	}
	for hello, want := range map[string]string{hello2a: "json 2 export closed", hello2b: "json 2 export fault"} {
		say(t, s.Addr, hello, export)
		if got := strings.Join(told.take(), ", "); got != want {
			t.Errorf("%q: told %q, want %q", hello, got, want)
		}
	}
}

// TestObserverOfXMLRPC calls methods that are answered and such that are not.
func TestObserverOfXMLRPC(t *testing.T) {
	told := &calls{}
	s := prservtest.ServeConfig(t, prservtest.NewFile(t), prserv.Config{Observer: told, Askers: true})
	s.DB.Observe(told)
	for _, test := range []struct {
		method string
		params []any
		want   string
	}{
		{"getPR", []any{"v", "all", "a"}, "xml 1 getPR answered"},
		{"getPR", []any{nil, "all", "a"}, "xml 1 getPR nothing"},
		{"getPR", []any{"v"}, "xml 1 getPR fault"},
		{"none", nil, "xml 1  fault"},
		{"dump_db", nil, "xml 1 dump_db answered"},
		{"system.methodHelp", []any{"ping"}, "xml 1 system.methodHelp answered"},
		{"quit", nil, "xml 1 quit fault"},
	} {
		c := &xmlrpc.Call{Method: test.method, HasMethod: true, Params: test.params, Dialect: compat.Py2, Client: stranger{from{address: "192.0.2.7:1"}}}
		s.ObservedCall(t.Context(), c)
		got := told.take()
		if i := slices.Index(got, "stored for false 1 getPR"); i >= 0 {
			got = slices.Delete(got, i, i+1)
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: told %q, want %q", test.method, got, test.want)
		}
	}
	if _, err := s.Client().GetPR(t.Context(), "v", "all", "b"); err != nil {
		t.Fatal(err)
	}
	if got, want := told.take(), []string{"stored for true 1 getPR", "xml 1 getPR answered"}; !slices.Equal(got, want) {
		t.Errorf("over the wire: told %q, want %q", got, want)
	}
}

// upstreamThat answers with an error.
type upstreamThat struct{ err error }

func (u upstreamThat) Published(context.Context, store.Key, func(store.Revision) bool) (*store.Published, error) {
	return nil, u.err
}

func TestObserverOfUpstream(t *testing.T) {
	for _, err := range []error{nil, errors.New("gone")} {
		told := &calls{}
		s := prservtest.ServeConfig(t, prservtest.NewFile(t), prserv.Config{Observer: told, Upstream: upstreamThat{err}})
		s.Client().GetPR(t.Context(), "v", "all", "a")
		if got := told.take(); len(got) != 2 || got[0] != fmt.Sprintf("upstream %t", err == nil) {
			t.Errorf("error %v: told %q", err, got)
		}
	}
}

// TestConnections has one connection of each kind.
func TestConnections(t *testing.T) {
	s := prservtest.Serve(t, prservtest.NewFile(t))
	for _, begin := range []string{"", "POST ", "PRSERVICE 1.0\n"} {
		conn, err := net.Dial("tcp", s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, begin)
	}
	prservtest.WaitFor(t, "three connections", func() bool {
		xml, json, silent := s.Connections()
		return xml == 1 && json == 1 && silent == 1
	})
}

// stranger is a connection from another machine.
type stranger struct{ from }

func (c stranger) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }
