package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/tools/internal/scripttest"
)

// buildDir is the folder of ourProgram. It is empty until a test needs it.
var buildDir string

// ourProgram builds the bitbake-prserv of this repository once, and returns its
// path.
var ourProgram = sync.OnceValues(func() (string, error) {
	var err error
	if buildDir, err = os.MkdirTemp("", "prserv-bench-test-"); err != nil {
		return "", err
	}
	return scripttest.BuildServer(buildDir)
})

// tests runs all tests and then removes what ourProgram has made.
type tests struct{ *testing.M }

func (t tests) Run() int {
	code := t.M.Run()
	if buildDir != "" {
		os.RemoveAll(buildDir)
	}
	return code
}

// cmdBuild sets $PROGRAM to our bitbake-prserv. When the script ends, it fails if a
// server of the script still runs.
func cmdBuild(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: build")
	}
	if _, err := exec.LookPath("sqlite3"); err != nil {
		ts.Fatalf("%v: scripts/test installs it", err)
	}
	file, err := ourProgram()
	ts.Check(err)
	ts.Setenv("PROGRAM", file)
	ts.Defer(func() {
		if left := running(ts.MkAbs(".")); len(left) > 0 {
			ts.Fatalf("left running: %q", left)
		}
	})
}

// running returns the command lines of servers whose file is in a folder.
func running(dir string) []string {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var found []string
	for _, file := range files {
		text, _ := os.ReadFile(file) // fails for one that has just ended
		if bytes.Contains(text, []byte("\x00"+dir+"/")) && bytes.Contains(text, []byte("\x00--file\x00")) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}

// lineWriter calls a function with each line that is written to it.
type lineWriter func(line string)

func (w lineWriter) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		w(line)
	}
	return len(p), nil
}

// TestTablesInterrupted interrupts tables at each step. No server and no file may
// be left.
func TestTablesInterrupted(t *testing.T) {
	file, err := ourProgram()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"making a file of 40000", ": dumps", "without dumps", "beside dumps"} {
		t.Run(at, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			dir := t.TempDir()
			var stderr bytes.Buffer
			code := run(ctx, []string{"prserv-bench", "tables", "--program", file, "--only", "dump", "--dir", dir, "--warmup", "0s", "--duration", "100ms"},
				io.Discard, lineWriter(func(line string) {
					stderr.WriteString(line)
					if strings.Contains(line, at) {
						cancel()
					}
				}))
			want := "prserv-bench: interrupted; nothing that was under way is reported\n"
			if code != 1 || !strings.HasSuffix(stderr.String(), want) {
				t.Errorf("exit code %d, stderr %q", code, stderr.String())
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			if left := running(dir); len(left) > 0 {
				t.Errorf("left running: %q", left)
			}
		})
	}
}

func TestReadDump(t *testing.T) {
	const insert = "INSERT INTO \"PRMAIN_nohist\" VALUES('a','b','c',1);\n"
	tests := []struct {
		name, body string
		header     http.Header
		err        string
	}{
		{"complete", "<string>BEGIN TRANSACTION;\n" + insert + insert + "COMMIT;\n</string>", nil, ""},
		{"with a long line", strings.Repeat("x", 10_000) + "\n" + insert + insert + "COMMIT;\n", nil, ""},
		{"a row is missing", insert + "COMMIT;\n", nil, "the dump of 2 rows has 1, and complete is true"},
		{"the end is missing", insert + insert, nil, "the dump of 2 rows has 2, and complete is false"},
		{"a fault", faultBody, nil, "the dump of 2 rows has 0, and complete is false"},
		{"cut", insert + insert + "COMMIT;\n", http.Header{"Content-Length": {"1000"}}, "reading a dump: unexpected EOF"},
		{"without gzip", insert + insert + "COMMIT;\n", http.Header{"Content-Encoding": {"identity"}}, "the dump came without gzip"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for name, values := range test.header {
					w.Header()[name] = values
				}
				if test.header != nil {
					io.WriteString(w, test.body)
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				packed := gzip.NewWriter(w)
				io.WriteString(packed, test.body)
				packed.Close()
			}))
			defer server.Close()
			_, err := readDump(t.Context(), server.Listener.Addr().String(), 2)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != test.err {
				t.Errorf("got %q, want %q", got, test.err)
			}
		})
	}
}

func TestFileSystem(t *testing.T) {
	if got := fileSystem("/proc"); got != "proc" {
		t.Errorf("/proc is on %q", got)
	}
	if got := fileSystem("/proc/self"); got != "proc" { // a link
		t.Errorf("/proc/self is on %q", got)
	}
}
