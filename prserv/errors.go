package prserv

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

// ErrRemoteQuit is a quit that another machine asked for.
var ErrRemoteQuit = errors.New("quit is obeyed from the server's own machine only, unless it runs with --allow-remote-quit")

// errNotFound is a key that has no value even after it was given one, as
// happens when a part of it is nil.
var errNotFound = errors.New("no value for this key")

// UnknownMethodError is a call of a method that does not exist.
type UnknownMethodError struct {
	Name string
	// Named is false where the call named no method at all.
	Named bool
}

func (e *UnknownMethodError) Error() string { return fmt.Sprintf("no method %q", e.Name) }

// ArgumentError is a call with the wrong number of arguments.
type ArgumentError struct {
	Function string   // the function behind the method, as the reference names it
	Params   []string // the parameters it has
	Optional int      // how many of the last ones may be missing
	Given    int
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("%s: %d arguments for %d parameters", e.Function, e.Given, len(e.Params))
}

// BindError is an argument of a type that a database cannot hold.
type BindError struct{ Index int }

func (e *BindError) Error() string {
	return fmt.Sprintf("argument %d is of no type the database knows", e.Index+1)
}

// UnhashableError is a value that cannot be looked up.
type UnhashableError struct{ Value any }

func (e *UnhashableError) Error() string { return fmt.Sprintf("%T is no key", e.Value) }

// isStoreError tells errors of the database from those of the call: getPR,
// export and dump_db answer nil to the first and fault on the second.
func isStoreError(err error) bool {
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
