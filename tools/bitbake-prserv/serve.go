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
	"prserver/prserv"
)

// serveInForeground serves until a signal or a client ends it.
func serveInForeground(ctx context.Context, opts compat.Options, stderr io.Writer) error {
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	level, err := compat.ParseLevel(opts.LogLevel)
	if err != nil {
		return err
	}
	out := stderr
	if opts.Given["--log"] {
		f, err := os.OpenFile(opts.Log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		if err != nil {
			return fmt.Errorf("opening the log: %w", err)
		}
		defer f.Close()
		out = f
	}
	ln, err := listen(ctx, opts)
	if err != nil {
		return err
	}
	return serve(ctx, opts, slog.New(compat.NewLogHandler(out, level)), ln, func() error { return nil })
}

// serve serves ln until ctx ends, after it has called ready.
func serve(ctx context.Context, opts compat.Options, log *slog.Logger, ln net.Listener, ready func() error) error {
	defer ln.Close()
	s, err := prserv.New(ctx, prserv.Config{File: opts.File, Dialect: compat.DialectFor, Log: log})
	if err != nil {
		return err
	}
	defer s.Close()
	addr := ln.Addr().(*net.TCPAddr)
	log.Info(fmt.Sprintf("Started PRServer with DBfile: %s, IP: %s, PORT: %d, PID: %d",
		opts.File, addr.IP, addr.Port, os.Getpid()))
	if err := ready(); err != nil {
		return err
	}
	err = s.Serve(ctx, ln)
	log.Info("PRServer: stopping...")
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	return err
}
