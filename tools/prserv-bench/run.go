package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

const usageText = `Usage: prserv-bench [options] HOST:PORT

Loads a PR server, ours or the Python program, with getPR calls and reports
calls a second, latencies and errors. The server gets new rows: do not aim it
at one that a team uses.

  prserv-bench 127.0.0.1:8585
  prserv-bench --mix 100 --keep-alive --duration 30s --baseline 127.0.0.1:8585

Options:
`

// options are what the command line says.
type options struct {
	load     load
	baseline bool
	json     bool
	noop     bool
	addr     string
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usageText)
		flags.PrintDefaults()
	}
	flags.IntVar(&o.load.Clients, "clients", 32, "how many ask at the same time")
	flags.IntVar(&o.load.NewPercent, "mix", 0, "how many of 100 calls ask for a new checksum")
	flags.BoolVar(&o.load.KeepAlive, "keep-alive", false, "ask to keep connections open; without, every call has one of its own, as with BitBake")
	flags.DurationVar(&o.load.Duration, "duration", 10*time.Second, "how long to measure")
	flags.DurationVar(&o.load.Warmup, "warmup", 2*time.Second, "how long to load the server before that")
	flags.IntVar(&o.load.Keys, "keys", 1000, "how many known (version, pkgarch) there are; their values are made first")
	flags.IntVar(&o.load.PID, "pid", 0, "process whose CPU time to report, if it is on this machine")
	flags.BoolVar(&o.baseline, "baseline", false, "load an HTTP server that does nothing as well, and report the ratio")
	flags.BoolVar(&o.json, "json", false, "report in JSON")
	flags.BoolVar(&o.noop, "serve-nothing", false, "be the server of --baseline")
	if err := flags.Parse(args[1:]); err != nil {
		return o, err
	}
	switch {
	case o.noop:
		return o, nil
	case flags.NArg() != 1:
		return o, errors.New("which server? Name its HOST:PORT, and only that, behind the options")
	case o.load.Clients < 1 || o.load.Keys < 1 || o.load.Duration <= 0 || o.load.Warmup < 0:
		return o, errors.New("clients, keys and durations are greater than 0")
	case o.load.NewPercent < 0 || o.load.NewPercent > 100:
		return o, errors.New("--mix is a number from 0 to 100")
	}
	o.addr = flags.Arg(0)
	return o, nil
}

// run is the program. It returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "prserv-bench:", err)
		return 2
	case o.noop:
		err = serveNothing(ctx, stdout)
	default:
		err = bench(ctx, o, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "prserv-bench:", err)
		return 1
	}
	return 0
}

// bench loads the server, and the baseline if it is asked for.
func bench(ctx context.Context, o options, stdout, stderr io.Writer) error {
	rep := report{Load: o.load, Address: o.addr}
	var err error
	if o.baseline {
		base, err := startBaseline(ctx)
		if err != nil {
			return err
		}
		defer base.stop()
		l := o.load
		l.PID = base.pid()
		if rep.Baseline, err = l.run(ctx, base.addr, progress(stderr, "baseline", l)); err != nil {
			return err
		}
	}
	if rep.Server, err = o.load.run(ctx, o.addr, progress(stderr, "server", o.load)); err != nil {
		return err
	}
	if o.json {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(rep)
	}
	rep.print(stdout)
	return nil
}
