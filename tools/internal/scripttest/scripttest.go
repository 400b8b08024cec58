// Package scripttest holds what the tests of several tools share: how scripts
// are run, the commands that more than one tool's scripts use, and waiting.
// Only tests import it. Start with [Main] and [Run].
package scripttest

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Command is a command of a script.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// runVariable marks, in its environment, every process of one run of
// scripts/test, which looks for servers with the mark when the tests are over.
const runVariable = "PRSERV_TEST_RUN"

// Main is for TestMain: it runs the tests with the given programs in PATH, and
// exits. The programs are copies of the test binary, and race where it does.
// [RunPlain] has others.
func Main(m testscript.TestingM, programs map[string]func()) {
	// Otherwise every program with the race detector sleeps a second at its end.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	testscript.Main(&withPlain{m, slices.Collect(maps.Keys(programs))}, programs)
}

// Run runs each script of p.Dir, or of testdata/script if that is empty, in a
// temporary folder. The scripts have [Exits] beside the commands of p.
func Run(t *testing.T, p testscript.Params) {
	t.Helper()
	run(t, p, "")
}

// run runs the scripts of p with a folder in front of their PATH, unless that
// is "".
func run(t *testing.T, p testscript.Params, first string) {
	t.Helper()
	if p.Dir == "" {
		p.Dir = filepath.Join("testdata", "script")
	}
	p.WorkdirRoot = t.TempDir() // with -run, testscript leaves a folder of its own behind
	p.RequireExplicitExec = true
	p.RequireUniqueNames = true
	setup := p.Setup
	p.Setup = func(env *testscript.Env) error {
		env.Setenv(runVariable, os.Getenv(runVariable)) // scripts inherit nothing
		if first != "" {
			env.Setenv("PATH", first+string(filepath.ListSeparator)+env.Getenv("PATH"))
		}
		if setup == nil {
			return nil
		}
		return setup(env)
	}
	commands := map[string]Command{"exits": Exits}
	maps.Copy(commands, p.Cmds)
	p.Cmds = commands
	testscript.Run(t, p)
}

// Exits runs a program that has to end with the given code.
func Exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGUMENTS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	ts.Logf("[stdout]\n%s[stderr]\n%s[exit code] %d", ts.ReadFile("stdout"), ts.ReadFile("stderr"), got)
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}
