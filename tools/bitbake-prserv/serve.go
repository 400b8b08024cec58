package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/dbfile"
	"prserver/prserv/store/sqlite"
)

// serveInForeground serves until a signal or a client ends it.
func serveInForeground(ctx context.Context, opts compat.Options, stderr io.Writer) error {
	signal.Ignore(syscall.SIGPIPE) // whoever reads the log may go away
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	opts, err := absolute(opts)
	if err != nil {
		return err
	}
	level, err := compat.ParseLevel(opts.LogLevel)
	if err != nil {
		return err
	}
	out := stderr
	if opts.Given["--log"] {
		file, err := OpenLogFile(opts.Log, false)
		if err != nil {
			return err
		}
		defer file.Close()
		out = file
	}
	log := slog.New(compat.NewLogHandler(out, level))
	defer reopenOnHangup(out, log)()

	ln, err := InheritedListener()
	if err != nil {
		return err
	}
	if ln == nil {
		ip, err := resolve(ctx, opts.Host)
		if err != nil {
			return err
		}
		if ln, err = listen(ip, opts.Port); err != nil {
			return err
		}
	}
	defer ln.Close()
	if opts.PidFile != "" {
		// It says nothing of an address, and systemd may have chosen that.
		if err := pidFileOf(opts, "", 0).clear(stderr); err != nil {
			return err
		}
	}
	return serve(ctx, opts, log, ln, opts.PidFile, func() { notify(log, NotifyReady) })
}

// reopenOnHangup opens the log anew at every SIGHUP, until the function that
// it returns is called.
func reopenOnHangup(out io.Writer, log *slog.Logger) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			file, ok := out.(*LogFile)
			if !ok {
				continue
			}
			if err := file.Reopen(); err != nil {
				log.Error(err.Error())
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
	}
}

// notify tells systemd how the server is doing. Whether systemd hears it is no
// reason to end.
func notify(log *slog.Logger, state string) {
	if err := Notify(state); err != nil {
		log.Warn(err.Error())
	}
}

// tuneMemory lets the heap grow to some sixteen megabytes before it is cleaned
// up, where Go would do so at four, many times a second. Whoever makes it much
// larger, by requests of megabytes, makes it be cleaned up more often again.
func tuneMemory() {
	const percent, limit = 300, 128 << 20
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

// serve serves ln until ctx ends, with the server's pid in pidFile if that is
// not empty. It calls ready once clients get answers.
func serve(ctx context.Context, opts compat.Options, log *slog.Logger, ln net.Listener, pidFile string, ready func()) error {
	if pid := compat.PythonServerOn(opts.File); pid != 0 && !opts.ReadOnly {
		return &dbfile.LockedError{File: opts.File, PID: pid, Foreign: true}
	}
	tuneMemory()
	db, err := sqlite.Open(ctx, opts.File, opts.ReadOnly)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, warning := range db.Warnings() {
		log.Warn(warning)
	}
	s, err := prserv.New(prserv.Config{
		Store:           db,
		ReadOnly:        opts.ReadOnly,
		AllowRemoteQuit: opts.AllowRemoteQuit,
		Dialect:         compat.DialectFor,
		Log:             log,
	})
	if err != nil {
		return err
	}
	if pidFile != "" {
		if err := compat.WritePid(pidFile, os.Getpid()); err != nil {
			return err
		}
		defer os.Remove(pidFile)
	}
	addr := ln.Addr().(*net.TCPAddr)
	log.Info(fmt.Sprintf("Started PRServer with DBfile: %s, IP: %s, PORT: %d, PID: %d",
		opts.File, addr.IP, addr.Port, os.Getpid()))
	ready()
	err = s.Serve(ctx, ln)
	log.Info("PRServer: stopping...")
	notify(log, NotifyStopping)
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	return err
}
