package main

import (
	"errors"
	"fmt"
	"log/slog"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/history"
	"prserver/prserv/status"
	"prserver/prserv/store"
)

// observers tell several of every transaction.
type observers []store.Observer

func (all observers) Committed(c store.Commit) {
	for _, o := range all {
		o.Committed(c)
	}
}

// observe lets the status and the history, of which each may be nil, know what is
// asked and stored.
func observe(cfg *prserv.Config, db database, st *status.Status, past *history.Recorder) {
	var told observers
	if st != nil {
		cfg.Observer = st
		told = append(told, st)
	}
	if past != nil {
		told = append(told, past)
	}
	if len(told) > 0 {
		cfg.Askers = true
		db.Observe(told)
	}
}

// openHistory opens the history that the options name, or returns nil. A
// read-only server gives out no values. Where the file cannot be written, the
// service goes on without a history, and the log says so; one that is something
// else is an error.
func openHistory(opts compat.Options, log *slog.Logger) (*history.Recorder, error) {
	if opts.History == compat.HistoryOff || opts.History == "" || opts.ReadOnly {
		return nil, nil
	}
	r, err := history.Open(opts.History, history.Options{Log: log})
	switch {
	case errors.Is(err, history.ErrNone):
		return nil, fmt.Errorf("%w; give --history another file", err)
	case err != nil:
		log.Error(fmt.Sprintf("No history is kept: %v", err))
		return nil, nil
	}
	return r, nil
}
