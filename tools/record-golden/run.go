package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"prserver/compat/golden"
)

const usage = `usage: record-golden --bitbake DIR --python PYTHON --dialect py2|py3 [--out DIR] [session ...]

Plays the named sessions (all without a name) to DIR/bin/bitbake-prserv and writes OUT/DIALECT/SESSION.txt
where the answers differ from what is there.

`

// patience is how long the reference may take for one answer. An exchange that takes longer is a hang and is
// left out of the recording.
const patience = 5 * time.Second

type options struct {
	bitbake, python, out string
	dialect              golden.Dialect
	jobs                 int
	sessions             []string
}

func run(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "record-golden:", err)
		return 2
	}
	if err := recordAll(ctx, opts, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "record-golden:", err)
		return 1
	}
	return 0
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("record-golden", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&opts.bitbake, "bitbake", "", "the bitbake `folder` to record")
	flags.StringVar(&opts.python, "python", "", "the Python `program` to run it with")
	flags.StringVar(&opts.out, "out", "testdata/golden", "the `folder` of the recordings")
	flags.IntVar(&opts.jobs, "jobs", 4, "how many servers to run at the same time")
	dialect := flags.String("dialect", "", "py2 or py3: who the client is, and the folder below --out")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	opts.dialect = golden.Dialect(*dialect)
	opts.sessions = flags.Args()
	if opts.bitbake == "" || opts.python == "" {
		return options{}, errors.New("--bitbake and --python are needed")
	}
	if opts.dialect != golden.Py2 && opts.dialect != golden.Py3 {
		return options{}, fmt.Errorf("--dialect is py2 or py3, not %q", *dialect)
	}
	bitbake, err := filepath.Abs(opts.bitbake)
	if err != nil {
		return options{}, fmt.Errorf("finding bitbake: %w", err)
	}
	opts.bitbake = bitbake
	// Python is run in other folders than this one.
	python, err := exec.LookPath(opts.python)
	if err != nil {
		return options{}, fmt.Errorf("finding python: %w", err)
	}
	if opts.python, err = filepath.Abs(python); err != nil {
		return options{}, fmt.Errorf("finding python: %w", err)
	}
	return opts, nil
}

// recordAll records up to opts.jobs sessions at a time. Each has a server, a folder and a port of its own.
func recordAll(ctx context.Context, opts options, stdout, stderr io.Writer) error {
	dir := filepath.Join(opts.out, string(opts.dialect))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of the recordings: %w", err)
	}
	sessions, err := chosen(golden.Sessions(opts.dialect), opts.sessions)
	if err != nil {
		return err
	}
	ref := reference{bitbake: opts.bitbake, python: opts.python}
	var (
		wait sync.WaitGroup
		mu   sync.Mutex // guards errs and both writers
		errs []error
	)
	slots := make(chan struct{}, max(opts.jobs, 1))
	for _, session := range sessions {
		slots <- struct{}{}
		wait.Add(1)
		go func() {
			defer func() { <-slots; wait.Done() }()
			recorded, dropped, err := record(ctx, ref, session)
			mu.Lock()
			defer mu.Unlock()
			for _, about := range dropped {
				fmt.Fprintf(stderr, "%s/%s: no answer within %s, left out: %s\n", opts.dialect, session.Name, patience, about)
			}
			if err == nil {
				err = write(dir, recorded, stdout)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", session.Name, err))
			}
		}()
	}
	wait.Wait()
	if len(errs) == 0 && len(opts.sessions) == 0 {
		errs = append(errs, removeOthers(dir, sessions, stdout))
	}
	return errors.Join(errs...)
}

// removeOthers removes the recordings of sessions that are not defined any more.
func removeOthers(dir string, sessions []golden.Session, stdout io.Writer) error {
	recorded, err := golden.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, old := range recorded {
		if slices.ContainsFunc(sessions, func(s golden.Session) bool { return s.Name == old.Name }) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, old.Name+".txt")); err != nil {
			return fmt.Errorf("removing a session that is not defined: %w", err)
		}
		fmt.Fprintf(stdout, "%s: not defined any more, removed\n", old.Name)
	}
	return nil
}

func chosen(sessions []golden.Session, names []string) ([]golden.Session, error) {
	if len(names) == 0 {
		return sessions, nil
	}
	var kept []golden.Session
	for _, name := range names {
		i := slices.IndexFunc(sessions, func(s golden.Session) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no session is named %q", name)
		}
		kept = append(kept, sessions[i])
	}
	return kept, nil
}

func write(dir string, session golden.Session, stdout io.Writer) error {
	changed, err := golden.WriteFile(dir, session)
	if err != nil {
		return err
	}
	if changed {
		fmt.Fprintf(stdout, "%s: %d exchanges, written\n", session.Name, len(session.Exchanges))
	}
	return nil
}

// record plays a session to a fresh reference. It returns the session with the replies, and what the exchanges
// were about that got none in time.
func record(ctx context.Context, ref reference, session golden.Session) (golden.Session, []string, error) {
	server, err := ref.start(ctx, session.Seed)
	if err != nil {
		return golden.Session{}, nil, fmt.Errorf("starting the reference: %w", err)
	}
	played, dropped, err := play(ctx, server.addr, session)
	// A cancelled recording has to stop its server too.
	if stopErr := server.stop(); err == nil && stopErr != nil {
		err = fmt.Errorf("stopping the reference: %w", stopErr)
	}
	return played, dropped, err
}

func play(ctx context.Context, addr string, session golden.Session) (golden.Session, []string, error) {
	played := session
	played.Exchanges = nil
	var dropped []string
	for i, exchange := range session.Exchanges {
		reply, err := sendPatiently(ctx, addr, exchange)
		if ctx.Err() != nil {
			return golden.Session{}, dropped, ctx.Err()
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			dropped = append(dropped, exchange.About)
			continue
		}
		if err != nil {
			return golden.Session{}, dropped, fmt.Errorf("exchange %d (%s): %w", i+1, exchange.About, err)
		}
		exchange.Reply = golden.Normalise(reply)
		played.Exchanges = append(played.Exchanges, exchange)
	}
	return played, dropped, nil
}

func sendPatiently(ctx context.Context, addr string, exchange golden.Exchange) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return golden.Send(ctx, addr, exchange)
}
