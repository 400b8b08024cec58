package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"prserver/tools/internal/scripttest"
)

// interpreter is a Python of one dialect.
type interpreter struct {
	dialect  string
	variable string // names one in the environment
	names    []string
	module   string // of its XML-RPC client
	// find returns its path, or an error that says why there is none.
	find func() (string, error)
}

var interpreters = []*interpreter{
	{dialect: "py2", variable: "PRSERV_PYTHON_PY2", names: []string{"python2.7", "python2"}, module: "xmlrpclib"},
	{dialect: "py3", variable: "PRSERV_PYTHON_PY3", names: []string{"python3"}, module: "xmlrpc.client"},
}

func init() {
	for _, i := range interpreters {
		i.find = sync.OnceValues(i.search) // shims of version managers take their time
	}
}

// errNoPython is returned where the machine has no Python of a dialect.
var errNoPython = errors.New("this machine has no Python of this dialect")

// search returns the Python that the environment names, or else the first of the
// names that the machine has. It has to run. Shims of version managers are there
// without a Python; they end as a shell does that finds no command.
func (i *interpreter) search() (string, error) {
	names := i.names
	if name := os.Getenv(i.variable); name != "" {
		names = []string{name}
	}
	const notFound = 127
	var reasons []string
	for _, name := range names {
		out, err := exec.Command(name, "-c", "import sys, sqlite3, "+i.module+"; print(sys.executable)").CombinedOutput()
		line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		if err == nil {
			return line, nil
		}
		reason := fmt.Sprintf("%s: %v: %s", name, err, line)
		var exit *exec.ExitError
		missing := errors.Is(err, exec.ErrNotFound) || errors.As(err, &exit) && exit.ExitCode() == notFound
		if !missing || os.Getenv(i.variable) != "" {
			return "", fmt.Errorf("the Python of this dialect does not work: %s", reason)
		}
		reasons = append(reasons, reason)
	}
	return "", fmt.Errorf("%w (%s can name one): %s", errNoPython, i.variable, strings.Join(reasons, "; "))
}

// eachPython runs a test with a Python of each dialect that the machine has.
func eachPython(t *testing.T, test func(t *testing.T, python string)) {
	for _, i := range interpreters {
		t.Run(i.dialect, func(t *testing.T) {
			python, err := i.find()
			if errors.Is(err, errNoPython) {
				t.Skip(err)
			} else if err != nil {
				t.Fatal(err)
			}
			test(t, python)
		})
	}
}

// runPython runs a script in testdata and returns what it prints.
func runPython(t *testing.T, python, script string, args ...string) string {
	t.Helper()
	return runProgram(t, "", python, append([]string{filepath.Join("testdata", script)}, args...)...)
}

// runProgram runs a program to its end and returns what it prints. It has to
// succeed.
func runProgram(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scripttest.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	// If it takes too long, its child processes are killed too.
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

// clientTests are the test classes of testdata/client.py.
var clientTests = []string{"Values", "Export", "Large", "Texts", "Filters", "Faults", "Dump", "Quit"}

// TestPythonClient drives the program with Python's own clients.
func TestPythonClient(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		for _, class := range clientTests {
			t.Run(class, func(t *testing.T) {
				t.Parallel()
				p := startProgram(t, filepath.Join(t.TempDir(), "prserv.sqlite3"))
				runPython(t, python, "client.py", p.addr, class)
				if class != "Quit" {
					return
				}
				p.wait(t)
				if conn, err := net.Dial("tcp", p.addr); !errors.Is(err, syscall.ECONNREFUSED) {
					if err == nil {
						conn.Close()
					}
					t.Errorf("after quit somebody listens: %v", err)
				}
			})
		}
	})
}

// TestPythonClientOfReference runs the tests of testdata/client.py against the
// reference, to see that they expect what it does.
func TestPythonClientOfReference(t *testing.T) {
	eachReference(t, func(t *testing.T, r reference) {
		for _, class := range clientTests {
			t.Run(class, func(t *testing.T) {
				t.Parallel()
				addr, _ := r.start(t, filepath.Join(t.TempDir(), "prserv.sqlite3"))
				runPython(t, r.python, "client.py", addr, class)
			})
		}
	})
}
