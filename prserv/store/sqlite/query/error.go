package query

import (
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"

	"prserver/prserv/store"
)

// Reasons of a [store.Error] that only a SQLite file knows.
var (
	// ErrNoDatabase is returned where a file is no database. It is a
	// [store.ErrDamaged].
	ErrNoDatabase = fmt.Errorf("the file is no database: %w", store.ErrDamaged)
	// ErrHalfWritten is returned where a program was killed while it wrote the
	// file, and only somebody who may write it can take that back. It is a
	// [store.ErrReadOnly].
	ErrHalfWritten = fmt.Errorf("the last change has to be taken back: %w", store.ErrReadOnly)
)

// reasons are the reasons of SQLite's codes.
var reasons = map[sqlite3.ErrNo]error{
	sqlite3.ErrBusy: store.ErrBusy, sqlite3.ErrLocked: store.ErrBusy,
	sqlite3.ErrConstraint: store.ErrConstraint, sqlite3.ErrMismatch: store.ErrMismatch,
	sqlite3.ErrCorrupt: store.ErrDamaged, sqlite3.ErrNotADB: ErrNoDatabase,
	sqlite3.ErrFull:   store.ErrFull,
	sqlite3.ErrMisuse: store.ErrMisuse, sqlite3.ErrRange: store.ErrMisuse,
	sqlite3.ErrReadonly: store.ErrReadOnly,
	sqlite3.ErrTooBig:   store.ErrTooBig,
}

// Error makes a [*store.Error] of an error of the driver. Any other error, and
// nil, it returns as it is.
func Error(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	reason := reasons[e.Code]
	if e.ExtendedCode == sqlite3.ErrReadonlyRollback {
		reason = ErrHalfWritten
	}
	return &store.Error{Reason: reason, Text: err.Error()}
}
