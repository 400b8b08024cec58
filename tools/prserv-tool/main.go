// Command prserv-tool moves PR values between PR servers, database files, SQL
// dumps and exported configuration, and from package feeds to those. It compares
// and inspects all of them, and asks servers.
package main

/*
// What is said, and with which exit code, where there is too little address space.
const char address_space_says[] = "prserv-tool: ";
const int address_space_code = 2;
*/
import "C"

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	_ "prserver/tools/internal/addressspace"
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
