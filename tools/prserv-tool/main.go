// Command prserv-tool moves PR values between PR servers, database files, SQL
// dumps and exported configuration, compares and inspects those, and asks
// servers.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	context.AfterFunc(ctx, cancel) // a second signal does what signals do
	os.Exit(run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
}
