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
	"strings"
	"time"

	"prserver/tools/internal/pyserver"
)

const tablesText = `Usage: prserv-bench tables --program FILE [options]

Starts servers of its own, measures them side by side, and prints tables in
Markdown: calls of XML-RPC and memory under load, calls of JSON lines, dumps, how
the size of the file matters, and what the history and --status cost. The Python program is measured in the protocol
that it speaks. Every ratio is of numbers of the same round, so that what else the
machine does disturbs both. scripts/bench builds the program and calls this.

Options:
`

// tables holds the options of prserv-bench tables.
type tables struct {
	ours      program
	reference *program // nil if there is none
	version   string   // of the reference
	// generation is the latest that the reference knows.
	generation int
	only       string
	database   bool   // measure PostgreSQL, and nothing else
	dir        string // for the temporary folder
	rounds     int
	rows       int
	load       load
	stdout     io.Writer
	stderr     io.Writer
}

func parseTables(args []string, stdout, stderr io.Writer) (*tables, error) {
	t := &tables{stdout: stdout, stderr: stderr}
	flags := flag.NewFlagSet("prserv-bench tables", flag.ContinueOnError)
	file := flags.String("program", "", "the bitbake-prserv to measure, a `file`")
	bitbake := flags.String("bitbake", "", "measure the Python program of this checkout of bitbake as well, a `folder`")
	python := flags.String("python", "", "the `interpreter` that it needs")
	flags.StringVar(&t.only, "only", "", "make one part only: calls, lines, dump, growth or history")
	flags.BoolVar(&t.database, "database", false, "measure servers of PostgreSQL beside those of a file, and nothing else; starts its own")
	flags.StringVar(&t.dir, "dir", os.TempDir(), "make the database files in a temporary folder in this `folder`; its disk is what is measured")
	flags.IntVar(&t.rounds, "rounds", 3, "how often to measure everything")
	flags.IntVar(&t.rows, "rows", 5_000_000, "rows of the file that shows growth; 5000000 take 0.8 GB")
	flags.IntVar(&t.load.Clients, "clients", 32, "how many ask at the same time")
	flags.IntVar(&t.load.Keys, "keys", 1000, "how many packages have a known value; as many others get new ones")
	flags.DurationVar(&t.load.Duration, "duration", 5*time.Second, "how long to measure each load in each round")
	flags.DurationVar(&t.load.Warmup, "warmup", time.Second, "how long to load the server before that")
	if err := parseFlags(flags, args, tablesText, stdout); err != nil {
		return nil, err
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("%q is no option; tables starts its servers itself", flags.Arg(0))
	case *file == "":
		err = errors.New("which server? Name its file with --program, or run scripts/bench, which builds it")
	case (*bitbake == "") != (*python == ""):
		err = errors.New("--bitbake and --python belong together: the checkout, and the interpreter that it needs")
	case !slices.Contains([]string{"", "calls", "lines", "dump", "growth", "history"}, t.only):
		err = fmt.Errorf("--only %q: the parts are calls, lines, dump, growth and history", t.only)
	case t.rounds < 1 || t.load.Clients < 1 || t.load.Keys < 1 || t.load.Duration <= 0 || t.load.Warmup < 0:
		err = errors.New("--rounds, --clients, --keys and --duration have to be greater than 0")
	case t.rows < 2*groupSize:
		err = fmt.Errorf("--rows has to be at least %d", 2*groupSize)
	}
	if err != nil {
		return nil, usageError{err}
	}
	return t, t.find(*file, *bitbake, *python)
}

// find fills in the programs to measure. Paths become absolute, because servers
// run in folders of their own.
func (t *tables) find(file, bitbake, python string) error {
	file, err := exec.LookPath(file)
	if err != nil {
		return usageError{fmt.Errorf("--program: %w", err)}
	}
	if file, err = filepath.Abs(file); err != nil {
		return err
	}
	t.ours = program{"ours", pyserver.Program{file}}
	if t.dir, err = filepath.Abs(t.dir); err != nil {
		return err
	}
	if _, err := exec.LookPath("sqlite3"); err != nil {
		return fmt.Errorf("%w; install Debian's package sqlite3, as scripts/bench does", err)
	}
	if bitbake == "" {
		return nil
	}
	if bitbake, err = filepath.Abs(bitbake); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(bitbake, "bin", "bitbake-prserv")); err != nil {
		return usageError{fmt.Errorf("--bitbake %s is no checkout of bitbake: %w", bitbake, err)}
	}
	// python may be a shim, which would need the environment of the user.
	out, err := exec.Command(python, "-c", "import sys; print(sys.executable); print(sys.version.split()[0])").Output()
	lines := strings.Fields(string(out))
	if err != nil || len(lines) != 2 {
		return usageError{fmt.Errorf("--python %s does not run Python", python)}
	}
	t.reference = &program{"Python", pyserver.Python(lines[0], bitbake)}
	t.version = "Python " + lines[1]
	t.generation = generationOf(bitbakeVersion(t.reference.Program[1]))
	return nil
}

// speaks tells whether there is a reference that speaks the protocol of a
// generation.
func (t *tables) speaks(generation int) bool {
	return t.reference != nil && (t.generation == 1) == (generation == 1)
}

// generationOf returns the generation of a version of BitBake, such as
// "bitbake 2.8.0".
func generationOf(version string) int {
	var major, minor int
	fmt.Sscanf(version, "bitbake %d.%d", &major, &minor) // an unknown one is an old one
	switch {
	case major > 2 || major == 2 && minor >= 10:
		return 3
	case major == 2 || major == 1 && minor >= 52:
		return 2
	}
	return 1
}

// run makes the parts one after the other. If one fails, the others are made all
// the same.
func (t *tables) run(ctx context.Context) error {
	if err := t.machine(); err != nil {
		return err
	}
	if t.database {
		return t.inFolder(ctx, t.postgres)
	}
	var errs []error
	for _, part := range []struct {
		name string
		make func(ctx context.Context, dir string) error
	}{{"calls", t.calls}, {"lines", t.lines}, {"dump", t.dump}, {"growth", t.growth}, {"history", t.history}} {
		if t.only != "" && t.only != part.name {
			continue
		}
		if err := t.inFolder(ctx, part.make); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", part.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return oneLine(errs...)
}

// oneLine joins errors as errors.Join does, but in one line.
func oneLine(errs ...error) error {
	var all error
	for _, err := range errs {
		switch {
		case all == nil:
			all = err
		case err != nil:
			all = fmt.Errorf("%w; %w", all, err)
		}
	}
	return all
}

// inFolder calls f with a new folder, and removes that afterwards.
func (t *tables) inFolder(ctx context.Context, f func(ctx context.Context, dir string) error) error {
	dir, err := os.MkdirTemp(t.dir, "prserv-bench-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	return f(ctx, dir)
}

// stop stops a server. An error is only printed: the figures are good.
func (t *tables) stop(s server) {
	if err := s.stop(); err != nil {
		t.say("%v", err)
	}
}

// say writes a line to stderr with the time before it.
func (t *tables) say(format string, args ...any) {
	fmt.Fprintf(t.stderr, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}

// measure loads a server and returns the results. It returns an error if a call
// failed, since the figures of the others would look too good.
func (t *tables) measure(ctx context.Context, l load, s server, tick func(time.Duration)) (*results, error) {
	l.PID, l.Generation = s.PID, s.generation
	r, err := l.run(ctx, s.Addr, tick)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return r, failures(s.name, r)
}

func noTick(time.Duration) {}
