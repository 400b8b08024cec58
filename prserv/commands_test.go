package prserv_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"prserver/prserv"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// How clients of BitBake begin: those of 1.52 to 2.6, and later ones.
const (
	hello2a = "PRSERVICE 1.0\n\n"
	hello2b = "PRSERVICE 1.0\nneeds-headers: false\n\n"
)

// say sends messages, a line each, and returns the lines of the answer; what is
// not answered is missing, as all behind it is.
func say(t *testing.T, addr, hello string, messages ...string) []string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, hello+strings.Join(messages, "\n")+"\n")
	conn.(*net.TCPConn).CloseWrite()
	answers, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(answers), "\n"), "\n")
}

// commandTest is a conversation.
type commandTest struct{ message, answer string } // no answer: the connection is closed

func wantAnswers(t *testing.T, addr, hello string, tests []commandTest) {
	t.Helper()
	for _, test := range tests {
		const alive = `{"alive": true}`
		want := []string{test.answer, alive}
		if test.answer == "" || strings.Contains(test.answer, "invoke-error") {
			want = want[:1]
		}
		got := say(t, addr, hello, test.message, `{"ping": {}}`)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got %q, want %q", test.message, got, want)
		}
	}
}

// message makes a message of a command to version v and pkgarch all.
func message(command, checksum, more string) string {
	return fmt.Sprintf(`{"%s": {"version": "v", "pkgarch": "all", "checksum": %s%s}}`, command, checksum, more)
}

// TestCommands gives each command as the clients of each generation do, one
// after the other on the same package.
func TestCommands(t *testing.T) {
	addr, _ := serveConfig(t, prserv.Config{})
	const old, history = "", `, "history": true`
	const newer = `, "history": false`
	wantAnswers(t, addr, hello2a, []commandTest{
		{`{"ping": {}}`, `{"alive": true}`},
		{`{"ping": 1, "get-pr": 2}`, `{"alive": true}`},
		{message("get-pr", `"a"`, old), `{"value": 0}`},
		{message("get-pr", `"b"`, old), `{"value": 1}`},
		{message("get-pr", `null`, old), `null`},
		{message("get-pr", `[1]`, old), `null`},
		{message("get-pr", `18446744073709551616`, old), ``},
		{message("test-pr", `"a"`, old), ``},
		{message("import-one", `"a"`, `, "value": 2`), `{"value": 2}`},
		{message("import-one", `"a"`, `, "value": 1`), `{"value": 2}`},
		{message("import-one", `"a"`, `, "value": "02"`), `{"value": 2}`},
		{message("import-one", `"a"`, `, "value": 2.0`), `{"value": 2}`},
		{message("import-one", `"a"`, `, "value": true`), `{"value": 2}`},
		{message("import-one", `"a"`, `, "value": NaN`), `null`},
		{message("import-one", `"a"`, `, "value": "abc"`), `null`},
		{message("import-one", `"a"`, `, "value": "\ud800"`), ``},
		{`{"is-readonly": {}}`, `{"readonly": null}`},
		{`{"get-pr": {"version": "v"}}`, ``},
		{`{"quit": {}}`, ``},
		{`[]`, ``},
		{`"ping"`, ``},
	})
	wantAnswers(t, addr, hello2b, []commandTest{
		{message("get-pr", `"a"`, old), `{"value": 2}`},
		{message("get-pr", `"b"`, old), `{"value": 3}`},
		{message("get-pr", `null`, old), `null`},
		{message("get-pr", `[1]`, old), ``},
		{message("test-pr", `"a"`, old), `{"value": 2}`},
		{message("test-pr", `"x"`, old), `{"value": null}`},
		{message("test-pr", `"a"`, newer), `{"value": "2"}`},
		{message("test-package", `"a"`, old), `{"value": true}`},
		{`{"test-package": {"version": "x", "pkgarch": "all"}}`, `{"value": false}`},
		{message("max-package-pr", `"a"`, old), `{"value": "3"}`},
		{`{"max-package-pr": {"version": "x", "pkgarch": "all"}}`, `{"value": null}`},
		{message("import-one", `"c"`, `, "value": 8`), `{"value": 8}`},
		{message("import-one", `"c"`, `, "value": 8.0`), `{"value": 8.0}`},
		{message("import-one", `"c"`, `, "value": null`), `null`},
		{message("import-one", `"c"`, `, "value": NaN`), `null`},
		{message("import-one", `"c"`, `, "value": [8]`), ``},
		{message("import-one", `"c"`, `, "value": "abc"`), `{"invoke-error": {"message": "import-one: \"abc\" is no PR value: ` +
			`it needs whole numbers with dots between; nothing was stored"}}`},
		{`{"is-readonly": null}`, `{"readonly": false}`},
		{message("get-pr", `"`+strings.Repeat("x", 65537)+`"`, old), ``}, // the line is too long
	})
	wantAnswers(t, addr, hello2b, []commandTest{
		{message("get-pr", `"c"`, newer), `{"value": "8"}`},
		{message("get-pr", `"a"`, newer), `{"value": "9"}`},
		{message("get-pr", `"b"`, newer), `{"value": "10"}`},
		{message("get-pr", `"a"`, newer), `{"value": "11"}`},
		{message("get-pr", `"a"`, history), `{"value": "2"}`},
		{message("test-pr", `"a"`, history), `{"value": "2"}`},
		{message("test-pr", `"a"`, newer), `{"value": "11"}`},
		{message("get-pr", `null`, newer), ``},
		{message("import-one", `"d"`, `, "value": "11.5"`), `{"value": "11.5"}`},
		{message("get-pr", `"e"`, newer), `{"value": "11.6"}`},
		{message("get-pr", `"e"`, old), `{"value": 12}`},
		{`{"export": {"version": null, "pkgarch": "", "checksum": 0, "colinfo": false, "history": false}}`,
			`{"metainfo": {}, "datainfo": [{"version": "v", "pkgarch": "all", "checksum": "e", "value": "12"}]}`},
		{`{"export": {"version": null, "pkgarch": "", "checksum": "d", "colinfo": false, "history": true}}`,
			`{"metainfo": {}, "datainfo": [{"version": "v", "pkgarch": "all", "checksum": "d", "value": "11.5"}]}`},
		{`{"export": {"version": "v", "pkgarch": "all", "checksum": null, "colinfo": false}}`,
			`{"metainfo": {}, "datainfo": [{"version": "v", "pkgarch": "all", "checksum": "e", "value": 12}]}`},
	})
}

