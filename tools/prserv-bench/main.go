// Command prserv-bench loads a PR server with getPR calls and reports how many it
// answers and how fast.
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
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}
