package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"time"
)

const usageText = `Usage: prserv-bench [options] HOST:PORT
       prserv-bench tables [options]    (see prserv-bench tables --help)

Loads a PR server, ours or the Python program, with getPR calls, of XML-RPC or
of JSON lines, and reports
calls a second, latencies and errors; with an error the exit code is 1. The
server gets new rows: do not aim it at one that a team uses.

  prserv-bench 127.0.0.1:8585
  prserv-bench --mix 100 --keep-alive --duration 30s --baseline 127.0.0.1:8585

With --json the report has "address", "load", "server" and, with --baseline,
"baseline" and "ratio". "server" and "baseline" have "calls", "errors",
"first_error" if there was one, "calls_per_second", "p50_us", "p99_us",
"p999_us", "max_us" and "cpu_us_per_call", 0 if unknown; _us are microseconds.

Options:
`

// options are the options and the argument of the command line.
type options struct {
	load     load
	baseline bool
	json     bool
	noop     bool
	addr     string
}

// usageError is an error in the command line. The exit code is 2.
type usageError struct{ error }

// parseFlags parses a command line. With --help it prints text and the options to
// stdout and returns [flag.ErrHelp].
func parseFlags(flags *flag.FlagSet, args []string, text string, stdout io.Writer) error {
	flags.SetOutput(io.Discard) // the flag package would print all options with each error
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, text)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	}
	if err != nil {
		return usageError{fmt.Errorf("%w; times are written 10s or 1m, --help has all options", err)}
	}
	return nil
}

func parse(args []string, stdout io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("prserv-bench", flag.ContinueOnError)
	flags.IntVar(&o.load.Clients, "clients", 32, "how many ask at the same time")
	flags.IntVar(&o.load.Generation, "generation", 1, "whose clients: 1 is BitBake up to 1.50, with XML-RPC; 2 up to 2.8, with JSON lines; 3 is 2.10 and later")
	flags.IntVar(&o.load.NewPercent, "mix", 0, "how many of 100 calls ask for a new checksum")
	flags.BoolVar(&o.load.KeepAlive, "keep-alive", false, "keep connections open; without, every call has one of its own, as with BitBake")
	flags.DurationVar(&o.load.Duration, "duration", 10*time.Second, "how long to measure")
	flags.DurationVar(&o.load.Warmup, "warmup", 2*time.Second, "how long to load the server before that")
	flags.IntVar(&o.load.Keys, "keys", 1000, "how many packages have a known value, which is made first; as many others get the new checksums")
	flags.IntVar(&o.load.PID, "pid", 0, "process whose CPU time to report, if it is on this machine")
	flags.BoolVar(&o.baseline, "baseline", false, "load a server that does nothing as well, and report the ratio")
	flags.BoolVar(&o.json, "json", false, "report in JSON")
	flags.BoolVar(&o.noop, "serve-nothing", false, "be the server of --baseline")
	if err := parseFlags(flags, args, usageText, stdout); err != nil {
		return o, err
	}
	if o.noop {
		return o, nil
	}
	return o, o.check(flags.Args())
}

// check takes the server from args, the arguments behind the options, and returns
// an error if an option has a bad value.
func (o *options) check(args []string) error {
	if len(args) != 1 {
		return usageError{errors.New("which server? Name its HOST:PORT, and only that, behind the options")}
	}
	o.addr = args[0]
	_, port, err := net.SplitHostPort(o.addr)
	switch {
	case err != nil || port == "":
		return usageError{fmt.Errorf("%q is no HOST:PORT; write it like 127.0.0.1:8585", o.addr)}
	case o.load.Clients < 1 || o.load.Keys < 1 || o.load.Duration <= 0:
		return usageError{errors.New("--clients, --keys and --duration have to be greater than 0")}
	case o.load.Generation < 1 || o.load.Generation > 3:
		return usageError{errors.New("--generation has to be 1, 2 or 3")}
	case o.load.Warmup < 0:
		return usageError{errors.New("--warmup cannot be less than 0s")}
	case o.load.NewPercent < 0 || o.load.NewPercent > 100:
		return usageError{errors.New("--mix has to be a number from 0 to 100")}
	}
	if o.load.PID != 0 {
		if _, err := memory(o.load.PID, "VmRSS"); err != nil {
			return usageError{fmt.Errorf("--pid %d is no running process of this machine; leave it out for a server elsewhere", o.load.PID)}
		}
	}
	return nil
}

// run runs the program with its arguments, the first of which is its name, and
// returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, args[1:], stdout, stderr)
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "prserv-bench:", err)
		return 2
	case ctx.Err() != nil:
		err = errors.New("interrupted; nothing that was under way is reported")
	}
	fmt.Fprintln(stderr, "prserv-bench:", err)
	return 1
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "tables" {
		t, err := parseTables(args[1:], stdout, stderr)
		if err != nil {
			return err
		}
		return t.run(ctx)
	}
	o, err := parse(args, stdout)
	switch {
	case err != nil:
		return err
	case o.noop:
		return serveNothing(ctx, stdout, o.load.Generation)
	}
	return bench(ctx, o, stdout, stderr)
}

// bench loads the server, and the baseline if that was asked for, and reports.
func bench(ctx context.Context, o options, stdout, stderr io.Writer) error {
	rep := report{Load: o.load, Address: o.addr}
	measure := func(what, addr string, l load) (*results, error) {
		tick, clear := progress(stderr, what, l)
		defer clear()
		return l.run(ctx, addr, tick)
	}
	var err error
	// The server comes first: if it does not answer, the user need not wait for the
	// baseline.
	if rep.Server, err = measure("server", o.addr, o.load); err != nil {
		return err
	}
	if o.baseline {
		base, err := startBaseline(ctx, o.load.Generation)
		if err != nil {
			return err
		}
		defer base.stop()
		l := o.load
		l.PID = base.pid
		if rep.Baseline, err = measure("baseline", base.addr, l); err != nil {
			return err
		}
	}
	if o.json {
		err = rep.writeJSON(stdout)
	} else {
		err = rep.writeTable(stdout)
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := failures(o.addr, rep.Server); err != nil || rep.Baseline == nil {
		return err
	}
	return failures("the baseline", rep.Baseline)
}

// failures returns an error if calls failed.
func failures(who string, r *results) error {
	if r.Errors == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d calls to %s failed, the first with: %s", r.Errors, r.Errors+r.Calls, who, r.FirstError)
}
