package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/sevlyar/go-daemon"
	"golang.org/x/sys/unix"
)

const (
	// daemonFiles names, in the environment of the daemon, the descriptors of
	// its listener and of the pipe on which it says that it serves.
	daemonFiles = "PRSERV_DAEMON_FDS"
	// firstFile is above every descriptor that go-daemon uses itself.
	firstFile = 10
	ready     = "ready\n"
)

// InDaemon tells whether this process is a daemon that [StartDaemon] made.
func InDaemon() bool {
	if _, ok := os.LookupEnv(daemonFiles); ok && daemon.WasReborn() {
		return true
	}
	// A user's own variable of that name would make the library believe it.
	os.Unsetenv(daemon.MARK_NAME)
	return false
}

// StartDaemon runs this program again as a daemon in a session of its own,
// with the folder / and with stdout and stderr in the log file, and hands it
// the listener. It returns when the daemon serves, or with the reason why not.
//
// The program gets args as its arguments; they have to name absolute paths.
func StartDaemon(ctx context.Context, ln *net.TCPListener, logFile string, args []string) error {
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
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD, firstFile) // without close-on-exec
		if err != nil {
			return fmt.Errorf("handing over a file: %w; more open files have to be allowed (ulimit -n)", err)
		}
		fds = append(fds, fd)
	}
	d := daemon.Context{
		LogFileName: logFile,
		LogFilePerm: 0o666,
		WorkDir:     "/",
		Args:        append(os.Args[:1:1], args...),
		Env:         append(os.Environ(), fmt.Sprintf("%s=%d,%d", daemonFiles, fds[0], fds[1])),
	}
	child, err := d.Reborn()
	// The library writes two newlines to a child that may have read all it
	// needs, and closed the pipe, before they come.
	if err != nil && (child == nil || !errors.Is(err, unix.EPIPE)) {
		return fmt.Errorf("starting the daemon: %w", err)
	}
	// Only the daemon may hold the writing end now, or a daemon that dies
	// would never end the pipe.
	closeHanded()
	stop := context.AfterFunc(ctx, func() { reader.Close() })
	defer stop()
	said, err := io.ReadAll(reader)
	switch {
	case err != nil:
		child.Kill()
		return fmt.Errorf("waiting for the daemon: %w", err)
	case string(said) == ready:
		return nil
	}
	child.Wait() // until then it has the port; how it ends does not matter
	if len(said) > 0 {
		return errors.New(strings.TrimSpace(string(said)))
	}
	return fmt.Errorf("the daemon ended before it served; see %s", logFile)
}

// Daemon is this process as a daemon.
type Daemon struct {
	Listener net.Listener
	pipe     *os.File
}

// EnterDaemon takes over what [StartDaemon] handed to this process.
func EnterDaemon() (*Daemon, error) {
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
	return &Daemon{Listener: ln, pipe: os.NewFile(fds[1], "ready")}, nil
}

// Ready tells the starting process that the daemon serves.
func (d *Daemon) Ready() { d.report(ready) }

// Fail tells the starting process why the daemon does not serve.
func (d *Daemon) Fail(err error) { d.report(err.Error() + "\n") }

// report closes the pipe. The starting process may be gone; the daemon goes on.
func (d *Daemon) report(text string) {
	if d.pipe != nil {
		io.WriteString(d.pipe, text)
		d.pipe.Close()
		d.pipe = nil
	}
}
