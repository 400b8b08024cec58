package pyserver_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"prserver/compat"
	"prserver/tools/internal/pyserver"
	"prserver/tools/internal/scripttest"
)

func TestStop(t *testing.T) {
	path, err := scripttest.BuildServer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	program := pyserver.Program{path}
	for _, test := range []struct {
		name   string
		before func(pid int) // what happens to the server before it is stopped
		want   string        // a part of the error
	}{
		{"running", func(int) {}, ""},
		{"ended", func(pid int) { syscall.Kill(pid, syscall.SIGTERM) }, ""},
		{"killed", func(pid int) { syscall.Kill(pid, syscall.SIGKILL) }, "has left its pid file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := program.Start(t.Context(), filepath.Join(t.TempDir(), "prserv.sqlite3"))
			if err != nil {
				t.Fatal(err)
			}
			test.before(s.PID)
			if test.name != "running" {
				scripttest.WaitFor(t, "its end", func() bool { return !compat.IsRunning(s.PID) })
			}
			err = s.Stop()
			if (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("Stop: %v, want %q", err, test.want)
			}
			if compat.IsRunning(s.PID) {
				t.Errorf("process %d is left", s.PID)
			}
			if err := s.Stop(); err != nil {
				t.Errorf("stopping it again: %v", err)
			}
		})
	}

	t.Run("interrupted start", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		dir := t.TempDir()
		if _, err := program.Start(ctx, filepath.Join(dir, "prserv.sqlite3")); err == nil {
			t.Error("no error")
		}
		log, err := os.ReadFile(filepath.Join(dir, "prserv.log"))
		if err != nil || !strings.Contains(string(log), "stopping") {
			t.Errorf("the server was not stopped: %v, %s", err, log)
		}
	})
}

// TestFailedStart starts a program that ends at once.
func TestFailedStart(t *testing.T) {
	program := pyserver.Program{"/bin/sh", "-c", "echo one; echo two; exit 3"}
	_, err := program.Start(t.Context(), filepath.Join(t.TempDir(), "prserv.sqlite3"))
	if want := "exit status 3: two"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
