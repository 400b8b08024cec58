package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/dbfile"
	"prserver/prserv/history"
	"prserver/prserv/store"
)

// serveInForeground serves until SIGINT, SIGTERM or a client's quit.
func serveInForeground(ctx context.Context, opts compat.Options) error {
	signal.Ignore(syscall.SIGPIPE) // the reader of the log may go away
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	opts, err := absolute(opts)
	if err != nil {
		return err
	}
	if err := checkValues(opts); err != nil {
		return err
	}
	level, err := logLevel(opts)
	if err != nil {
		return err
	}
	if err := checkFiles(opts); err != nil {
		return err
	}
	stderr := openStderr(os.Stderr, opts.LogFormat)
	defer stderr.close()
	out := stderr
	if opts.Given["--log"] {
		if out, err = openLogFile(opts.Log, false, opts.LogFormat); err != nil {
			return err
		}
		defer out.close()
	}
	log := out.logger(level)
	defer reopenOnHangup(out, log)()

	from, err := inheritedListeners()
	if err != nil {
		return err
	}
	if from.pr == nil {
		ip, err := resolve(ctx, opts.Host)
		if err != nil {
			return err
		}
		if from.pr, err = listen(ip, opts.Port); err != nil {
			return err
		}
	}
	defer func() { from.close() }()
	if opts.PidFile != "" {
		addr := from.pr.Addr().(*net.TCPAddr)
		if err := pidFileOf(opts, addr.IP.String(), addr.Port).clear(stderr.warn); err != nil {
			return err
		}
	}
	return serve(ctx, opts, log, from, opts.PidFile, func() { notify(log, systemd.SdNotifyReady) })
}

// reopenOnHangup reopens the log at every SIGHUP, until stop is called.
func reopenOnHangup(out *logFile, log *slog.Logger) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			if err := out.reopen(); err != nil {
				log.Error(err.Error())
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
	}
}

// tuneMemory lets the garbage collector run when the heap reaches 16 MiB: at
// Go's default of 4 MiB it runs many times a second. The memory limit makes it
// run more often again when large requests grow the heap. GOGC and GOMEMLIMIT
// override both.
func tuneMemory() {
	const percent, limit = 300, 128 << 20
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

// serve serves the listeners until ctx ends or a client's quit, and closes them.
// While it does, pidFile, if not empty, holds the server's pid. It calls ready
// once clients get answers.
func serve(ctx context.Context, opts compat.Options, log *slog.Logger, from listeners, pidFile string, ready func()) error {
	defer func() { from.close() }()
	if pid := compat.PythonServerOn(opts.File); pid != 0 && !opts.ReadOnly && opts.Database == "" {
		return &dbfile.LockedError{File: opts.File, PID: pid, Foreign: true}
	}
	// What can be wrong comes before the database, which would be made for nothing.
	rules, err := rulesOf(opts)
	if err != nil {
		return err
	}
	upstream, err := upstreamOf(opts)
	if err != nil {
		return err
	}
	if namesItself(ctx, opts.Upstream, from.pr.Addr().(*net.TCPAddr).AddrPort()) {
		return fmt.Errorf("--upstream %s is this server itself; name another server, or none", opts.Upstream)
	}
	if err := from.listenForStatus(ctx, opts.Status); err != nil {
		return err
	}
	log = from.listenTo(log)
	if pidFile != "" {
		remove, err := compat.WritePid(pidFile, os.Getpid())
		if err != nil {
			return err
		}
		defer remove()
	}
	tuneMemory()
	pastFile := historyOf(opts)
	if opts.Database == "" {
		if err := checkNotLost(ctx, opts.File, pastFile); err != nil {
			return err
		}
	}
	db, err := openDatabase(ctx, opts)
	if err != nil {
		return adviseRoom(err, opts)
	}
	defer db.Close()
	for _, warning := range db.Warnings() {
		log.Warn(warning)
	}
	var past *history.Recorder
	if pastFile != "" {
		if err := checkNewest(ctx, db, pastFile); err != nil {
			return err
		}
		if past, err = history.Open(pastFile, history.Options{Log: log}); err != nil {
			return err
		}
		defer past.Close()
	}
	cfg := prserv.Config{
		Store:           db,
		Upstream:        upstream,
		ReadOnly:        opts.ReadOnly,
		Access:          rules.pr,
		AllowRemoteQuit: opts.AllowRemoteQuit,
		Dialect:         compat.DialectFor,
		Text:            compat.Py3.Text,
		Log:             log,
	}
	var s *prserv.Server
	st := statusOf(from, opts, rules.status, db, past, log, func() (xml, json, silent int) { return s.Connections() })
	observe(&cfg, db, st, past)
	if s, err = prserv.New(cfg); err != nil {
		return err
	}
	addr := from.pr.Addr().(*net.TCPAddr)
	log.Info(fmt.Sprintf("Started PRServer with DBfile: %s, IP: %s, PORT: %d, PID: %d",
		db.Name(), addr.IP, addr.Port, os.Getpid()))
	if opts.Upstream != "" {
		log.Info("And upstream PRServer: " + opts.Upstream)
	}
	stopStatus := serveStatus(ctx, st, from.status, log)
	defer stopStatus()
	ready()
	stopLooking := func() {}
	if opts.Database == "" {
		stopLooking = tellOfDamage(ctx, log, opts.File)
	}
	defer stopLooking()
	err = s.Serve(ctx, from.pr)
	log.Info("PRServer: stopping...")
	notify(log, systemd.SdNotifyStopping)
	stopStatus()
	stopLooking()
	isLost := errors.Is(db.Ready(), store.ErrReplaced)
	closeErr := db.Close()
	if isLost && closeErr == nil {
		log.Error(fmt.Sprintf("The database %s has been removed or replaced while it was served, so the last values are not in it; put a copy back before the next start", db.Name()))
	}
	if err == nil {
		err = closeErr
	}
	if err := past.Close(); err != nil {
		log.Error(err.Error())
	}
	return err
}

// adviseRoom adds to the error of a file on a full disk what a user can do. To go into
// WAL mode takes some room, and to read takes none.
func adviseRoom(err error, opts compat.Options) error {
	if opts.Database != "" || !errors.Is(err, store.ErrFull) && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	if _, missing := os.Stat(opts.File); missing != nil { // there is nothing to read
		return fmt.Errorf("%w; make room there", err)
	}
	return fmt.Errorf("%w; make room there, or let known values be answered meanwhile with --read-only", err)
}
