package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"prserver/compat"
	"prserver/prserv/place"
	"prserver/prserv/visible"
)

// program is what the verbs share.
type program struct {
	stdout, stderr io.Writer
	terminal       bool // whether stdout is one
	progress       *progress
	work           worker
	feeds          *place.FeedOptions // those of the work
}

// worker is what the verbs need of a [place.Work].
type worker interface {
	Copy(ctx context.Context, src, dst place.Place, o place.CopyOptions) (place.Copied, error)
	Diff(ctx context.Context, a, b place.Place, each func(place.Difference) error) (place.Compared, error)
	List(ctx context.Context, p place.Place, o place.ListOptions, each func(place.Row) error) error
	RaiseTwins(ctx context.Context, p place.Place) (place.Raised, error)
	Check(ctx context.Context, p place.Place, each func(place.Problem) error) (rows int64, err error)
	CheckPublished(ctx context.Context, p, published place.Place, each func(place.Behind) error) error
	MendPublished(p, published place.Place) string
}

func newProgram(stdin io.Reader, stdout, stderr io.Writer) *program {
	p := &program{stdout: stdout, stderr: stderr, terminal: isTerminal(stdout)}
	p.progress = newProgress(stderr)
	if p.terminal {
		// Lines and a bar on one terminal would be written into each other.
		p.stdout = quietly{stdout, p.progress}
	}
	work := &place.Work{Stdin: stdin, Stdout: p.stdout, Progress: p.progress.show,
		Warn: func(line string) { p.say("prserv-tool: " + line) }, Process: processAt}
	p.work, p.feeds = work, &work.Feeds
	return p
}

// processAt finds the process of this machine that listens at HOST:PORT, or 0.
func processAt(addr string) int {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0
	}
	ips, _ := net.LookupHost(host) // without one there is no process
	all, _ := compat.Listeners()   // if the system does not tell, there are none
	for _, l := range all {
		at := l.Address.Addr()
		if strconv.Itoa(int(l.Address.Port())) == port && (slices.Contains(ips, at.String()) || at.IsUnspecified() && isOwn(ips)) {
			return l.Holder()
		}
	}
	return 0
}

// isOwn tells whether one of these addresses is this machine's own.
func isOwn(ips []string) bool {
	own, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(own, func(a net.Addr) bool {
		network, ok := a.(*net.IPNet)
		return ok && (slices.Contains(ips, network.IP.String()) || network.IP.IsLoopback() &&
			slices.ContainsFunc(ips, func(ip string) bool { return net.ParseIP(ip).IsLoopback() }))
	})
}

// run is the program. It returns its exit code: 1 where differences or
// problems were found, 2 for trouble.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return newProgram(stdin, stdout, stderr).run(ctx, args[1:])
}

// errFound says by the exit code what has been printed already.
var errFound = errors.New("there are differences or problems")

// interruptedError says what became of what was under way.
type interruptedError string

func (e interruptedError) Error() string { return "interrupted" + string(e) }

func (p *program) run(ctx context.Context, args []string) int {
	err := p.execute(ctx, args)
	p.progress.clear()
	var interrupted interruptedError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFound):
		return 1
	case ctx.Err() != nil && !errors.As(err, &interrupted):
		err = interruptedError("")
	}
	p.say("prserv-tool: " + err.Error())
	return 2
}

func (p *program) execute(ctx context.Context, args []string) error {
	root := p.commands()
	root.SetArgs(args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	if len(args) > 0 {
		if err := checkVerb(root, args[0]); err != nil {
			return err
		}
	}
	return root.ExecuteContext(ctx)
}

// say writes a line to stderr.
func (p *program) say(line string) {
	p.progress.clear()
	fmt.Fprintln(p.stderr, visible.Text(line))
}

func isTerminal(stream io.Writer) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}

// count writes a number of things.
func count(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
