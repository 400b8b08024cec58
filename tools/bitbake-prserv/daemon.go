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
	"strings"
	"sync"

	"github.com/sevlyar/go-daemon"
	"golang.org/x/sys/unix"
)

const (
	// daemonFiles is the environment variable that tells the daemon the numbers
	// of two descriptors: its listener, and the pipe to the starting process.
	daemonFiles = "PRSERV_DAEMON_FDS"
	// firstFile is above every descriptor that go-daemon itself uses.
	firstFile = 10
	// readyText is what the daemon writes to the pipe when it serves.
	readyText = "ready\n"
)

// isDaemon reports whether this process was started by [startDaemon].
func isDaemon() bool {
	if _, ok := os.LookupEnv(daemonFiles); ok && daemon.WasReborn() {
		return true
	}
	// The library takes any process that has its variable for a daemon.
	os.Unsetenv(daemon.MARK_NAME)
	return false
}

// startDaemon runs this program again as a daemon and hands it the listener.
// The daemon has a session of its own, works in the folder /, and writes stdout
// and stderr to the log file. args are its arguments; paths in them have to be
// absolute. env are variables beside those of this process.
//
// startDaemon returns nil once the daemon serves. Otherwise it returns the error
// that the daemon reported, or one that says that the daemon ended without a
// word.
func startDaemon(ctx context.Context, ln *net.TCPListener, logFile string, args, env []string) error {
	listener, err := ln.File()
	if err != nil {
		return fmt.Errorf("handing over the listener: %w", err)
	}
	defer listener.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making a pipe: %w", err)
	}
	defer reader.Close()
	var fds []int
	closeHanded := sync.OnceFunc(func() {
		writer.Close()
		for _, fd := range fds {
			unix.Close(fd)
		}
	})
	defer closeHanded()
	for _, f := range []*os.File{listener, writer} {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD, firstFile) // a copy that stays open in the child
		if err != nil {
			return fmt.Errorf("handing over a file: %w; allow more open files (ulimit -n)", err)
		}
		fds = append(fds, fd)
	}
	d := daemon.Context{
		LogFileName: logFile,
		LogFilePerm: 0o666,
		WorkDir:     "/",
		Args:        append(os.Args[:1:1], args...),
		Env:         append(environment(env), fmt.Sprintf("%s=%d,%d", daemonFiles, fds[0], fds[1])),
	}
	child, err := d.Reborn()
	// EPIPE is no failure: the child may close its input before the library has
	// written all of it.
	if err != nil && (child == nil || !errors.Is(err, unix.EPIPE)) {
		return fmt.Errorf("starting the daemon: %w", err)
	}
	// From here on only the daemon may hold the writing end, so that the pipe
	// ends if the daemon dies.
	closeHanded()
	stop := context.AfterFunc(ctx, func() { reader.Close() })
	defer stop()
	said, err := io.ReadAll(reader)
	switch {
	case err != nil:
		child.Kill()
		return fmt.Errorf("waiting for the daemon: %w", err)
	case string(said) == readyText:
		return nil
	}
	child.Wait() // it holds the port until it ends; how it ends does not matter
	if len(said) > 0 {
		return errors.New(strings.TrimSpace(string(said)))
	}
	return fmt.Errorf("the daemon ended before it served; see %s", logFile)
}

// environment returns the variables of this process, in which env replaces others.
func environment(env []string) []string {
	others := slices.DeleteFunc(os.Environ(), func(old string) bool {
		name, _, _ := strings.Cut(old, "=")
		return slices.ContainsFunc(env, func(new string) bool { return strings.HasPrefix(new, name+"=") })
	})
	return append(others, env...)
}

// inherited is what a daemon gets from the process that started it.
type inherited struct {
	listener net.Listener
	pipe     *os.File // closed and nil once the daemon has reported
}

// enterDaemon takes over what [startDaemon] handed to this process.
func enterDaemon() (*inherited, error) {
	if _, err := new(daemon.Context).Reborn(); err != nil {
		return nil, fmt.Errorf("becoming a daemon: %w", err)
	}
	var fds []uintptr
	for _, text := range strings.Split(os.Getenv(daemonFiles), ",") {
		fd, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", daemonFiles, err)
		}
		unix.CloseOnExec(int(fd))
		fds = append(fds, uintptr(fd))
	}
	if len(fds) != 2 {
		return nil, fmt.Errorf("%s names %d files, not 2", daemonFiles, len(fds))
	}
	os.Unsetenv(daemonFiles)
	os.Unsetenv(daemon.MARK_NAME)
	socket := os.NewFile(fds[0], "listener")
	defer socket.Close()
	ln, err := net.FileListener(socket)
	if err != nil {
		return nil, fmt.Errorf("taking over the listener: %w", err)
	}
	return &inherited{listener: ln, pipe: os.NewFile(fds[1], "ready")}, nil
}

// ready tells the starting process that the daemon serves.
func (d *inherited) ready() { d.report(readyText) }

// fail tells the starting process why the daemon does not serve.
func (d *inherited) fail(err error) { d.report(err.Error() + "\n") }

// report writes to the pipe and closes it. Only the first report counts, and
// nothing happens if the starting process has ended.
func (d *inherited) report(text string) {
	if d.pipe != nil {
		io.WriteString(d.pipe, text)
		d.pipe.Close()
		d.pipe = nil
	}
}
