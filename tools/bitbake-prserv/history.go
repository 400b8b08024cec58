package main

import (
	"fmt"
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
// last, and beside a database of PostgreSQL there is no place. It returns an error for a file that is something else already.
func historyOf(opts compat.Options) (string, error) {
	switch {
	case opts.History == compat.NoHistory, opts.ReadOnly:
		return "", nil
	case opts.History == "" && (opts.Database != "" || filepath.Base(opts.File) == ":memory:"):
		return "", nil
	}
	database, err := dbfile.Resolve(opts.File)
	if err != nil || opts.History == "" {
		return history.Beside(database), nil // what is wrong with the file is told when that is opened
	}
	named, err := dbfile.Resolve(opts.History)
	if err != nil {
		return opts.History, nil // the log will tell
	}
	for _, taken := range []string{database, database + "-wal", database + "-shm", database + "-journal", database + "-lock", opts.Log, opts.PidFile} {
		if named == taken {
			return "", fmt.Errorf("--history %s is the server's already, for something else; give another file", opts.History)
		}
	}
	return opts.History, nil
}
