package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"prserver/compat"
)

// run runs the program with its arguments, the first of which is its name, and
// returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	daemon := isDaemon()
	opts, err := compat.ParseOptions(args[1:], os.Getenv)
	var usage *compat.UsageError
	if errors.As(err, &usage) {
		fmt.Fprint(stderr, compat.ErrorText(usage))
		return 2
	}
	switch {
	case daemon:
		err = serveAsDaemon(ctx, opts)
	case opts.Version:
		fmt.Fprint(stdout, compat.VersionText())
	case opts.Help:
		fmt.Fprint(stdout, compat.HelpText())
	case opts.Start && !opts.Foreground:
		err = start(ctx, opts, stdout, stderr)
	case opts.Stop && !opts.Start:
		err = stop(ctx, opts, stdout, stderr)
	case opts.Foreground:
		err = serveInForeground(ctx, opts, stderr)
	default:
		fmt.Fprint(stdout, compat.HelpText())
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}
