package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reference is a checkout of BitBake and the Python to run it with.
type reference struct{ bitbake, python string }

// eachReference runs a test with the reference of each generation that the
// environment names.
func eachReference(t *testing.T, test func(t *testing.T, r reference)) {
	for _, i := range interpreters {
		t.Run(i.generation, func(t *testing.T) {
			variable := "PRSERV_BITBAKE_" + strings.ToUpper(i.generation)
			r := reference{os.Getenv(variable), os.Getenv(i.variable)}
			if r.bitbake == "" || r.python == "" {
				t.Skipf("%s and %s do not name a BitBake and its Python", variable, i.variable)
			}
			test(t, r)
		})
	}
}

// start starts the reference on a file, at an address of its own, and returns
// that and a function that stops it.
func (r reference) start(t *testing.T, file string) (addr string, stop func(*testing.T)) {
	t.Helper()
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))
	ln, err := net.Listen("tcp4", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(ln.Addr().String(), ":")
	ln.Close()
	// Its parent keeps stdout for a while: without a file it would be waited for.
	out, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	run := func(args ...string) error {
		cmd := exec.Command(r.python, append([]string{filepath.Join(r.bitbake, "bin", "bitbake-prserv"), "--host", host, "--port", port}, args...)...)
		cmd.Dir = filepath.Dir(out.Name()) // where it leaves a log
		cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	}
	if err := run("--start", "--file", file, "--log", out.Name()+".log"); err != nil {
		text, _ := os.ReadFile(out.Name())
		t.Fatalf("starting the reference: %v\n%s", err, text)
	}
	pidFile := fmt.Sprintf("/tmp/PRServer_%s_%s.pid", host, port)
	pid := 0
	until(t, "the reference's pid file", func() bool {
		text, _ := os.ReadFile(pidFile)
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	gone := func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
	stop = func(t *testing.T) {
		t.Helper()
		if gone() {
			return
		}
		run("--stop") // complains where a test has made it quit
		until(t, "the end of the reference", gone)
	}
	t.Cleanup(func() {
		stop(t)
		if !gone() {
			syscall.Kill(pid, syscall.SIGKILL)
			os.Remove(pidFile)
		}
	})
	addr = host + ":" + port
	until(t, "an answer of the reference", func() bool { return ask(addr).Ping(t.Context()) == nil })
	return addr, stop
}

// until waits until a condition holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("waited in vain for %s", what)
			return
		}
	}
}

// TestReferenceFiles hands a file back and forth between the reference and
// our server.
func TestReferenceFiles(t *testing.T) {
	eachReference(t, func(t *testing.T, r reference) {
		file := filepath.Join(t.TempDir(), "prserv.sqlite3")
		addr, stop := r.start(t, file)
		get(t, addr, "v/all/a", 0)
		get(t, addr, "v/all/b", 1)
		get(t, addr, "v/all/a", 2)
		stop(t)

		p := startProgram(t, file)
		get(t, p.addr, "v/all/a", 2)
		get(t, p.addr, "v/all/b", 3)
		get(t, p.addr, "w/all/a", 0)
		dump, err := readDump(ask(p.addr).DumpDB(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		p.stop(t)

		addr, stop = r.start(t, file)
		if got, err := readDump(ask(addr).DumpDB(t.Context())); err != nil || got != dump {
			t.Errorf("the reference dumps otherwise: %v\n got  %q\n want %q", err, got, dump)
		}
		get(t, addr, "v/all/b", 3)
		get(t, addr, "w/all/a", 0)
		get(t, addr, "v/all/c", 4)
		stop(t)

		p = startProgram(t, file)
		get(t, p.addr, "v/all/c", 4)
		get(t, p.addr, "v/all/d", 5)
	})
}
