package prservtest

import (
	"bufio"
	"io"
	"os/exec"
	"testing"
)

// Shell is the sqlite3 program with a database file open, as another program of
// this machine has it.
type Shell struct {
	PID   int
	in    io.Writer
	lines *bufio.Scanner
}

// OpenShell starts the program, which runs until the test ends. Without it the
// test is skipped.
func OpenShell(t *testing.T, file string) *Shell {
	t.Helper()
	cmd := exec.Command(SQLite3(t), file)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	return &Shell{cmd.Process.Pid, in, bufio.NewScanner(out)}
}

// Run runs statements and returns when they are done. They leave open what they
// open, such as a transaction.
func (s *Shell) Run(t *testing.T, statements string) {
	t.Helper()
	if _, err := io.WriteString(s.in, statements+"; SELECT 'done';\n"); err != nil {
		t.Fatal(err)
	}
	for s.lines.Scan() {
		if s.lines.Text() == "done" {
			return
		}
	}
	t.Fatalf("sqlite3 has ended at %s", statements)
}

// SQLite3 returns the path of the sqlite3 program. Without it the test is skipped.
func SQLite3(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skipf("sqlite3 is not installed: %v", err)
	}
	return program
}
