package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"prserver/compat"
)

// killedTimeout is how long a killed process may still hold its port.
const killedTimeout = 2 * time.Second

// start starts a daemon and returns once it serves.
// Source: lib/prserv/serv.py:start_daemon.
func start(ctx context.Context, opts compat.Options, stdout, stderr io.Writer) error {
	opts, err := absolute(opts)
	if err != nil {
		return err
	}
	if err := checkValues(opts); err != nil {
		return err
	}
	if err := checkFiles(opts); err != nil {
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
	// A server that was just killed may still hold its port.
	for deadline := time.Now().Add(killedTimeout); err != nil && file.exists() && time.Now().Before(deadline); {
		time.Sleep(exitPoll)
		ln, err = listen(ip, opts.Port)
	}
	if err != nil {
		return err
	}
	defer ln.Close()
	// No other server can use the address now, so its pid file is ours to replace.
	port := ln.Addr().(*net.TCPAddr).Port
	if err := pidFileOf(opts, ip, port).clear(warnTo(stderr)); err != nil {
		return err
	}
	// The daemon opens the log itself. Opening it here shows the user an error.
	log, err := openLogFile(opts.Log, false, opts.LogFormat)
	if err != nil {
		return err
	}
	defer log.close()
	if err := startDaemon(ctx, ln, opts.Log, opts.DaemonArgs(), opts.DaemonEnvironment()); err != nil {
		return err
	}
	if port != opts.Port {
		fmt.Fprintf(stdout, "Server is listening at port %d instead of %d\n", port, opts.Port)
	}
	return nil
}

// serveAsDaemon serves, in a process that [startDaemon] has started, until
// SIGTERM or a client's quit.
func serveAsDaemon(ctx context.Context, opts compat.Options) error {
	d, err := enterDaemon()
	if err != nil {
		return err
	}
	defer d.listener.Close()
	signal.Ignore(os.Interrupt) // the reference only commits then; ours always has
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer cancel()
	if err := serveDetached(ctx, opts, d); err != nil {
		d.fail(err)
		return err
	}
	return nil
}

func serveDetached(ctx context.Context, opts compat.Options, d *inherited) error {
	level, err := logLevel(opts)
	if err != nil {
		return err
	}
	file, err := openLogFile(opts.Log, true, opts.LogFormat)
	if err != nil {
		return err
	}
	defer file.close()
	log := file.logger(level)
	defer reopenOnHangup(file, log)()
	addr := d.listener.Addr().(*net.TCPAddr)
	pidFile := pidFileOf(opts, addr.IP.String(), addr.Port).path
	return serve(ctx, opts, log, listeners{pr: d.listener}, pidFile, d.ready)
}
