package store

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound is returned where a key has no row, even after it was given
	// one, because the database does not keep it.
	ErrNotFound = errors.New("no value for this key")
	// ErrClosed is returned by calls of a store that has been closed.
	ErrClosed = errors.New("the database is closed")
	// ErrUndecodable is returned where a text of the database is not UTF-8.
	ErrUndecodable = errors.New("text that cannot be decoded")
)

// Error is returned where the database does not do what it is asked for.
type Error struct {
	// Reason is one of the reasons below, or nil if callers need not tell it apart.
	Reason error
	// Text is what the database itself says, which clients hear as well.
	Text string
}

func (e *Error) Error() string { return e.Text }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Reason }

// FileError says which file an error is about. Its text is that of the error
// alone: clients hear that, and know nothing of files.
type FileError struct {
	File string
	Err  error
}

func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *FileError) Unwrap() error { return e.Err }

// The reasons of an [Error].
var (
	ErrBusy       = errors.New("another program has locked the database")
	ErrConstraint = errors.New("a constraint of the database forbids it")
	ErrDamaged    = errors.New("the database is damaged, or is none")
	ErrFull       = errors.New("the disk is full")
	ErrMismatch   = errors.New("the column cannot hold such a value")
	ErrMisuse     = errors.New("the database was not asked properly")
	ErrReadOnly   = errors.New("the database is not to be written")
	// ErrReplaced is an [ErrReadOnly]: what is stored now would be gone at the
	// next start.
	ErrReplaced = fmt.Errorf("the file of the database has been removed, replaced or overwritten: %w", ErrReadOnly)
	ErrTooBig   = errors.New("a text is too long for the database")
	// ErrUnavailable is returned where a database on another machine has not
	// answered for as long as a client waits.
	ErrUnavailable = errors.New("the database does not answer")
)

// ReadOnly returns the error of a change that a read-only store is asked for,
// in SQLite's words.
func ReadOnly() *Error {
	return &Error{Reason: ErrReadOnly, Text: "attempt to write a readonly database"}
}
