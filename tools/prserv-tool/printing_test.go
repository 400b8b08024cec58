package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"prserver/prserv/place"
)

// fakeWork is what a test wants places to hold.
type fakeWork struct {
	copied   place.Copied
	compared place.Compared
	found    []place.Difference
	rows     []place.Row
	problems []place.Problem
	raised   place.Raised
	checked  int64 // the rows that Check reports
	err      error
	begin    func() // called before anything is found
}

func (f fakeWork) started() {
	if f.begin != nil {
		f.begin()
	}
}

func (f fakeWork) Copy(context.Context, place.Place, place.Place, place.CopyOptions) (place.Copied, error) {
	f.started()
	return f.copied, f.err
}

func (f fakeWork) Diff(_ context.Context, _, _ place.Place, each func(place.Difference) error) (place.Compared, error) {
	return f.compared, feed(f, f.found, each)
}

func (f fakeWork) List(_ context.Context, _ place.Place, _ place.ListOptions, each func(place.Row) error) error {
	return feed(f, f.rows, each)
}

func (f fakeWork) Check(_ context.Context, _ place.Place, each func(place.Problem) error) (int64, error) {
	return f.checked, feed(f, f.problems, each)
}

func (f fakeWork) CheckPublished(context.Context, place.Place, place.Place, func(place.Behind) error) error {
	return f.err
}

func (f fakeWork) MendPublished(place.Place, place.Place) string { return "" }

func (f fakeWork) RaiseTwins(context.Context, place.Place) (place.Raised, error) {
	f.started()
	return f.raised, f.err
}

func feed[T any](f fakeWork, found []T, each func(T) error) error {
	f.started()
	for _, one := range found {
		if err := each(one); err != nil {
			return err
		}
	}
	return f.err
}

var someRows = []place.Row{
	{Version: "bash-5.2-r0", Pkgarch: "core2-64", Checksum: "aa", Value: "7"},
	{Version: "a", Pkgarch: "all", Checksum: "b\tb\n", Value: "1.10"},
}

var someDifferences = []place.Difference{
	{Version: "v", Pkgarch: "p", Checksum: "1", A: "5"},
	{Version: "v", Pkgarch: "p", Checksum: "2", B: "6"},
	{Version: "v", Pkgarch: "p", Checksum: "<3>", A: "5", B: "7"},
}

