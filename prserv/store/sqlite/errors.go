package sqlite

import (
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// ErrIntegerRange is an integer that SQLite has no room for.
var ErrIntegerRange = errors.New("integer too large for the database")

// ErrUndecodable is a text that the reference would not hand to SQLite, or
// not take from it, because it is no text.
var ErrUndecodable = errors.New("text that cannot be decoded")

// ErrNotFound is a key that has no value even after it was given one, as
// happens when a part of it is nil.
var ErrNotFound = errors.New("no value for this key")

// BindError is an argument of a type that a database cannot hold.
type BindError struct{ Index int }

func (e *BindError) Error() string {
	return fmt.Sprintf("argument %d is of no type the database knows", e.Index+1)
}

// IsStoreError tells errors of the database from those of the call: getPR,
// export and dump_db answer nil to the first and fault on the second.
func IsStoreError(err error) bool {
	var bind *BindError
	var sqlite sqlite3.Error
	return errors.As(err, &bind) || errors.As(err, &sqlite) || errors.Is(err, ErrUndecodable)
}

func isLocked(err error) bool {
	var sqlite sqlite3.Error
	return errors.As(err, &sqlite) && (sqlite.Code == sqlite3.ErrBusy || sqlite.Code == sqlite3.ErrLocked)
}

func isConstraint(err error) bool {
	var sqlite sqlite3.Error
	return errors.As(err, &sqlite) && sqlite.Code == sqlite3.ErrConstraint
}

func isNoDatabase(err error) bool {
	var sqlite sqlite3.Error
	return errors.As(err, &sqlite) && (sqlite.Code == sqlite3.ErrNotADB || sqlite.Code == sqlite3.ErrCorrupt)
}
