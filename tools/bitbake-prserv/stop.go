package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
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
// sends quit, then SIGTERM. It returns an error if there is no pid file, or if
// the process does not end.
// Source: lib/prserv/serv.py:stop_daemon.
func stop(ctx context.Context, opts compat.Options, stdout, stderr io.Writer) error {
	ip, err := resolve(ctx, opts.Host)
	if err != nil {
		return err
	}
	file := pidFileOf(opts, ip, opts.Port)
	pid, err := compat.ReadPid(file.path)
	if err != nil {
		return err
	}
	if !file.exists() {
		others := ""
		if ports := compat.OtherPorts(ip); len(ports) > 0 {
			others = fmt.Sprintf("Wrong port? Other ports listening at %s: %s", opts.Host, strings.Join(ports, " "))
		}
		return fmt.Errorf("pidfile %s does not exist. Daemon not running? %s", file.path, others)
	}
	if pid == 0 || !file.isServer(pid) {
		// Another process may have the pid by now. It must not be stopped.
		return file.removeStale(stderr, "removed")
	}
	client := client.New(net.JoinHostPort(ip, strconv.Itoa(opts.Port)), quitTimeout)
	if err := client.Quit(ctx); err != nil {
		fmt.Fprintln(stderr, err)
	}
	fmt.Fprintln(stdout, "Waiting for pr-server to exit.")
	if !gone(pid, quitTimeout) {
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

// gone waits for a process to end and reports whether it did within timeout.
func gone(pid int, timeout time.Duration) bool {
	for deadline := time.Now().Add(timeout); compat.IsRunning(pid); time.Sleep(exitPoll) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
