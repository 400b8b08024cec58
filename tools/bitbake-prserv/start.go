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
	"time"

	"prserver/compat"
)

// killedTimeout is how long a process may take to go once it was killed.
const killedTimeout = 2 * time.Second

// start makes a daemon and returns when it serves.
// Source: lib/prserv/serv.py:start_daemon.
func start(ctx context.Context, opts compat.Options, stdout, stderr io.Writer) error {
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
	file := pidFileOf(opts, ip, opts.Port)
	if err := file.check(); err != nil {
		return err
	}
	ln, err := listen(ip, opts.Port)
	// A server that was killed a moment ago may still hold its port.
	for deadline := time.Now().Add(killedTimeout); err != nil && file.exists() && time.Now().Before(deadline); {
		time.Sleep(exitPoll)
		ln, err = listen(ip, opts.Port)
	}
	if err != nil {
		return err
	}
	defer ln.Close()
	// Now that the address is ours, so is what its pid file says.
	port := ln.Addr().(*net.TCPAddr).Port
	if err := pidFileOf(opts, ip, port).clear(stderr); err != nil {
		return err
	}
	// The daemon opens it again; here somebody reads why it cannot be opened.
	logFile, err := OpenLogFile(opts.Log, false)
	if err != nil {
		return err
	}
	defer logFile.Close()
	if err := StartDaemon(ctx, ln, opts.Log, opts.DaemonArgs()); err != nil {
		return err
	}
	if port != opts.Port {
		fmt.Fprintf(stdout, "Server is listening at port %d instead of %d\n", port, opts.Port)
	}
	return nil
}

// serveAsDaemon is what the daemon does.
func serveAsDaemon(ctx context.Context, opts compat.Options) error {
	d, err := EnterDaemon()
	if err != nil {
		return err
	}
	defer d.Listener.Close()
	signal.Ignore(os.Interrupt) // the reference commits and goes on; here everything is committed
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer cancel()
	if err := serveDetached(ctx, opts, d); err != nil {
		d.Fail(err)
		return err
	}
	return nil
}

func serveDetached(ctx context.Context, opts compat.Options, d *Daemon) error {
	level, err := compat.ParseLevel(opts.LogLevel)
	if err != nil {
		return err
	}
	file, err := OpenLogFile(opts.Log, true)
	if err != nil {
		return err
	}
	defer file.Close()
	log := slog.New(compat.NewLogHandler(file, level))
	defer reopenOnHangup(file, log)()
	addr := d.Listener.Addr().(*net.TCPAddr)
	pidFile := pidFileOf(opts, addr.IP.String(), addr.Port).path
	return serve(ctx, opts, log, d.Listener, pidFile, d.Ready)
}
