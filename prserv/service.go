package prserv

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"prserver/prserv/store"
)

// service is what clients ask for, in whatever protocol they ask.
type service struct {
	store    store.Store
	readOnly bool
	log      *slog.Logger
}

// getPR returns the PR value of a key, after making one if need be. A read-only
// store does not store it.
//
// Source: lib/prserv/serv.py:PRServer.getPR.
func (s *service) getPR(ctx context.Context, k store.Key) (store.Value, error) {
	return s.store.GetPR(ctx, k, store.Mode{})
}

// importOne stores a value for a key unless that has a greater one, and returns
// the value that is stored then; nil where the two cannot be compared.
//
// Source: lib/prserv/serv.py:PRServer.importone.
func (s *service) importOne(ctx context.Context, k store.Key, v store.Value) (store.Value, error) {
	if s.readOnly {
		return nil, store.ReadOnly()
	}
	return s.store.ImportOne(ctx, k, v)
}

// export calls each with the rows that hold the greatest value of their version
// and pkgarch.
//
// Source: lib/prserv/serv.py:PRServer.export.
func (s *service) export(ctx context.Context, f store.Filter, each func(store.Row) error) error {
	return s.store.Export(ctx, f, each)
}

// columns describes the table.
func (s *service) columns(ctx context.Context) ([]store.Column, error) {
	return s.store.Columns(ctx, false)
}

// dump writes the SQL that makes the database again.
//
// Source: lib/prserv/serv.py:PRServer.dump_db.
func (s *service) dump(ctx context.Context, w io.Writer) error {
	return s.store.Dump(ctx, w)
}

// failure says what a client gets for an error.
type failure int

const (
	faults       failure = iota // a fault for every error
	nilOnTrouble                // nil where the database is the cause
	nilAlways                   // nil for every error
)

// failed returns what a call is answered that has failed: its error, or nil.
// BitBake ends a build that gets nil, so the reason goes to the log, with what
// about says and the name of the file. So does trouble of the database that the
// client hears of: the operator is to know as well.
//
// Source: lib/prserv/serv.py:PRServer, whose methods catch sqlite3.Error, or
// whatever there is, and Handler, which logs what they do not catch.
func (s *service) failed(f failure, err error, about ...any) (any, error) {
	trouble := isTrouble(err)
	// The original would go on with a file that is gone, so this nil would be ours.
	isOurs := errors.Is(err, store.ErrReplaced)
	answersNil := f == nilAlways || f == nilOnTrouble && trouble && !isOurs
	if trouble || answersNil {
		var file *store.FileError
		if errors.As(err, &file) {
			about = append(about, "file", file.File)
		}
		s.log.Error(err.Error(), about...)
	}
	if answersNil {
		return nil, nil
	}
	return nil, err
}

// isTrouble tells errors of the database from those of the call.
func isTrouble(err error) bool {
	var database *store.Error
	var bind *BindError
	return errors.As(err, &database) || errors.As(err, &bind) || errors.Is(err, store.ErrUndecodable)
}
