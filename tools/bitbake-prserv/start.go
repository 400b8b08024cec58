package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"prserver/compat"
)

// start makes a daemon and returns when it serves.
// Source: lib/prserv/serv.py:start_daemon.
func start(ctx context.Context, opts compat.Options, stdout io.Writer) error {
	opts, err := absolute(opts)
	if err != nil {
		return err
	}
	if _, err := compat.ParseLevel(opts.LogLevel); err != nil {
		return err
	}
	ip, err := resolve(ctx, opts.Host)
	if err != nil {
		return err
	}
	pidFile := compat.PidFile(ip, opts.Port)
	pid, err := compat.ReadPid(pidFile)
	if err != nil {
		return err
	}
	if pid != 0 {
		return fmt.Errorf("pidfile %s already exist. Daemon already running?", pidFile)
	}
	ln, err := listen(ctx, opts)
	if err != nil {
		return err
	}
	defer ln.Close()
	if err := compat.StartDaemon(ctx, ln, opts.Log, opts.DaemonArgs()); err != nil {
		return err
	}
	if port := ln.Addr().(*net.TCPAddr).Port; port != opts.Port {
		fmt.Fprintf(stdout, "Server is listening at port %d instead of %d\n", port, opts.Port)
	}
	return nil
}

// serveAsDaemon is what the daemon does. Its stderr is the log.
func serveAsDaemon(ctx context.Context, opts compat.Options, stderr io.Writer) error {
	d, err := compat.EnterDaemon()
	if err != nil {
		return err
	}
	signal.Ignore(os.Interrupt) // the reference commits and goes on; everything is committed here
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer cancel()
	err = serveWithPidFile(ctx, opts, stderr, d)
	if err != nil {
		d.Fail(err)
	}
	return err
}

func serveWithPidFile(ctx context.Context, opts compat.Options, stderr io.Writer, d *compat.Daemon) error {
	level, err := compat.ParseLevel(opts.LogLevel)
	if err != nil {
		return err
	}
	addr := d.Listener.Addr().(*net.TCPAddr)
	pidFile := compat.PidFile(addr.IP.String(), addr.Port)
	written := false
	defer func() {
		if written {
			os.Remove(pidFile)
		}
	}()
	return serve(ctx, opts, slog.New(compat.NewLogHandler(stderr, level)), d.Listener, func() error {
		if err := compat.WritePid(pidFile, os.Getpid()); err != nil {
			return err
		}
		written = true
		d.Ready()
		return nil
	})
}
