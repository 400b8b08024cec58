package golden

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestFormatRoundTrip(t *testing.T) {
	for _, want := range []Session{
		{},
		{About: []string{"one line"}},
		{About: []string{"two", "lines"}, Seed: "CREATE TABLE t (x);"},
		{Seed: "\tindented\n\nempty line before\nend\n> no request\r\n"},
		{Refused: Difference{"an error", "it is better so"}},
		{About: []string{"a line"}, Refused: Difference{"\n", "b"}, Seed: "x"},
		{
			About: []string{"exchanges"},
			Exchanges: []Exchange{
				{About: "plain", Request: []byte("GET / HTTP/1.0\r\n\r\n"), Reply: []byte("HTTP/1.0 501 x\r\n\r\n")},
				{About: "bytes", Request: allBytes(), Reply: allBytes()},
				{About: "no reply", HalfClose: true, Request: []byte("x"), Reply: []byte{}},
				{About: "nothing at all", Request: []byte{}, Reply: []byte{}},
				{About: "not recorded yet", Request: []byte("x")},
				{About: "in between", Request: []byte("x"), Reply: []byte("y")},
				{About: "two marks", HalfClose: true, Differs: Difference{`<"ours">`, `a "because" because`}, Request: []byte("x")},
				{About: "# marks > < !", Request: []byte("\ufeff\u2028é😀\"`'\\"), Reply: []byte("\xc3\x28")},
			},
		},
		{JSONLines: true, ReadOnly: true, Refused: Difference{"a", "b"}, Seed: "s", Upstream: true},
		{JSONLines: true, Upstream: true, UpstreamSeed: "a\nb", Exchanges: []Exchange{inLines("above", "{}")}},
	} {
		text := format(want)
		got, err := parse(text)
		if err != nil {
			t.Errorf("parse(%q): %v", text, err)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("parse(%q) = %#v, want %#v", text, got, want)
		}
	}
}

// inLines returns an exchange of a JSON-lines session that goes upstream.
func inLines(about, request string) Exchange {
	return Exchange{About: about, Upstream: true, HalfClose: true, Request: []byte(request + "\n"), Lines: []string{request}}
}

func allBytes() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func TestParseRefuses(t *testing.T) {
	const unknown, place, quoted = "unknown line", "in the wrong place", "invalid syntax"
	for _, c := range []struct{ text, want string }{
		{"garbage\n", "before the first empty line"},
		{"> \"a\"\n", "before the first empty line"},
		{"! refused \"a\" because b\n! refused \"a\" because b\n", "two differences"},
		{"\n! refused \"a\" because b\n> \"a\"\n", unknown},
		{"\ngarbage\n", unknown},
		{"\n> \"a\"\ngarbage\n", place},
		{"\n> \"a\"\n> \"b\"\n", place},
		{"\n> \"a\"\n< \"b\"\n< \"b\"\n", place},
		{"\n> \"a\"\n! half-close\n", place},
		{"\n> \"a\"\n! differs \"a\" because b\n", place},
		{"\n> \"a\"\n< \"b\"\n# c\n", place},
		{"\n< \"a\"\n", place},
		{"\n> a\n", quoted},
		{"\n> \"a\"\n< \"b\n", quoted},
		{"\n# a\n", "without request"},
		{"\n! half-close", "without request"},
		{"\n# a\n\n> \"b\"\n", "without request"},
		{"\n# a\n# b\n> \"c\"\n", "two comments"},
		{"\n! differs \"a\" because b\n! differs \"a\" because b\n> \"c\"\n", "two differences"},
		{"\n! differs a because b\n> \"c\"\n", "without quoted text"},
		{"\n! differs \"a\"\n> \"c\"\n", "a difference is"},
		{"\n! differs \"a\" b\n> \"c\"\n", "a difference is"},
		{"\n! differs \"a\" because \n> \"c\"\n", "a difference is"},
		{"\nseed\n\tx", "without end"},
		{"\nseed\nx\nend\n", "without tab"},
		{"\nseed\n\tx\nend\n\nseed\n\tx\nend\n", "before the exchanges"},
		{"\n# a\nseed\n\tx\nend\n", "before the exchanges"},
		{"\nupstream\nend\n\nupstream\nend\n", "before the exchanges"},
		{"\n! upstream\n> \"a\"\n", unknown},
		{"! json-lines\n\n! half-close\n> a\n", unknown},
		{"! json-lines\n\n< a\n", place},
		{"! json-lines\n\n> a\n< a\n> a\n", place},
		{"! json-lines\n\n> \"a\n", quoted},
		{"! json-lines\n\n> \"a\"  \n", "behind quoted text"},
		{"! json-lines\n\n> \"a\" * x\n", "behind quoted text"},
		{"! json-lines\n\n> \"a\" * -1\n", "behind quoted text"},
	} {
		if got, err := parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("parse(%q) = %#v, %v, want an error with %q", c.text, got, err, c.want)
		}
	}
}

func TestWriteFileOnlyWhatDiffers(t *testing.T) {
	dir := t.TempDir()
	session := Session{Name: "s", Exchanges: []Exchange{{About: "a", Request: []byte("q"), Reply: []byte("r")}}}
	for _, step := range []struct {
		reply string
		want  bool
	}{{"r", true}, {"r", false}, {"other", true}} {
		session.Exchanges[0].Reply = []byte(step.reply)
		got, err := WriteFile(dir, session)
		if err != nil {
			t.Fatal(err)
		}
		if got != step.want {
			t.Errorf("WriteFile with reply %q wrote: %v, want %v", step.reply, got, step.want)
		}
	}
	sessions, err := ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(sessions, []Session{session}) {
		t.Errorf("ReadDir = %#v, want %#v", sessions, []Session{session})
	}
}

func TestReadDirWithoutSessions(t *testing.T) {
	if _, err := ReadDir(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ReadDir of an empty folder: %v, want %v", err, os.ErrNotExist)
	}
}

// TestRecordings checks that every file is as record-golden writes it, and that both dialects have the same sessions.
func TestRecordings(t *testing.T) {
	py2, py3 := checkRecordings(t, string(Py2)), checkRecordings(t, string(Py3))
	if !reflect.DeepEqual(py2, py3) {
		t.Errorf("the numbers of exchanges are not the same:\n py2 %v\n py3 %v", py2, py3)
	}
	for _, release := range Releases() {
		checkRecordings(t, string(release))
	}
}

// checkRecordings checks the files of a folder, and returns how many exchanges each session has.
func checkRecordings(t *testing.T, folder string) map[string]int {
	t.Helper()
	dir := filepath.Join("..", "..", "testdata", "golden", folder)
	sessions, err := ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	exchanges := map[string]int{}
	for _, session := range sessions {
		exchanges[session.Name] = len(session.Exchanges)
		checkRecording(t, dir, session)
	}
	return exchanges
}

func checkRecording(t *testing.T, dir string, session Session) {
	t.Helper()
	path := filepath.Join(dir, session.Name+fileEnding)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(format(session), text) {
		t.Errorf("%s: reading and writing it changes it", path)
	}
	for i, exchange := range session.Exchanges {
		if !bytes.Equal(session.Normalise(exchange.Reply), exchange.Reply) {
			t.Errorf("%s: reply %d (%s) is not normalised", path, i+1, exchange.About)
		}
	}
}