func TestPrinting(t *testing.T) {
	broken := errors.New("a.sql: line 7 is none")
	differ := fakeWork{found: someDifferences, compared: place.Compared{OnlyA: 1, OnlyB: 1, Other: 1, Same: 4000}}
	equal := fakeWork{compared: place.Compared{Same: 3}}
	wrong := fakeWork{problems: []place.Problem{{What: "row 7 has no value", Do: "remove it"}, {What: "x", Do: "y"}}}
	tests := []struct {
		name, args     string
		work           fakeWork
		code           int
		stdout, stderr string
	}{
		{"copy", "copy a.db b.db", fakeWork{copied: place.Copied{New: 12, Raised: 3, Kept: 4696}}, 0,
			"4711 rows: 12 new, 3 raised, 4696 kept\n", ""},
		{"copy of one", "copy a.db b.inc", fakeWork{copied: place.Copied{New: 1}}, 0, "1 row: 1 new, 0 raised, 0 kept\n", ""},
		{"copy leaves rows out", "copy a.db b.inc", fakeWork{copied: place.Copied{New: 1, Left: 2, Lower: 1}}, 0,
			"3 rows: 1 new, 0 raised, 0 kept, 2 left out; --all writes lower values as well\n", ""},
		{"copy leaves names out", "copy a.db b.inc", fakeWork{copied: place.Copied{New: 1, Left: 2}}, 0,
			"3 rows: 1 new, 0 raised, 0 kept, 2 left out\n", ""},
		{"copy of all leaves rows out", "copy a.db b.inc --all", fakeWork{copied: place.Copied{New: 1, Left: 2}}, 0,
			"3 rows: 1 new, 0 raised, 0 kept, 2 left out\n", ""},
		{"copy of wholes leaves rows out", "copy a.db b.db", fakeWork{copied: place.Copied{New: 1, Left: 2}}, 0,
			"3 rows: 1 new, 0 raised, 0 kept, 2 left out\n", ""},
		{"copy to stdout", "copy a.db - --format sql", fakeWork{copied: place.Copied{New: 2}}, 0, "",
			"2 rows: 2 new, 0 raised, 0 kept\n"},
		{"copy fails", "copy a.sql b.db", fakeWork{err: broken}, 2, "", "prserv-tool: a.sql: line 7 is none\n"},
		{"diff", "diff a.db b:1", differ, 1, "<\tv\tp\t1\t5\n>\tv\tp\t2\t6\n!\tv\tp\t<3>\t5\t7\n",
			"4003 checksums: 1 only in a.db, 1 only in b:1, 1 with other values, 4000 equal\n"},
		{"diff of equal places", "diff a.db b.db", equal, 0, "", "3 checksums: 0 only in a.db, 0 only in b.db, 0 with other values, 3 equal\n"},
		{"diff fails", "diff a.db b.db", fakeWork{found: someDifferences[:1], err: broken}, 2, "<\tv\tp\t1\t5\n",
			"prserv-tool: a.sql: line 7 is none\n"},
		{"diff in JSON", "diff --json a.db b.db", differ, 1, `{"differences":[
{"version":"v","pkgarch":"p","checksum":"1","a":"5"},
{"version":"v","pkgarch":"p","checksum":"2","b":"6"},
{"version":"v","pkgarch":"p","checksum":"\u003c3\u003e","a":"5","b":"7"}
],
"only_a":1,"only_b":1,"other":1,"same":4000}
`, ""},
		{"diff of equal places in JSON", "diff --json a.db b.db", equal, 0,
			"{\"differences\":[\n],\n\"only_a\":0,\"only_b\":0,\"other\":0,\"same\":3}\n", ""},
		{"list", "list a.db", fakeWork{rows: someRows}, 0, "bash-5.2-r0\tcore2-64\taa\t7\na\tall\tb\\tb\\n\t1.10\n", ""},
		{"list fails", "list a.db", fakeWork{rows: someRows[:1], err: broken}, 2, "bash-5.2-r0\tcore2-64\taa\t7\n",
			"prserv-tool: a.sql: line 7 is none\n"},
		{"raise twins", "raise-twins a.db", fakeWork{raised: place.Raised{Versions: 2, Rows: 3}}, 0, "3 checksums of 2 versions raised\n", ""},
		{"raise twins of stdin", "raise-twins - --format inc", fakeWork{raised: place.Raised{Versions: 1, Rows: 1}}, 0, "",
			"1 checksum of 1 version raised\n"},
		{"raise twins without a number", "raise-twins a.db", fakeWork{raised: place.Raised{Left: 1}}, 1, "0 checksums of 0 versions raised\n", ""},
		{"raise twins fails", "raise-twins a.db", fakeWork{err: broken}, 2, "", "prserv-tool: a.sql: line 7 is none\n"},
		{"list in JSON", "list --json a.db", fakeWork{rows: someRows}, 0, `{"rows":[
{"version":"bash-5.2-r0","pkgarch":"core2-64","checksum":"aa","value":"7"},
{"version":"a","pkgarch":"all","checksum":"b\tb\n","value":"1.10"}
]}
`, ""},
		{"list of nothing in JSON", "list --json a.db", fakeWork{}, 0, "{\"rows\":[\n]}\n", ""},
		{"check", "check a.db", wrong, 1, "a.db: row 7 has no value; remove it\na.db: x; y\n", ""},
		{"check finds nothing", "check a.db", fakeWork{checked: 1}, 0, "a.db: nothing wrong\n", ""},
		{"check finds no value", "check a.db", fakeWork{}, 0, "a.db: nothing wrong, but it has no value, so every number starts at 0\n", ""},
		{"check fails", "check a.db", fakeWork{err: broken}, 2, "", "prserv-tool: a.sql: line 7 is none\n"},
		{"check in JSON", "check --json a.db", wrong, 1,
			"{\"problems\":[\n{\"what\":\"row 7 has no value\",\"do\":\"remove it\"},\n{\"what\":\"x\",\"do\":\"y\"}\n],\n\"rows\":0}\n", ""},
		{"check finds nothing in JSON", "check --json a.db", fakeWork{checked: 7}, 0, "{\"problems\":[\n],\n\"rows\":7}\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			p := newProgram(strings.NewReader(""), &stdout, &stderr)
			p.work = test.work
			code := p.run(t.Context(), strings.Fields(test.args))
			if code != test.code || stdout.String() != test.stdout || stderr.String() != test.stderr {
				t.Errorf("got %d, stdout %q, stderr %q\nwant %d, stdout %q, stderr %q",
					code, stdout.String(), stderr.String(), test.code, test.stdout, test.stderr)
			}
			if strings.Contains(test.args, "--json") && !json.Valid(stdout.Bytes()) {
				t.Errorf("no JSON: %s", stdout.String())
			}
		})
	}
}

