package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"prserver/compat"
	"prserver/prserv/client"
)

const (
	// quitTimeout is how long a server may take to end after quit. It is the
	// reference's.
	quitTimeout = 5 * time.Second
	// termTimeout is how long a server may take to end after SIGTERM. An idle
	// Python server takes up to 30 seconds to notice, and it must have ended
	// before another server opens its file.
	termTimeout = 31 * time.Second
	// exitPoll is the time between two looks at a process that is to end.
	exitPoll = 20 * time.Millisecond
)

// stop ends the server at the address of the options, ours or Python's: it
// sends quit, if that knows it, then SIGTERM. It returns an error if there is no pid file, if what
// listens at the address is another program, or if the process does not end.
// Source: lib/prserv/serv.py:stop_daemon.
func stop(ctx context.Context, opts compat.Options, stdout, stderr io.Writer) error {
	ip, err := resolve(ctx, opts.Host)
	if err != nil {
		return err
	}
	file := pidFileOf(opts, ip, opts.Port).orEverywhere()
	pid, err := compat.ReadPid(file.path)
	if err != nil {
		return err
	}
	if !file.exists() {
		return fmt.Errorf("pidfile %s does not exist. Daemon not running? %s", file.path, file.hint(ctx, opts.Host))
	}
	if pid == 0 || !file.isServer(pid) {
		// Another process may have the pid by now. It must not be stopped.
		l, ok := file.listener()
		if !ok || file.anywhere {
			return file.removeStale(stderr, "removed")
		}
		if pid = l.Holder(); pid == 0 || !compat.IsServer(pid) && !answers(ctx, l) {
			return fmt.Errorf("pidfile %s does not name what listens at %s: %s", file.path, l.Address, wayToEnd(pid))
		}
	}
	if !quit(ctx, file, pid, stdout, stderr) {
		fmt.Fprintln(stdout, "Sending SIGTERM to pr-server.")
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			return fmt.Errorf("ending process %d: %w", pid, err)
		}
		if !gone(pid, termTimeout) {
			return fmt.Errorf("process %d does not end after quit and SIGTERM; its pid file %s stays", pid, file.path)
		}
	}
	if err := os.Remove(file.path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing the pid file: %w", err)
	}
	return nil
}

// quit asks a server to end, and reports whether it did. One of BitBake 1.52 and
// later cannot be asked: it knows SIGTERM only.
func quit(ctx context.Context, file pidFile, pid int, stdout, stderr io.Writer) bool {
	if addr, ok := file.addressOf(pid); ok {
		if err := client.New(addr.String(), quitTimeout).Quit(ctx); err != nil {
			if speaksLines(ctx, addr.String()) {
				return false
			}
			fmt.Fprintln(stderr, err)
		}
	}
	fmt.Fprintln(stdout, "Waiting for pr-server to exit.")
	return gone(pid, quitTimeout)
}

// speaksLines reports whether a PR server at an address speaks the protocol of
// BitBake 1.52 and later.
func speaksLines(ctx context.Context, addr string) bool {
	lines := client.NewJSONLines(addr, quitTimeout)
	defer lines.Close()
	return lines.Ping(ctx) == nil
}

// hint says where the server may be if there is no pid file. It is empty if
// there is nothing to say.
func (f pidFile) hint(ctx context.Context, host string) string {
	if l, ok := f.listener(); ok && !f.anywhere {
		return fmt.Sprintf("Without one, something listens at %s: %s", l.Address, wayToEnd(l.Holder()))
	}
	all, _ := compat.Listeners() // if the system does not tell, there are none
	for _, l := range all {
		if l.Address.Port() == f.address.Port() && !f.anywhere && isOurs(f.address.Addr()) && answers(ctx, l) {
			return fmt.Sprintf("A PR server listens at %s; --host %s stops it", l.Address, l.Address.Addr())
		}
	}
	if ports := compat.OtherPorts(f.address.Addr().String()); len(ports) > 0 {
		return fmt.Sprintf("Wrong port? Other ports listening at %s: %s", host, strings.Join(ports, " "))
	}
	return ""
}

// answers reports whether a PR server listens at an address, whatever its
// program is called.
func answers(ctx context.Context, l compat.Listener) bool {
	return client.New(l.Address.String(), quitTimeout).Ping(ctx) == nil || speaksLines(ctx, l.Address.String())
}

// wayToEnd says how the user can end a process that listens, which is 0 if this
// user does not see it.
func wayToEnd(pid int) string {
	if pid == 0 {
		return "a process of another user or container; stop it there"
	}
	return fmt.Sprintf("process %d (%s); to end it: kill %d", pid, compat.NameOf(pid), pid)
}

// gone waits for a process to end and reports whether it did within timeout.
func gone(pid int, timeout time.Duration) bool {
	for deadline := time.Now().Add(timeout); compat.IsRunning(pid); time.Sleep(exitPoll) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
