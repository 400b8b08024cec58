package main_test

import (
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

// clientTests are the classes of testdata/client.py.
var clientTests = []string{"Values", "Export", "Large", "Texts", "Filters", "Faults", "Dump", "Quit"}

// TestPythonClient drives the built program with Python's own clients.
func TestPythonClient(t *testing.T) {
	eachPython(t, func(t *testing.T, python, _ string) {
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

// TestPythonClientOfReference holds what testdata/client.py expects against
// the reference itself.
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
