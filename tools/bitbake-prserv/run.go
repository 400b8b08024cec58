package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	case opts.Check:
		err = check(ctx, opts, stdout)
	case opts.Start && !opts.Foreground:
		err = start(ctx, opts, stdout, stderr)
	case opts.Stop && !opts.Start:
		err = stop(ctx, opts, stdout, stderr)
	case opts.Foreground:
		err = serveInForeground(ctx, opts)
	default:
		fmt.Fprint(stdout, compat.HelpText())
	}
	switch {
	case err == nil:
		return 0
	case daemon || opts.Foreground && !opts.Check:
		sayInTime(err, daemon, opts.LogFormat)
	default:
		fmt.Fprintln(stderr, err)
	}
	var wrong *valueError
	if errors.As(err, &wrong) {
		return 2
	}
	return 1
}

// sayInTime writes the error that ends a server to stderr, which is a daemon's
// log. It does not wait for a reader.
func sayInTime(err error, daemon bool, format compat.LogFormat) {
	out := openStderr(os.Stderr, format)
	defer out.close()
	if daemon || format == compat.LogJSON {
		out.logger(slog.LevelError).Error(err.Error())
	} else {
		fmt.Fprintln(out, err)
	}
}
