// Record-golden plays the recorded sessions in testdata/golden to a reference, Python's bitbake-prserv, and writes
// down what it replies. It is needed when a session is added or changed, or to check that the recordings still hold;
// replaying them to our server needs no Python. testdata/README.md tells how to add a session.
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
