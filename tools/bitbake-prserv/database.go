package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"prserver/compat"
	"prserver/prserv/status"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/sqlite"
)

// database is a store that the program serves from.
type database interface {
	store.Store
	status.Values
	// Name returns the path of the file, or the URL without its password.
	Name() string
	// Warnings returns what an operator should know, a sentence each.
	Warnings() []string
	// Ready returns the reason why no value could be stored now, or nil. It does
	// not wait.
	Ready() error
	// Observe sets who is told of every transaction.
	Observe(store.Observer)
}

// writerPatience is how long a read-only server waits for a writing one that is
// started beside it and has the database yet to make.
const writerPatience = 10 * time.Second

// openDatabase opens the database that the options name. A read-only server waits
// until it is made. PostgreSQL itself is waited for by [postgres.Open].
func openDatabase(ctx context.Context, opts compat.Options) (database, error) {
	deadline := time.Now().Add(writerPatience)
	for {
		db, err := openOnce(ctx, opts)
		switch {
		case err == nil:
			return db, nil
		case !opts.ReadOnly, ctx.Err() != nil, errors.Is(err, store.ErrDamaged), errors.Is(err, os.ErrPermission),
			opts.Database != "" && !errors.Is(err, postgres.ErrNoTables):
			return nil, err
		case time.Now().After(deadline):
			return nil, fmt.Errorf("%w (waited %v for a server that writes it)", err, writerPatience)
		}
		select {
		case <-ctx.Done():
		case <-time.After(exitPoll):
		}
	}
}

func openOnce(ctx context.Context, opts compat.Options) (database, error) {
	if opts.Database != "" {
		return postgres.Open(ctx, opts.Database, opts.ReadOnly)
	}
	return sqlite.Open(ctx, opts.File, opts.ReadOnly)
}