// TestCommandTrouble tells clients in words of trouble that they cannot help,
// and those who know no words by null.
func TestCommandTrouble(t *testing.T) {
	logged := &prservtest.Log{}
	full := &store.FileError{File: "/srv/pr.db", Err: &store.Error{Reason: store.ErrFull, Text: "database or disk is full"}}
	addr, _ := serveConfig(t, prserv.Config{Store: troubled{err: full}, Log: slog.New(slog.NewTextHandler(logged, nil))})
	getPR := message("get-pr", `"a"`, "")
	if got := say(t, addr, hello2a, getPR); len(got) != 1 || got[0] != "null" {
		t.Errorf("BitBake 2.0 gets %q", got)
	}
	if got := say(t, addr, hello2b, getPR, getPR); len(got) != 1 || got[0] != `{"invoke-error": {"message": "get-pr: database or disk is full"}}` {
		t.Errorf("BitBake 2.8 gets %q", got)
	}
	if want := "method=get-pr version=v pkgarch=all client=127.0.0.1 file=/srv/pr.db"; !strings.Contains(logged.String(), want) {
		t.Errorf("the log does not have %q: %s", want, logged)
	}
}

// TestCommandTooLong says once which command has a text that is too long.
func TestCommandTooLong(t *testing.T) {
	addr, _ := serveConfig(t, prserv.Config{})
	long := message("get-pr", `"`+strings.Repeat("x", 65537)+`"`, "")
	got := say(t, addr, hello2b, `{"chunk-stream": null}`, long[:40000], long[40000:], "")
	want := `{"invoke-error": {"message": "get-pr: checksum: a version, pkgarch, checksum or value may have 64 KiB at most"}}`
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestExportFilters compares a filter as Python's str() of it.
func TestExportFilters(t *testing.T) {
	addr, _ := serveConfig(t, prserv.Config{})
	for filter, text := range map[string]string{
		`true`: `True`, `1`: `1`, `1.0`: `1.0`, `1e22`: `1e+22`, `NaN`: `nan`, `-Infinity`: `-inf`, `"x"`: `x`,
		`[null, false, "a", []]`:                         `[None, False, 'a', []]`,
		`{"a": 1, "b": {}, "a": 1.5}`:                    `{'a': 1.5, 'b': {}}`,
		`["it's", "\"", "'\"", "\\"]`:                    `["it's", '"', '\'"', '\\']`,
		`["\t\n\r\u0001\u00e9\u00ad\u200b\ud83d\ude00"]`: `['\t\n\r\x01é\xad\u200b😀']`,
	} {
		version, _ := json.Marshal(text)
		say(t, addr, hello2b, fmt.Sprintf(`{"get-pr": {"version": %s, "pkgarch": "a", "checksum": "c"}}`, version))
		got := say(t, addr, hello2b, fmt.Sprintf(`{"export": {"version": %s, "pkgarch": null, "checksum": null, "colinfo": false}}`, filter))
		if len(got) != 1 || !strings.Contains(got[0], `"checksum": "c"`) {
			t.Errorf("%s does not find %s: %q", filter, text, got)
		}
	}
}

// TestCommandsReadOnly stores nothing.
func TestCommandsReadOnly(t *testing.T) {
	addr, _ := serveConfig(t, prserv.Config{ReadOnly: true})
	wantAnswers(t, addr, hello2b, []commandTest{
		{message("get-pr", `null`, ""), `{"value": 0}`},
		{message("get-pr", `null`, `, "history": true`), `{"value": "0"}`},
		{message("import-one", `"a"`, `, "value": 1`), `null`},
		{`{"import-one": 7}`, `null`},
		{`{"is-readonly": {}}`, `{"readonly": true}`},
	})
}
