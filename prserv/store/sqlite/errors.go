package sqlite

import (
	"errors"

	"github.com/mattn/go-sqlite3"

	"prserver/prserv/store"
)

// translated returns an error of SQLite as one of the store, and any other as
// it is.
func translated(err error) error {
	var sqlite sqlite3.Error
	if !errors.As(err, &sqlite) {
		return err
	}
	return &store.Error{Reason: reasons[sqlite.Code], Text: sqlite.Error()}
}

// reasons are what SQLite's result codes mean.
// Source: https://sqlite.org/rescode.html
var reasons = map[sqlite3.ErrNo]error{
	sqlite3.ErrBusy:       store.ErrBusy,
	sqlite3.ErrLocked:     store.ErrBusy,
	sqlite3.ErrConstraint: store.ErrConstraint,
	sqlite3.ErrMismatch:   store.ErrMismatch,
	sqlite3.ErrCorrupt:    store.ErrDamaged,
	sqlite3.ErrNotADB:     store.ErrDamaged,
	sqlite3.ErrFull:       store.ErrFull,
	sqlite3.ErrMisuse:     store.ErrMisuse,
	sqlite3.ErrRange:      store.ErrMisuse,
	sqlite3.ErrReadonly:   store.ErrReadOnly,
	sqlite3.ErrTooBig:     store.ErrTooBig,
}
