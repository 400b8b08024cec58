package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/compat"
	"prserver/prserv"
)

// scriptPatience bounds every wait of a script.
const scriptPatience = 20 * time.Second

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"prserv-tool": main})
}

// TestScripts runs the program as a user does.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:         filepath.Join("testdata", "script"),
		WorkdirRoot: t.TempDir(),
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // every program would take a second longer
			env.Setenv("PRSERV_HOST", "")
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "mount" {
				return false, fmt.Errorf("there is no condition %s", name)
			}
			return exec.Command("unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/tmp").Run() == nil, nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"asked":   cmdAsked,
			"breaks":  cmdBreaks,
			"exits":   cmdExits,
			"prserv":  cmdPRServer,
			"refuses": cmdRefuses,
			"serve":   cmdServe,
			"waits":   cmdWaits,
		},
	})
}

// cmdPRServer starts our server with a file, prserv.sqlite3 unless another is
// named, and sets $ADDR to its address.
func cmdPRServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: prserv [FILE]")
	}
	file := append(args, "prserv.sqlite3")[0]
	server, err := prserv.New(context.Background(), prserv.Config{
		File: ts.MkAbs(file), Dialect: compat.DialectFor, Log: slog.New(slog.DiscardHandler),
	})
	ts.Check(err)
	ln := listen(ts)
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background(), ln) }()
	ts.Defer(func() {
		server.Quit()
		ts.Check(errors.Join(<-served, server.Close()))
	})
}

// listen listens at a free port and sets $ADDR to it.
func listen(ts *testscript.TestScript) net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("ADDR", ln.Addr().String())
	return ln
}

// cmdExits runs a program that has to end with the given code.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
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

// cmdRefuses runs a program that has to end with exit code 2, to print nothing
// but one line on stderr, which matches an expression, and to leave all files
// as they are.
func cmdRefuses(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: refuses EXPRESSION PROGRAM ARGUMENTS...")
	}
	line, err := regexp.Compile(`^prserv-tool: ` + args[0] + `\n$`)
	ts.Check(err)
	before := filesOf(ts)
	cmdExits(ts, false, append([]string{"2"}, args[1:]...))
	after := filesOf(ts)
	if text := ts.ReadFile("stdout"); text != "" {
		ts.Fatalf("there is something on stdout")
	}
	if text := ts.ReadFile("stderr"); !line.MatchString(text) {
		ts.Fatalf("stderr is %q, want %s", text, line)
	}
	for name, text := range after {
		if was, ok := before[name]; !ok || was != text {
			ts.Fatalf("%s has been made or changed", name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			ts.Fatalf("%s has been removed", name)
		}
	}
}

// filesOf returns what the files of a script hold, but for those in which SQLite
// notes who reads.
func filesOf(ts *testscript.TestScript) map[string]string {
	found := map[string]string{}
	ts.Check(filepath.WalkDir(ts.Getenv("WORK"), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(name, "-shm") {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		if info.Mode().IsRegular() {
			sum, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %x", sha256.Sum256(sum))
		}
		found[name] = text
		return nil
	}))
	return found
}

// cmdWaits waits until there is a file, of at least a number of bytes.
func cmdWaits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: waits FILE [BYTES]")
	}
	least, err := strconv.ParseInt(append(args, "0")[1], 10, 64)
	ts.Check(err)
	for end := time.Now().Add(scriptPatience); ; time.Sleep(time.Millisecond) {
		info, err := os.Stat(ts.MkAbs(args[0]))
		if err == nil && info.Size() >= least {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("there is no %s of %d bytes", args[0], least)
		}
	}
}
