package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

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

// newestEvents is how many events of the history a start holds against the
// database. An older copy lacks the newest ones first.
const newestEvents = 1000

var errEnough = errors.New("enough was read")

// checkNewest returns an error where a database lacks values that its history has:
// it is an older copy, and would give numbers out twice.
func checkNewest(ctx context.Context, db database, past string) error {
	return compareNewest(ctx, db.Name(), past, func(k store.Key) (store.Known, error) {
		return db.Find(ctx, k, store.Mode{Revisions: true})
	})
}

// checkNotLost returns an error where a file of which there is a history does not
// exist. It is not even made then.
func checkNotLost(ctx context.Context, file, past string) error {
	if _, err := os.Stat(file); past == "" || !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return compareNewest(ctx, file, past, func(store.Key) (none store.Known, err error) { return none, nil })
}

// compareNewest compares what find knows of the newest events with what they say. A
// history that cannot be read is left to whoever writes it.
func compareNewest(ctx context.Context, database, past string, find func(store.Key) (store.Known, error)) error {
	type group struct{ version, pkgarch string }
	seen := map[group]bool{}
	var missing *history.Event // the newest one
	read := 0
	history.Read(ctx, past, history.Filter{NewestFirst: true}, func(e history.Event) error {
		if read++; read > newestEvents {
			return errEnough
		}
		value, isValue := store.ParseRevision(e.Value)
		of := group{e.Version, e.Pkgarch}
		if !isValue || e.IsCut() || seen[of] {
			return nil
		}
		seen[of] = true
		known, err := find(store.Key{Version: e.Version, Pkgarch: e.Pkgarch, Checksum: e.Checksum})
		if err != nil { // somebody has stored what is no value
			return nil
		}
		if greatest, _ := known.Greatest.(store.Revision); value.Compare(greatest) > 0 {
			missing = &e
			return errEnough
		}
		return nil
	})
	if missing == nil {
		return nil
	}
	return fmt.Errorf("the database %s is an older copy, or a new one: it lacks values that were given out, such as %s of %s at %s; "+
		"put the right one back, or bring them there with: prserv-tool copy %s %s; to give them out again, move the history %[5]s away",
		database, missing.Value, missing.Version, missing.Time.Local().Format(time.DateTime), past, database)
}
