package prserv

import (
	"errors"
	"fmt"
)

var (
	// ErrIntegerRange is returned for an integer that SQLite has no room for.
	ErrIntegerRange = errors.New("integer too large for the database")
	// ErrTextTooLong is returned for a part of a key, or a value, that no PR
	// client sends.
	ErrTextTooLong = errors.New("a version, pkgarch, checksum or value may have 64 KiB at most")
	// errRemoteQuit is returned for a quit that another machine asks for.
	errRemoteQuit = errors.New("quit is obeyed from the server's own machine only, unless it runs with --allow-remote-quit")
)

// UnknownMethodError is returned for a call of a method that does not exist.
type UnknownMethodError struct {
	Name string
	// Named is false where the call named no method at all.
	Named bool
}

func (e *UnknownMethodError) Error() string { return fmt.Sprintf("no method %q", e.Name) }

// ArgumentError is returned for a call with the wrong number of arguments.
type ArgumentError struct {
	Function string   // the function behind the method, as the reference names it
	Params   []string // the parameters it has
	Optional int      // how many of the last ones may be missing
	Given    int
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("%s: %d arguments for %d parameters", e.Function, e.Given, len(e.Params))
}

// BindError is returned for an argument of a type that a database cannot hold.
type BindError struct{ Index int }

func (e *BindError) Error() string {
	return fmt.Sprintf("argument %d is of no type the database knows", e.Index+1)
}

// UnhashableError is returned for a value that cannot be looked up.
type UnhashableError struct{ Value any }

func (e *UnhashableError) Error() string { return fmt.Sprintf("%T is no key", e.Value) }

// UpstreamError is returned where the upstream server does not answer, or makes
// no sense. Nothing is stored then.
type UpstreamError struct{ Err error }

func (e *UpstreamError) Error() string { return "the upstream PR server: " + e.Err.Error() }

// Unwrap returns the error.
func (e *UpstreamError) Unwrap() error { return e.Err }