// TestOneLine has places whose names and rows have control characters.
func TestOneLine(t *testing.T) {
	var stderr bytes.Buffer
	p := newProgram(strings.NewReader(""), &bytes.Buffer{}, &stderr)
	p.work.(*place.Work).Warn("a\nb\x1b[31m is left out")
	p.work = fakeWork{}
	p.run(t.Context(), []string{"diff", "a\n.db", "b\t.db"})
	p.work = fakeWork{err: errors.New("a\rb")}
	p.run(t.Context(), []string{"diff", "a.db", "b.db"})
	want := "prserv-tool: a\\nb\\x1b[31m is left out\n" +
		"0 checksums: 0 only in a\\n.db, 0 only in b\\t.db, 0 with other values, 0 equal\n" +
		"prserv-tool: a\\rb\n"
	if stderr.String() != want {
		t.Errorf("got %q, want %q", stderr.String(), want)
	}
}

func TestInterrupted(t *testing.T) {
	tests := []struct{ args, want string }{
		{"copy a.db b.db", "prserv-tool: interrupted; b.db is as it was\n"},
		{"copy a.db b:1", "prserv-tool: interrupted; run it again to finish\n"},
		{"copy a.db - --format sql", "prserv-tool: interrupted; what was written is not complete\n"},
		{"list a.db", "prserv-tool: interrupted\n"},
	}
	for _, test := range tests {
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr bytes.Buffer
		p := newProgram(strings.NewReader(""), &stdout, &stderr)
		p.work = fakeWork{begin: cancel, err: errors.New("copying a.db: context canceled")}
		if code := p.run(ctx, strings.Fields(test.args)); code != 2 || stdout.Len() > 0 || stderr.String() != test.want {
			t.Errorf("%s: %d, stdout %q, stderr %q, want %q", test.args, code, stdout.String(), stderr.String(), test.want)
		}
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestFullDisk(t *testing.T) {
	for _, verb := range []string{"copy a.db b.db", "diff a.db b.db", "diff --json a.db b.db", "list a.db", "list --json a.db", "check a.db", "man", "completion bash"} {
		var stderr bytes.Buffer
		p := newProgram(strings.NewReader(""), fullDisk{}, &stderr)
		p.work = fakeWork{rows: someRows, found: someDifferences, problems: []place.Problem{{What: "x", Do: "y"}}}
		code := p.run(t.Context(), strings.Fields(verb))
		if code != 2 || !strings.HasPrefix(stderr.String(), "prserv-tool: ") || !strings.HasSuffix(stderr.String(), "no space left on device\n") {
			t.Errorf("%s: exit code %d, stderr %q", verb, code, stderr.String())
		}
	}
}

// TestTable looks at how rows are aligned: by the first thousand, and by what
// comes then only where that is wider.
func TestTable(t *testing.T) {
	var out bytes.Buffer
	rows := table{out: &out, aligned: true}
	for range looked {
		if err := rows.add([columns]string{"bash-5.2-r0", "all", "ää", "7"}); err != nil {
			t.Fatal(err)
		}
	}
	if out.Len() == 0 {
		t.Errorf("%d rows wait for more", looked)
	}
	rows.add([columns]string{"bash-5.2-r0-later", "all", "aa", "7"})
	rows.add([columns]string{"a", "all", "aa", "1.10"})
	if err := rows.end(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	got := append(lines[:2:2], lines[looked+1:]...)
	want := []string{
		"VERSION      PKGARCH  CHECKSUM  VALUE",
		"bash-5.2-r0  all      ää            7",
		"bash-5.2-r0-later  all      aa            7",
		"a                  all      aa         1.10",
		"",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	out.Reset()
	rows = table{out: &out, aligned: true}
	if err := rows.end(); err != nil || out.Len() > 0 {
		t.Errorf("no rows: %v, %q", err, out.String())
	}
}

func TestDescribe(t *testing.T) {
	tests := []struct {
		now, first place.Progress
		want       string
	}{
		{place.Progress{What: "reading a.sql", Part: -1}, place.Progress{Part: -1}, "reading a.sql"},
		{place.Progress{What: "reading a.sql", Rows: 3000, Part: -1}, place.Progress{Rows: 1000, Part: -1}, "reading a.sql, 1000 rows/s"},
		{place.Progress{What: "reading a.sql", Rows: 2000, Part: 0.25}, place.Progress{}, "reading a.sql, 1000 rows/s, 6s left"},
		{place.Progress{What: "reading a.sql", Part: 0.5}, place.Progress{Part: 0.5}, "reading a.sql"},
		{place.Progress{What: "reading a\x1b", Rows: 2000, Part: 1}, place.Progress{}, `reading a\x1b, 1000 rows/s, 0s left`},
	}
	for _, test := range tests {
		if got := describe(test.now, test.first, 2*time.Second); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.now, got, test.want)
		}
	}
}
