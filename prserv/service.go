package prserv

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"prserver/prserv/store"
)

// service is what clients ask for, in whatever protocol they ask.
type service struct {
	store    store.Store
	upstream Upstream // nil if there is none
	readOnly bool
	log      *slog.Logger
}

// getPR returns the PR value of a key, after making one if need be. A read-only
// store does not store it. The error is an [*UpstreamError] where there is an
// upstream server, and no answer of it.
//
// Source: lib/prserv/serv.py:PRServer.getPR, and PRServerClient.handle_get_pr of
// BitBake 2.10.
func (s *service) getPR(ctx context.Context, k store.Key, m store.Mode) (store.Value, error) {
	if s.upstream != nil {
		deadline := time.Now().Add(store.PatienceOf(ctx))
		published, err := s.published(ctx, deadline, k, m)
		if err != nil {
			return nil, err
		}
		m.Upstream = published
		ctx = store.WithPatience(ctx, time.Until(deadline)) // the client has waited for the other one as well
	}
	return s.store.GetPR(ctx, k, m)
}

// find returns what is known of a key, and stores nothing.
func (s *service) find(ctx context.Context, k store.Key, m store.Mode) (store.Known, error) {
	return s.store.Find(ctx, k, m)
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

// columns describes the table of clients of generation 3, with revisions, or
// that of all others.
func (s *service) columns(ctx context.Context, revisions bool) ([]store.Column, error) {
	return s.store.Columns(ctx, revisions)
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
	var refused *refusal
	if errors.As(err, &refused) {
		return nil, err
	}
	trouble := isTrouble(err)
	// The original would go on with a file that is gone, and has no upstream
	// server, and no database on another machine: these nils would be ours.
	var upstream *UpstreamError
	isOurs := errors.Is(err, store.ErrReplaced) || errors.Is(err, store.ErrUnavailable) || errors.As(err, &upstream)
	answersNil := f == nilAlways || f == nilOnTrouble && trouble && !isOurs
	if trouble || answersNil {
		s.logTrouble(err, about...)
	}
	if answersNil {
		return nil, nil
	}
	return nil, err
}

// logTrouble logs an error, with what about says and the name of the file. That a
// call has ended because the server does is no trouble.
func (s *service) logTrouble(err error, about ...any) {
	if errors.Is(err, context.Canceled) || errors.Is(err, store.ErrClosed) {
		s.log.Debug(err.Error(), about...)
		return
	}
	var file *store.FileError
	if errors.As(err, &file) {
		about = append(about, "file", file.File)
	}
	s.log.Error(err.Error(), about...)
}

// isTrouble tells errors of the database, and of the upstream server, from those
// of the call.
func isTrouble(err error) bool {
	var database *store.Error
	var bind *BindError
	var upstream *UpstreamError
	return errors.As(err, &database) || errors.As(err, &bind) || errors.As(err, &upstream) || errors.Is(err, store.ErrUndecodable)
}
