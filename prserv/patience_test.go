package prserv_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"prserver/prserv"
	"prserver/prserv/asyncrpc"
	"prserver/prserv/client"
	"prserver/prserv/store"
)

// Clients of BitBake give up after so long.
const (
	waitsXML   = 60 * time.Second
	waitsLines = 30 * time.Second
)

// impatient is a store that answers every call with how long it may wait.
type impatient struct{ store.Store }

func (s impatient) tell(ctx context.Context) error { return errors.New(store.PatienceOf(ctx).String()) }

func (s impatient) GetPR(ctx context.Context, _ store.Key, _ store.Mode) (store.Value, error) {
	return nil, s.tell(ctx)
}

func (s impatient) Find(ctx context.Context, _ store.Key, _ store.Mode) (store.Known, error) {
	return store.Known{}, s.tell(ctx)
}

func (s impatient) ImportOne(ctx context.Context, _ store.Key, _ store.Value) (store.Value, error) {
	return nil, s.tell(ctx)
}

func (s impatient) Export(ctx context.Context, _ store.Filter, _ func(store.Row) error) error {
	return s.tell(ctx)
}

func (s impatient) Check(ctx context.Context) error { return s.tell(ctx) }

// wantPatience wants that an answer came so long before the client gives up that
// it hears it.
func wantPatience(t *testing.T, call, answer string, waits time.Duration) {
	t.Helper()
	const onTheWay = 5 * time.Second
	got, err := time.ParseDuration(answer)
	if err != nil || got > waits-onTheWay || got < waits/2 {
		t.Errorf("%s: the store may wait for %q, and the client waits for %v", call, answer, waits)
	}
}

// TestPatience lets no call wait for the database for longer than its client does.
func TestPatience(t *testing.T) {
	addr, _ := serveConfig(t, prserv.Config{Store: impatient{}})
	for _, m := range []string{
		`{"ping": {}}`,
		message("get-pr", `"a"`, ""), message("get-pr", `"a"`, `, "history": false`),
		message("test-pr", `"a"`, ""), message("test-package", `"a"`, ""), message("max-package-pr", `"a"`, ""),
		message("import-one", `"a"`, `, "value": 1`),
		message("export", `"a"`, `, "colinfo": false`),
	} {
		_, words, _ := strings.Cut(strings.Join(say(t, addr, hello2b, m), ""), `{"message": "`)
		_, words, _ = strings.Cut(words, ": ")
		wantPatience(t, m, strings.TrimRight(words, `"}`), waitsLines)
	}
	c := client.New(addr, client.Timeout)
	_, err := c.GetPR(t.Context(), "v", "all", "a")
	wantPatience(t, "getPR", lastWord(err), waitsXML)
	wantPatience(t, "ping", lastWord(c.Ping(t.Context())), waitsXML)
}

func lastWord(err error) string {
	words := strings.FieldsFunc(err.Error(), func(r rune) bool { return strings.ContainsRune(" :>'", r) })
	return words[len(words)-1]
}

// slowUpstream is an upstream server that takes its time.
type slowUpstream struct{ told chan time.Time }

func (u slowUpstream) Published(ctx context.Context, _ store.Key, _ func(store.Revision) bool) (*store.Published, error) {
	deadline, _ := ctx.Deadline()
	u.told <- deadline
	return nil, nil
}

// knowing is a store in which nothing is known, and that is impatient only then.
type knowing struct{ impatient }

func (knowing) Find(context.Context, store.Key, store.Mode) (store.Known, error) {
	return store.Known{}, nil
}

// TestPatienceWithUpstream has the database and the upstream server share the time
// that the client waits.
func TestPatienceWithUpstream(t *testing.T) {
	u := slowUpstream{make(chan time.Time, 1)}
	addr, _ := serveConfig(t, prserv.Config{Store: knowing{}, Upstream: u})
	latest := time.Now().Add(waitsLines)
	answer := strings.Join(say(t, addr, hello2b, message("get-pr", `"a"`, "")), "")
	if deadline := <-u.told; deadline.IsZero() || deadline.After(latest) {
		t.Errorf("the upstream server may take until %v, and the client waits until %v", deadline, latest)
	}
	_, words, _ := strings.Cut(answer, `get-pr: `)
	got, err := time.ParseDuration(strings.TrimRight(words, `"}`))
	if err != nil || got%time.Second == 0 || got > waitsLines {
		t.Errorf("behind the upstream server the store may wait for %q, all of the time", words)
	}
}

// TestUnavailable tells clients of all generations of JSON lines that the database
// does not answer: by a line without an end, with which they warn before they ask
// again. Ours makes an error of it.
func TestUnavailable(t *testing.T) {
	away := &store.Error{Reason: store.ErrUnavailable, Text: "PostgreSQL does not answer\n(why)"}
	addr, _ := serveConfig(t, prserv.Config{Store: troubled{err: away}})
	for command, m := range map[string]string{
		"get-pr":     message("get-pr", `"a"`, ""),
		"import-one": message("import-one", `"a"`, `, "value": 1`),
		"export":     message("export", `"a"`, `, "colinfo": false`),
	} {
		for _, hello := range []string{hello2a, hello2b} {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			io.WriteString(conn, hello+m+"\n")
			answer, err := io.ReadAll(conn)
			if want := command + ": PostgreSQL does not answer (why)"; err != nil || strings.TrimLeft(string(answer), "\n") != want {
				t.Errorf("%q, %s: got %q, %v, want %q and the end", hello, command, answer, err, want)
			}
		}
	}
	c := client.NewJSONLines(addr, client.Timeout)
	defer c.Close()
	_, err := c.GetPR(t.Context(), "v", "all", "a", nil)
	var words *asyncrpc.InvokeError
	if want := "get-pr: PostgreSQL does not answer (why)"; !errors.As(err, &words) || words.Message != want {
		t.Errorf("our client: got %v, want %q", err, want)
	}
}
