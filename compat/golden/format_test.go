package golden

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
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
		{"\n! differs \"\" because b\n> \"c\"\n", "a difference is"},
		{"\nseed\n\tx", "without end"},
		{"\nseed\nx\nend\n", "without tab"},
		{"\nseed\n\tx\nend\n\nseed\n\tx\nend\n", "before the exchanges"},
		{"\n# a\nseed\n\tx\nend\n", "before the exchanges"},
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

// defined is made once: some sessions hold megabytes before they are gzipped.
var defined = sync.OnceValue(func() map[Dialect][]Session {
	return map[Dialect][]Session{Py2: Sessions(Py2), Py3: Sessions(Py3)}
})

// TestRecordings holds what is recorded against what is defined: a session that was changed has to be recorded
// again, and one that was taken out has to leave.
func TestRecordings(t *testing.T) {
	for _, dialect := range []Dialect{Py2, Py3} {
		t.Run(string(dialect), func(t *testing.T) {
			dir := filepath.Join("..", "..", "testdata", "golden", string(dialect))
			recorded, err := ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			defined := defined()[dialect]
			if got, want := names(recorded), names(defined); !reflect.DeepEqual(got, want) {
				t.Fatalf("recorded are %q, defined are %q", got, want)
			}
			for i := range defined {
				checkRecording(t, dir, recorded[i], defined[i])
			}
		})
	}
}

func names(sessions []Session) []string {
	var names []string
	for _, session := range sessions {
		names = append(names, session.Name)
	}
	return names
}

func checkRecording(t *testing.T, dir string, recorded, defined Session) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, recorded.Name+fileEnding))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(format(recorded), text) {
		t.Errorf("%s: reading and writing it changes it", recorded.Name)
	}
	if !reflect.DeepEqual(recorded.About, defined.About) || recorded.Seed != defined.Seed {
		t.Errorf("%s: about or seed differ from the definition", recorded.Name)
	}
	if got, want := len(recorded.Exchanges), len(defined.Exchanges); got != want {
		t.Fatalf("%s: %d exchanges recorded, %d defined", recorded.Name, got, want)
	}
	for i, got := range recorded.Exchanges {
		want := defined.Exchanges[i]
		// Another Go may deflate otherwise, and the reference has answered what this one made.
		same := bytes.Equal(got.Request, want.Request) || bytes.Contains(got.Request, []byte("\x1f\x8b"))
		if got.About != want.About || got.HalfClose != want.HalfClose || !same {
			t.Errorf("%s: exchange %d (%s) differs from the definition", recorded.Name, i+1, got.About)
		}
		if !bytes.Equal(Normalise(got.Reply), got.Reply) {
			t.Errorf("%s: reply %d (%s) is not normalised", recorded.Name, i+1, got.About)
		}
	}
}

// TestSessionsKeepToTheDialect: what tells the dialects apart is the head of a request, never the calls.
func TestSessionsKeepToTheDialect(t *testing.T) {
	py2, py3 := defined()[Py2], defined()[Py3]
	if !reflect.DeepEqual(names(py2), names(py3)) {
		t.Fatalf("py2 has %q, py3 has %q", names(py2), names(py3))
	}
	for i := range py2 {
		if len(py2[i].Exchanges) != len(py3[i].Exchanges) {
			t.Errorf("%s: %d exchanges in py2, %d in py3", py2[i].Name, len(py2[i].Exchanges), len(py3[i].Exchanges))
		}
	}
}

func TestSessionsNeverRefuseOurselves(t *testing.T) {
	for _, session := range defined()[Py2] {
		if strings.HasPrefix(session.Name, "differs-") {
			continue
		}
		for _, exchange := range session.Exchanges {
			if strings.Contains(string(exchange.Request), "<!DOCTYPE") {
				t.Errorf("%s: %s: a DOCTYPE belongs into differs-doctype", session.Name, exchange.About)
			}
		}
	}
}
