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
	"prserver/prserv"
)

const (
	// exitTimeout is how long a server may take to end before it is killed.
	exitTimeout = 5 * time.Second
	exitPoll    = 20 * time.Millisecond
)

// stop ends the server at the address of the options, ours or Python's.
// Source: lib/prserv/serv.py:stop_daemon.
func stop(ctx context.Context, opts compat.Options, stdout io.Writer) error {
	ip, err := resolve(ctx, opts.Host)
	if err != nil {
		return err
	}
	pidFile := compat.PidFile(ip, opts.Port)
	pid, err := compat.ReadPid(pidFile)
	if err != nil {
		return err
	}
	if pid == 0 {
		others := ""
		if ports := compat.OtherPorts(ip); len(ports) > 0 {
			others = fmt.Sprintf("Wrong port? Other ports listening at %s: %s", opts.Host, strings.Join(ports, " "))
		}
		return fmt.Errorf("pidfile %s does not exist. Daemon not running? %s", pidFile, others)
	}
	client := prserv.NewClient(net.JoinHostPort(ip, strconv.Itoa(opts.Port)), exitTimeout)
	if err := client.Quit(ctx); err != nil {
		fmt.Fprintln(stdout, err)
	}
	fmt.Fprintln(stdout, "Waiting for pr-server to exit.")
	if !gone(pid, exitTimeout) {
		fmt.Fprintln(stdout, "Sending SIGTERM to pr-server.")
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			return fmt.Errorf("ending process %d: %w", pid, err)
		}
		if !gone(pid, exitTimeout) {
			return fmt.Errorf("process %d does not end; its pid file %s stays", pid, pidFile)
		}
	}
	if err := os.Remove(pidFile); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing the pid file: %w", err)
	}
	return nil
}

// gone waits for a process to end.
func gone(pid int, timeout time.Duration) bool {
	for deadline := time.Now().Add(timeout); compat.IsRunning(pid); time.Sleep(exitPoll) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
