package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"prserver/prserv/place"
	"prserver/tools/internal/scripttest"
)

// openTerminal returns a terminal, and a function that closes it and returns
// what was written to it.
func openTerminal(t *testing.T) (*os.File, func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		t.Skipf("this machine gives no pseudo-terminal: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	terminal, err := otherEnd(master)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	written := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(master) // fails once nobody has the terminal any more
		written <- string(text)
	}()
	return terminal, func() string {
		terminal.Close()
		return <-written
	}
}

// otherEnd returns the end of a terminal that programs write to.
func otherEnd(master *os.File) (*os.File, error) {
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("a new pseudo-terminal: %w", err)
	}
	return os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
}

// shown is what a terminal shows in the end: of each line the last that was
// written over it.
func shown(written string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(written, "\r\n", "\n"), "\n") {
		var screen []rune
		at := 0
		for _, r := range line {
			if r == '\r' {
				at = 0
				continue
			}
			if at == len(screen) {
				screen = append(screen, r)
			}
			screen[at] = r
			at++
		}
		lines = append(lines, strings.TrimRight(string(screen), " "))
	}
	return strings.Join(lines, "\n")
}

// TestProgress looks at the bar on a terminal: it comes when work lasts, and
// nothing of it is left.
func TestProgress(t *testing.T) {
	stderr, written := openTerminal(t)
	var stdout strings.Builder
	p := newProgram(strings.NewReader(""), &stdout, stderr)
	clock := p.progress.start
	p.progress.now = func() time.Time { return clock }
	step := func(done place.Progress) {
		p.progress.show(done)
		clock = clock.Add(interval)
	}
	p.work = fakeWork{copied: place.Copied{New: 1}, begin: func() {
		step(place.Progress{What: "too early", Part: 0.1})
		clock = p.progress.start.Add(patience)
		step(place.Progress{What: "reading a.sql", Rows: 1000, Part: -1})
		step(place.Progress{What: "reading a.sql", Rows: 2000, Part: -1})
		p.say("prserv-tool: a row is left out")
		step(place.Progress{What: "writing b.db", Rows: 0, Part: 0})
		step(place.Progress{What: "writing b.db", Rows: 5000, Part: 0.5})
		step(place.Progress{What: "writing " + strings.Repeat("b", 200), Rows: 9000, Part: 1})
	}}
	if code := p.run(t.Context(), []string{"copy", "a.sql", "b.db"}); code != 0 {
		t.Errorf("exit code %d", code)
	}
	text := written()
	for _, want := range []string{"reading a.sql, ", " rows/s", "50% |█████", "writing b.db, ", "s left", "99% |█████"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
	if strings.Contains(text, "too early") {
		t.Errorf("it came too early: %q", text)
	}
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if got := shown(text); got != "prserv-tool: a row is left out\n" {
		t.Errorf("left on the terminal: %q", got)
	}
	if stdout.String() != "1 row: 1 new, 0 raised, 0 kept\n" {
		t.Errorf("stdout %q", stdout.String())
	}
}

// TestOneTerminal looks at a terminal that is stdout and stderr: once there
// are rows, there is no bar.
func TestOneTerminal(t *testing.T) {
	terminal, written := openTerminal(t)
	p := newProgram(strings.NewReader(""), terminal, terminal)
	p.progress.start = time.Now().Add(-patience)
	p.work = fakeWork{rows: someRows, begin: func() { p.progress.show(place.Progress{What: "reading a.sql", Part: 0.5}) }}
	if code := p.run(t.Context(), []string{"list", "a.sql"}); code != 0 {
		t.Errorf("exit code %d", code)
	}
	p.progress.show(place.Progress{What: "reading b.sql", Part: 0.5})
	text := written()
	if !strings.Contains(text, "50% |█████") || strings.Contains(text, "b.sql") {
		t.Errorf("written: %q", text)
	}
	want := "VERSION      PKGARCH   CHECKSUM  VALUE\n" +
		"bash-5.2-r0  core2-64  aa            7\n" +
		"a            all       b\\tb\\n     1.10\n"
	if got := shown(text); got != want {
		t.Errorf("shown: %q, want %q", got, want)
	}
}

// TestListOnATerminal lists a real place.
func TestListOnATerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.inc")
	if err := os.WriteFile(file, []byte("PRAUTO$bash-5.2-r0$core2-64$aa = \"10\"\nPRAUTO$a$all$bb = \"7\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	terminal, written := openTerminal(t)
	cmd := exec.Command("prserv-tool", "list", file)
	cmd.Stdout, cmd.Stderr = terminal, terminal
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	want := "VERSION      PKGARCH   CHECKSUM  VALUE\n" +
		"a            all       bb            7\n" +
		"bash-5.2-r0  core2-64  aa           10\n"
	if got := shown(written()); got != want {
		t.Errorf("shown: %q, want %q", got, want)
	}
}

// TestNoProgressInAPipe has no terminal.
func TestNoProgressInAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := newProgress(w)
	p.start = time.Now().Add(-time.Hour)
	p.show(place.Progress{What: "reading a.sql", Part: 0.5})
	p.clear()
	w.Close()
	if text, err := io.ReadAll(r); err != nil || len(text) > 0 {
		t.Errorf("%q, %v", text, err)
	}
}

// TestClosedPipe gives the program a stdout that nobody reads: it has to end
// as head's neighbours do.
func TestClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	var stderr strings.Builder
	cmd := exec.Command("prserv-tool", "man")
	cmd.Stdout, cmd.Stderr = w, &stderr
	cmd.Run()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGPIPE || stderr.Len() > 0 {
		t.Errorf("%v, stderr %q", cmd.ProcessState, stderr.String())
	}
}

// TestTerminated is the interrupt of the scripts with the other signal.
func TestTerminated(t *testing.T) {
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		close(asked)
		<-r.Context().Done()
	}))
	defer server.Close()
	var stderr strings.Builder
	cmd := exec.Command("prserv-tool", "ping", server.Listener.Addr().String())
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-asked:
	case <-time.After(scripttest.Patience):
		t.Error("the server is not asked")
	}
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 2 || stderr.String() != "prserv-tool: interrupted\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}
