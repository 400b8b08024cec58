// Record-golden plays the sessions of compat/golden to the reference, Python's bitbake-prserv, and writes what
// it answers to testdata/golden. It is needed only when sessions change; replaying them needs no Python.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
