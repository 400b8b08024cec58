package prserv

import (
	"errors"
	"fmt"
)

// ErrRemoteQuit is a quit that another machine asked for.
var ErrRemoteQuit = errors.New("quit is obeyed from the server's own machine only, unless it runs with --allow-remote-quit")

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

// UnhashableError is a value that cannot be looked up.
type UnhashableError struct{ Value any }

func (e *UnhashableError) Error() string { return fmt.Sprintf("%T is no key", e.Value) }
