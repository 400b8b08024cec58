package main

import (
	"path/filepath"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/dbfile"
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
	cfg.Refused = func(r store.Refusal) {
		if st != nil {
			st.Refused(r)
		}
		if past != nil {
			past.Refused(r)
		}
	}
	if len(told) > 0 {
		cfg.Askers = true
		db.Observe(told)
	}
}

// historyOf returns the file of the history, or nothing where none is kept: a
// read-only server gives out no values, what is called :memory: is not meant to
// last, and beside a database of PostgreSQL there is no place.
func historyOf(opts compat.Options) string {
	switch {
	case opts.History == compat.NoHistory, opts.ReadOnly:
		return ""
	case opts.History != "":
		return opts.History
	case opts.Database != "", filepath.Base(opts.File) == ":memory:":
		return ""
	}
	database, err := dbfile.Resolve(opts.File)
	if err != nil {
		database = opts.File // what is wrong with it is told when it is opened
	}
	return history.Beside(database)
}
