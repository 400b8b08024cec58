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
		{
			About: []string{"exchanges"},
			Exchanges: []Exchange{
				{About: "plain", Request: []byte("GET / HTTP/1.0\r\n\r\n"), Reply: []byte("HTTP/1.0 501 x\r\n\r\n")},
				{About: "bytes", Request: allBytes(), Reply: allBytes()},
				{About: "no reply", HalfClose: true, Request: []byte("x"), Reply: []byte{}},
				{About: "nothing at all", Request: []byte{}, Reply: []byte{}},
				{About: "# marks > < !", Request: []byte("\ufeff\u2028é😀\"`'\\"), Reply: []byte("\xc3\x28")},
			},
		},
	} {
		text := Format(want)
		got, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q) = %#v, want %#v", text, got, want)
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
	for _, text := range []string{
		"garbage\n",
		"> \"a\"\n",
		"> \"a\"\n> \"b\"\n",
		"< \"a\"\n",
		"> a\n< \"b\"\n",
		"> \"a\"\n< \"b\n",
		"seed\n\tx\n",
		"seed\nx\nend\n",
	} {
		if got, err := Parse([]byte(text)); err == nil {
			t.Errorf("Parse(%q) = %#v, want an error", text, got)
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
	if !bytes.Equal(Format(recorded), text) {
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
		if session.Differs() {
			continue
		}
		for _, exchange := range session.Exchanges {
			if strings.Contains(string(exchange.Request), "<!DOCTYPE") {
				t.Errorf("%s: %s: a DOCTYPE belongs into differs-doctype", session.Name, exchange.About)
			}
		}
	}
}
