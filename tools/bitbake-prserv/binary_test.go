package main_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/client"
)

// patience bounds every wait for another program.
const patience = 30 * time.Second

// program is the built program, serving a file in the foreground.
type program struct {
	addr  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended

	mu  sync.Mutex
	log bytes.Buffer // its stderr; guarded by mu
}

var started = regexp.MustCompile(`^NOTE: Started PRServer with DBfile: (.*), IP: (.*), PORT: (\d+), PID: (\d+)$`)

// startProgram starts the program on a file, at a port that the system chooses.
func startProgram(t *testing.T, file string) *program {
	t.Helper()
	p := &program{ended: make(chan struct{})}
	p.cmd = exec.Command("bitbake-prserv", "--foreground", "--host", "127.0.0.1", "--port", "0", "--file", file)
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // else every program takes a second longer
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan []string, 1)
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if m := started.FindStringSubmatch(lines.Text()); m != nil {
				serving <- m
			}
		}
		p.cmd.Wait() // ended looks at the exit code
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("log of the server:\n%s", p.said())
		}
	})
	select {
	case m := <-serving:
		p.addr = m[2] + ":" + m[3]
		if pid := fmt.Sprint(p.cmd.Process.Pid); m[1] != file || m[4] != pid {
			t.Errorf("it says %q, but has the file %s and the pid %s", m[0], file, pid)
		}
	case <-p.ended:
		t.Fatalf("the server has ended: %v\n%s", p.cmd.ProcessState, p.said())
	case <-time.After(patience):
		t.Fatalf("the server does not say that it serves:\n%s", p.said())
	}
	return p
}

func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// wait waits until the program has ended by itself.
func (p *program) wait(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.ended
		t.Errorf("the server did not end and was killed")
		return
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the server ended with %v, want exit code 0\n%s", p.cmd.ProcessState, p.said())
	}
}

// stop ends the program if it runs.
func (p *program) stop(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
		return
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	p.wait(t)
}

func ask(addr string) *client.Client { return client.New(addr, patience) }

// readDump reads a whole dump.
func readDump(dump io.ReadCloser, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer dump.Close()
	text, err := io.ReadAll(dump)
	return string(text), err
}

// get asks for a value for a key VERSION/PKGARCH/CHECKSUM.
func get(t *testing.T, addr, key string, want int64) {
	t.Helper()
	k := strings.Split(key, "/")
	got, err := ask(addr).GetPR(t.Context(), k[0], k[1], k[2])
	if err != nil || got != want {
		t.Errorf("getPR %s: got %d, %v; want %d", key, got, err, want)
	}
}

// interpreters are the generations of Python, and by which names and through
// which variable they are found.
var interpreters = []struct {
	generation, variable string
	names                []string
	module               string
}{
	{"py2", "PRSERV_PYTHON_PY2", []string{"python2.7", "python2"}, "xmlrpclib"},
	{"py3", "PRSERV_PYTHON_PY3", []string{"python3"}, "xmlrpc.client"},
}

// eachPython runs a test with a Python of each generation that there is. A
// name that is found but does not run, as the shims of version managers do
// not, is as good as none.
func eachPython(t *testing.T, test func(t *testing.T, python, generation string)) {
	for _, i := range interpreters {
		t.Run(i.generation, func(t *testing.T) {
			names := i.names
			if name := os.Getenv(i.variable); name != "" {
				names = append([]string{name}, names...)
			}
			var reasons []string
			for _, name := range names {
				out, err := exec.Command(name, "-c", "import sqlite3, "+i.module).CombinedOutput()
				if err == nil {
					test(t, name, i.generation)
					return
				}
				line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
				reasons = append(reasons, fmt.Sprintf("%s: %v: %s", name, err, line))
			}
			t.Skipf("no Python of this generation (%s names one): %s", i.variable, strings.Join(reasons, "; "))
		})
	}
}

// runPython runs a script of testdata and returns what it prints.
func runPython(t *testing.T, python, script string, args ...string) string {
	t.Helper()
	return runProgram(t, "", python, append([]string{filepath.Join("testdata", script)}, args...)...)
}

// runProgram runs a program to its end and returns what it prints. It has to
// succeed.
func runProgram(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	// What it forks goes with it, should it take too long.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, &stdout, &stderr)
	}
	return stdout.String()
}
