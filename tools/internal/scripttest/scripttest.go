// Package scripttest has the commands that the testscripts of several tools
// share. Only tests use it; start with [Exits] and [PRServer].
package scripttest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os/exec"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/compat"
	"prserver/prserv"
)

// PRServer starts our server with a file, prserv.sqlite3 unless another is
// named, and sets $ADDR to its address.
func PRServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: prserv [FILE]")
	}
	file := append(args, "prserv.sqlite3")[0]
	server, err := prserv.New(context.Background(), prserv.Config{
		File: ts.MkAbs(file), Dialect: compat.DialectFor, Log: slog.New(slog.DiscardHandler),
	})
	ts.Check(err)
	ln := Listen(ts)
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background(), ln) }()
	ts.Defer(func() {
		server.Quit()
		ts.Check(errors.Join(<-served, server.Close()))
	})
}

// Listen listens at a free port and sets $ADDR to it.
func Listen(ts *testscript.TestScript) net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("ADDR", ln.Addr().String())
	return ln
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
