package asyncrpc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"prserver/prserv/asyncrpc"
)

// What the tables of this file expect was seen of bitbake-prserv of BitBake 2.8
// and 2.18, which agree; that of 2.0 differs where the name begins with "not 2.0".

// onlyPing answers a message that has the member ping, and refuses all others.
func onlyPing(_ context.Context, _ *asyncrpc.Session, message any) (any, error) {
	object, _ := message.(asyncrpc.Object)
	if _, ok := object.Get("ping"); !ok {
		return nil, fmt.Errorf("unknown command")
	}
	return asyncrpc.Object{{"alive", true}}, nil
}

const (
	ping   = `{"ping": {}}` + "\n"
	alive  = `{"alive": true}` + "\n"
	chunks = `{"chunk-stream": null}` + "\n"
)

func x(n int) string { return strings.Repeat("x", n) }

func TestHello(t *testing.T) {
	addr := serve(t, asyncrpc.HandlerConfig{Serve: onlyPing})
	for _, test := range []struct {
		line  string
		taken bool
	}{
		{"PRSERVICE 1.0", true},
		{"PRSERVICE 1.0\r", true},
		{"PRSERVICE 01.00", true},
		{"PRSERVICE  1.0", true},
		{" PRSERVICE 1.0", true},
		{"PRSERVICE\t1.0 ", true},
		{"PRSERVICE 1.0_0", true},
		{"PRSERVICE +1.-0", true},
		{"PRSERVICE 1.+0", true},
		{"PRSERVICE \u0661.\u0660", true}, // Arabic digits
		{"PRSERVICE\u00a01.0", true},
		{"PRSERVICE 1.0\x1f", true},
		{"PRSERVICE 1.0 x", false},
		{"PRSERVICE 1.1", false},
		{"PRSERVICE 1", false},
		{"PRSERVICE 1.0.0", false},
		{"PRSERVICE 1_.0", false},
		{"PRSERVICE 1.", false},
		{"PRSERVICE 1.--0", false},
		{"PRSERVICE a.b", false},
		{"PRSERVICE 1.0\x85", false}, // not UTF-8
		{"PRSERVICE", false},
		{"prservice 1.0", false},
		{"\ufeffPRSERVICE 1.0", false},
		{"", false},
		{"  ", false},
		{x(200000), false},
	} {
		want := ""
		if test.taken {
			want = alive
		}
		if got := converse(t, addr, test.line+"\nneeds-headers: false\n\n"+ping); got != want {
			t.Errorf("%.40q: got %q, want %q", test.line, got, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	addr := serve(t, asyncrpc.HandlerConfig{Serve: onlyPing})
	for _, test := range []struct{ head, want string }{
		{"\n", alive},
		{"\r\n", alive},
		{"needs-headers: false\r\n\r\n", alive},
		{"needs-headers: true\n\n", "\n" + alive}, // not 2.0, as all that have an empty line
		{"NEEDS-Headers:true  \n\n", "\n" + alive},
		{"needs-headers: \u00a0true\u00a0\n\n", "\n" + alive},
		{"needs-headers: false\nneeds-headers: true\n\n", "\n" + alive},
		{"needs-headers: true\nneeds-headers: false\n\n", alive},
		{"needs-headers: True\n\n", alive},
		{"needs-headers : true\n\n", alive},
		{" needs-headers: true\n\n", alive},
		{":\n\n", alive},
		{"   \n", alive},
		{"\u00a0\n", alive},
		{"\x1c\n", alive},
		{"a: " + x(65533) + "\n\n", alive},
		{"a: " + x(65534) + "\n\n", ""},
		{"abc\n\n", ""}, // not 2.0
		{"a: \xff\n\n", ""},
	} {
		if got := converse(t, addr, "PRSERVICE 1.0\n"+test.head+ping); got != test.want {
			t.Errorf("%.40q: got %q, want %q", test.head, got, test.want)
		}
	}
}

// exchange sends what stands between two pings.
func exchange(t *testing.T, addr, text string, answers int) {
	t.Helper()
	got := converse(t, addr, hello+ping+text+ping)
	if want := strings.Repeat(alive, answers); got != want {
		t.Errorf("%.60q: got %q, want %d answers", text, got, answers)
	}
}

func TestMessages(t *testing.T) {
	addr := serve(t, asyncrpc.HandlerConfig{Serve: onlyPing})
	for _, answered := range []string{
		`{"ping": {}}`, " \t" + `{"ping": {}}` + " \t\r", "\r" + `{"ping": {}}`,
		`{"ping": {}}` + "\x0b\x0c", `{"ping": {}}` + "\u00a0", `{"ping": {}}` + "\x1c", // not 2.0
		`{"ping": "` + "\x7f" + `"}`, `{"ping": "\ud800"}`, `{"p\u0069ng": {}}`,
		`{"ping": NaN}`, `{"ping": -Infinity}`, `{"ping": -1e999}`, `{"ping": 1, "ping": 2}`, `{"":1,"ping":0}`,
		`{"ping": ` + strings.Repeat("1", 4300) + `}`,
		`{"ping": "` + x(65524) + `"}`, `{"ping": ""}` + strings.Repeat(" ", 65524), `{"ping": "` + x(65523) + `"}` + "\r",
		`{"ping": ` + strings.Repeat("[", 978) + strings.Repeat("]", 978) + `}`,
	} {
		exchange(t, addr, answered+"\n", 3)
	}
	for _, refused := range []string{
		"null", "", "   ", "\u00a0" + `{"ping": {}}`, "\x0b" + `{"ping": {}}`, "\ufeff" + `{"ping": {}}`,
		`{"ping": "` + "\xff" + `"}`, `{"ping": "` + "\xed\xa0\x80" + `"}`, `{"ping": "` + "\xc0\x80" + `"}`, `{"ping": "` + "\x00" + `"}`,
		"{}", "[]", "0", "false", `""`, "1", "true", "1.5", "NaN", `"ping"`, `["ping"]`, `[{"ping": {}}]`, `{"x": 1}`, `{"PING": {}}`,
		`{"ping": {}} x`, `{"ping": {},}`, `{"ping": 01}`, `{'ping': {}}`, `{"ping": 1}{"ping": 1}`, `{"ping": tru}`, `{"ping"}`, `{"ping":}`,
		`{"ping": "\u00e"}`, `{"ping": "\x"}`, `{"ping": "a` + "\t" + `b"}`, `{"ping": /**/1}`,
		`{"ping": ` + strings.Repeat("1", 4301) + `}`,
		`{"ping": "` + x(65525) + `"}`, `{"ping": ""}` + strings.Repeat(" ", 65525), `{"ping": "` + x(65524) + `"}` + "\r", x(200000),
		`{"ping": ` + strings.Repeat("[", 1493) + strings.Repeat("]", 1493) + `}`,
		`{"a": "chunk-stream"}`, `[["chunk-stream"]]`,
	} {
		exchange(t, addr, refused+"\n", 1)
	}
}

func TestChunks(t *testing.T) {
	addr := serve(t, asyncrpc.HandlerConfig{Serve: onlyPing})
	many := strings.Repeat(strings.Repeat("y", 60000)+"\n", 40)
	for _, answered := range []string{
		chunks + ping + "\n",
		chunks + `{"pi` + "\n" + `ng": {}}` + "\n\n",
		chunks + `{"ping": ` + "\n {}}  \n\n",
		chunks + `{"ping":` + "\t\n1}\n\n",
		chunks + `{"ping": "` + x(65524) + `"}` + "\n\n",
		chunks + `{"ping": "` + "\n" + many + `"}` + "\n\n",
		chunks + `{"chunk-stream": null, "ping": 1}` + "\n\n", // not 2.0, as all below
		chunks + `{"pi ` + "\n" + `ng": {}}` + "\n\n",
		chunks + `{"pi` + "\u00a0\n" + `ng":1}` + "\n\n",
		chunks + `{"pi` + "\r\n" + `ng": {}}` + "\r\n\r\n",
	} {
		exchange(t, addr, answered, 3)
	}
	for _, begin := range []string{
		`{"chunk-stream": 5}`, `{"chunk-stream": null, "a": [1]}`, `{"chunk-stream": null, "ping": 1}`, ` { "chunk-stream" :null} `,
		`["chunk-stream"]`, `"chunk-stream"`, `"a chunk-stream b"`, // not 2.0
	} {
		exchange(t, addr, begin+"\n"+ping+"\n", 3)
	}
	for _, refused := range []string{
		chunks + "\n", chunks + "null\n\n",
		chunks + chunks + ping + "\n", chunks + chunks + "\n",
		chunks + `{"ping": ` + "\n  \n{}}\n\n", // not 2.0: white space is an empty line
		chunks + `{"pi` + "\n" + ` ng": {}}` + "\n\n",
		chunks + `{"ping": "` + "\xc3\n\xa9" + `"}` + "\n\n",
		chunks + `{"ping"` + "\n\n",
		chunks + `{"ping": "` + x(65525) + `"}` + "\n\n",
		chunks + ping, // the end never comes
	} {
		exchange(t, addr, refused, 1)
	}
}

// TestBare has what differs without headers, where the rules are those of BitBake
// 2.0.
func TestBare(t *testing.T) {
	addr := serve(t, asyncrpc.HandlerConfig{Serve: onlyPing})
	for _, test := range []struct {
		in      string
		answers int
	}{
		{`{"ping": {}}` + " \t\r\n" + ping, 2},
		{`{"ping": {}}` + "\x0c\n" + ping, 0},
		{`{"ping": {}}` + "\u00a0\n" + ping, 0},
		{chunks + ping + "\n" + ping, 2},
		{chunks + ping, 1}, // the end stands for the empty line
		{chunks + strings.TrimSpace(ping), 1},
		{chunks + `{"ping": `, 0},
		{chunks + `{"ping": ` + "\n  \n{}}\n\n" + ping, 2},
		{chunks + `{"pi ` + "\n" + `ng": {}}` + "\n\n" + ping, 0},
		{chunks + "{\"ping\":\r\n1}\r\n\r\n" + ping, 0},
		{chunks + `{"ping": "` + "\xc3\n\xa9" + `"}` + "\n\n" + ping, 0},
		{chunks + `{"chunk-stream": null, "ping": 1}` + "\n\n" + ping, 0},
		{`["chunk-stream"]` + "\n" + ping + "\n" + ping, 0},
		{`"chunk-stream"` + "\n" + ping + "\n" + ping, 0},
	} {
		got := converse(t, addr, "PRSERVICE 1.0\n\n"+test.in)
		if want := strings.Repeat(alive, test.answers); got != want {
			t.Errorf("%.60q: got %q, want %d answers", test.in, got, test.answers)
		}
	}
}

func TestHalf(t *testing.T) {
	addr := serve(t, asyncrpc.HandlerConfig{Serve: onlyPing})
	for _, test := range []struct {
		in      string
		answers int
	}{
		{"", 0},
		{"PRSERVICE 1.0", 0},
		{"PRSERVICE 1.0\n", 0},
		{"PRSERVICE 1.0\nneeds", 0},
		{hello + ping + strings.TrimSpace(ping), 1},
		{hello + ping + chunks + strings.TrimSpace(ping), 1}, // not 2.0
		{hello + strings.Repeat(ping, 100), 100},
		{hello + strings.Repeat(ping, 50) + "{}\n" + strings.Repeat(ping, 50), 50},
	} {
		if got := converse(t, addr, test.in); got != strings.Repeat(alive, test.answers) {
			t.Errorf("%.60q: got %q, want %d answers", test.in, got, test.answers)
		}
	}
}
