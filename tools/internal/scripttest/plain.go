package scripttest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// plainDir is the folder of the programs without the race detector, plainNames
// are their names; both are set while the tests run.
var (
	plainDir   string
	plainNames []string
)

// withPlain runs tests that have a folder for such programs.
type withPlain struct {
	testscript.TestingM
	names []string
}

func (m *withPlain) Run() int {
	dir, err := os.MkdirTemp("", "scripttest-plain")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	plainDir, plainNames = dir, m.names
	return m.TestingM.Run()
}

// RunPlain is [Run] for scripts that start programs very often, nearly always
// for what one goroutine does: the programs have no race detector, with which
// one takes 110 ms of the processor to start and end, and 30 ms without it. A
// script whose programs do several things at once says "raced". With
// PRSERV_LONG all of them have it.
func RunPlain(t *testing.T, p testscript.Params) {
	t.Helper()
	var dir string
	if isRaced() && !IsLong() {
		var err error
		if dir, err = plainPrograms(); err != nil {
			t.Fatal(err)
		}
	}
	commands := map[string]Command{"raced": raced}
	maps.Copy(commands, p.Cmds)
	p.Cmds = commands
	run(t, p, dir)
}

// plainPrograms returns the folder of the programs, which it builds once.
var plainPrograms = sync.OnceValues(func() (string, error) {
	file := filepath.Join(plainDir, plainNames[0])
	// Symbols take half of the time to link, and traces do without them.
	out, err := exec.Command("go", "test", "-c", "-ldflags=-s", "-o", file, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the programs of scripts: %w\n%s", err, out)
	}
	for _, name := range plainNames[1:] {
		if err := os.Link(file, filepath.Join(plainDir, name)); err != nil {
			return "", err
		}
	}
	return plainDir, nil
})

// isRaced reports whether the test binary has the race detector.
func isRaced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// raced is a command: from here on, the script's programs have the race
// detector if the test binary has it.
func raced(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: raced")
	}
	ts.Setenv("PATH", os.Getenv("PATH"))
}
