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
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup wants it
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), ends...)
	defer cancel()
	context.AfterFunc(ctx, cancel) // a second signal does what signals do
	os.Exit(run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
}
