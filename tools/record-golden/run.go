package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"

	"prserver/compat/golden"
)

const usage = `usage: record-golden --bitbake DIR --python PYTHON --sessions NAME [--golden DIR] [session ...]

Plays the requests of the named sessions (of all without a name) in the folder GOLDEN/NAME to DIR/bin/bitbake-prserv,
and writes the replies into the sessions' files where they differ from what is there. All else in a file stays.

`

type options struct {
	bitbake, python string
	dir             string // of the sessions
	jobs            int
	sessions        []string
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
	if err := recordAll(ctx, opts, stdout); err != nil {
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
	recordings := flags.String("golden", "testdata/golden", "the `folder` of all recordings")
	folder := flags.String("sessions", "", "the `folder` below --golden to record, such as py3 or bitbake-2.8")
	flags.IntVar(&opts.jobs, "jobs", 4, "how many servers to run at the same time")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if opts.bitbake == "" || opts.python == "" || *folder == "" {
		return options{}, errors.New("--bitbake, --python and --sessions are needed")
	}
	opts.dir = filepath.Join(*recordings, *folder)
	opts.sessions = flags.Args()
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

// recordAll records up to opts.jobs sessions at a time. Each has a server, a folder and a port of its own. A session
// that fails leaves its file untouched, and the others are recorded all the same.
func recordAll(ctx context.Context, opts options, stdout io.Writer) error {
	sessions, err := golden.ReadDir(opts.dir)
	if err != nil {
		return err
	}
	if sessions, err = chosen(sessions, opts.sessions); err != nil {
		return err
	}
	ref := reference{bitbake: opts.bitbake, python: opts.python}
	var (
		wait sync.WaitGroup
		mu   sync.Mutex // guards errs and stdout
		errs []error
	)
	slots := make(chan struct{}, max(opts.jobs, 1))
	for _, session := range sessions {
		slots <- struct{}{}
		wait.Add(1)
		go func() {
			defer func() { <-slots; wait.Done() }()
			recorded, err := record(ctx, ref, session)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				err = write(opts.dir, recorded, stdout)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", session.Name, err))
			}
		}()
	}
	wait.Wait()
	return errors.Join(errs...)
}

// chosen returns the named sessions, or all if there are no names.
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
