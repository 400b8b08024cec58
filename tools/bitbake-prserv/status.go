package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"

	"prserver/compat"
	"prserver/prserv/access"
	"prserver/prserv/history"
	"prserver/prserv/status"
)

// listeners are the sockets of a server.
type listeners struct {
	pr     net.Listener // for PR clients
	status net.Listener // for operators; nil if there is none
	// heard remembers the troubles of the log for operators.
	heard *status.Heard
}

// close closes what is open.
func (l listeners) close() {
	l.pr.Close()
	if l.status != nil {
		l.status.Close()
	}
}

// listenTo returns a log whose warnings and errors the status tells, if there is
// one.
func (l *listeners) listenTo(log *slog.Logger) *slog.Logger {
	if l.status == nil {
		return log
	}
	l.heard = &status.Heard{}
	return l.heard.Listen(log)
}

// listenForStatus listens where --status says, unless systemd has handed over a
// socket for that, or nothing is asked for.
func (l *listeners) listenForStatus(ctx context.Context, where string) error {
	if l.status != nil || where == "" {
		return nil
	}
	addr, port, err := statusAddress(where)
	if err != nil {
		return err
	}
	if pr := l.pr.Addr().(*net.TCPAddr).Port; port == pr {
		return fmt.Errorf("--status %s is the port of the PR clients; give another one", where)
	}
	var config net.ListenConfig
	if l.status, err = config.Listen(ctx, "tcp", addr); err != nil {
		return fmt.Errorf("listening at --status %s: %w; give another address, or stop what listens there", where, reason(err))
	}
	return nil
}

// statusAddress returns the address that --status names, and its port. A port
// alone is one of this machine only.
func statusAddress(where string) (addr string, port int, err error) {
	host, text, err := net.SplitHostPort(where)
	if err != nil && !strings.Contains(where, ":") {
		host, text, err = "", where, nil
	}
	port, numErr := strconv.Atoi(text)
	if err != nil || numErr != nil || port < 0 || port > 65535 {
		return "", 0, wrongValue("--status %s names no address; give it as HOST:PORT, or as a port of this machine alone", where)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, text), port, nil
}

// statusOf returns what tells of a server with a status listener, or nil.
func statusOf(l listeners, opts compat.Options, allow access.List, db database, past *history.Recorder, log *slog.Logger,
	connections func() (xml, json, silent int)) *status.Status {
	if l.status == nil {
		return nil
	}
	cfg := status.Config{
		File:        db.Name(),
		Ready:       db.Ready,
		Connections: connections,
		Values:      db,
		Allow:       allow,
		Log:         log,
	}
	cfg.Address, cfg.ReadOnly, cfg.Upstream = l.pr.Addr().String(), opts.ReadOnly, opts.Upstream
	cfg.PostgreSQL, _ = db.(status.PostgreSQL)
	cfg.Heard = l.heard
	if past != nil {
		cfg.History, cfg.HistoryState = past.File(), past.State
	}
	return status.New(cfg)
}

// serveStatus serves the status until stop is called, which waits for its end.
func serveStatus(ctx context.Context, st *status.Status, ln net.Listener, log *slog.Logger) (stop func()) {
	if st == nil {
		return func() {}
	}
	log.Info(fmt.Sprintf("And its status: http://%s/", ln.Addr()))
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := st.Serve(ctx, ln); err != nil {
			log.Error(err.Error())
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
