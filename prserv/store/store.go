// Package store says what a store of PR values is: what it is asked, what it
// answers, how it fails, and the tables that BitBake's servers keep values in.
//
// Start with [Store], and read [Key], [Value] and [Row] for its words. Package
// prserv/store/sqlite is a store in a SQLite file, and prserv/store/postgres one in
// a PostgreSQL database. Both pass the tests of prserv/store/storetest.
package store

import (
	"context"
	"io"
)

// Store keeps PR values. Many goroutines may call its methods. Their errors
// are [ErrNotFound], [ErrReadOnly], [ErrClosed], an [*Error] of the database
// (within a [*FileError] if it has a file),
// or that of a context which has ended: then a change may or may not be stored.
type Store interface {
	// GetPR returns the PR value of a key, after storing one if need be: a
	// [Revision] if the mode asks for one. Values only grow, whatever the mode:
	// what one checksum was given is never given to another of the same version
	// and pkgarch. A read-only store returns the value that a new key would get
	// and does not store it; so does every store if the mode says so. The error is ErrNotFound where the database does
	// not keep what it was given.
	GetPR(ctx context.Context, k Key, m Mode) (Value, error)
	// Find returns what the store knows of a key, and stores nothing.
	Find(ctx context.Context, k Key, m Mode) (Known, error)
	// ImportOne stores a value for a key, unless the key has a greater one. It
	// returns the greatest value that is stored for the key then, or nil where
	// that and v cannot be compared.
	ImportOne(ctx context.Context, k Key, v Value) (Value, error)
	// Export calls each with the rows that hold the greatest value of their
	// version and pkgarch, in the order of the key, and returns its first
	// error.
	Export(ctx context.Context, f Filter, each func(Row) error) error
	// Columns describes the columns of the table that serves clients of
	// generation 3, with revisions, or that of all others.
	Columns(ctx context.Context, revisions bool) ([]Column, error)
	// Dump writes the SQL that makes the database again. The error is
	// [ErrUndecodable] where that is no text.
	Dump(ctx context.Context, w io.Writer) error
	// Check returns the reason why no new value can be stored at this moment, as
	// far as that is known without storing one: an [*Error] with [ErrReplaced], or
	// with [ErrUnavailable] where a database has not answered a question.
	Check(ctx context.Context) error
	// Close closes the store, once the calls that are under way have their
	// answers. Calls that come later get ErrClosed. It may be called more than
	// once.
	Close() error
}

// Key is what a PR value belongs to.
type Key struct {
	Version  string // PF of a package, or "AUTOINC-" and a recipe
	Pkgarch  string // PACKAGE_ARCH
	Checksum string // task hash, MD5 or SHA-256, or a source revision
}

// Known is what a store knows of a key. Its values are revisions if a mode asks
// for them, and else whole numbers. Nil is none.
type Known struct {
	First, Last Value // the least and the greatest value that the checksum has
	Greatest    Value // that of the version and pkgarch
}

// Value is a PR value: nil, an int64 or a [Revision]. What other programs have
// written to a SQLite file may also be a float64, a string, which need not be
// UTF-8, or []byte.
type Value any

// Row is a row of a table as it is stored. What other programs have written to
// a file may be anything, in every column.
type Row struct{ Version, Pkgarch, Checksum, Value Value }

// Column describes a column of a table.
type Column struct {
	Name, Type string
	NotNull    bool
	Default    Value
	PrimaryKey int // the column's place in the primary key, or 0
}

// Filter says which rows an export has: those of one version, of one pkgarch
// and of one checksum. Nil is every one.
type Filter struct {
	Version, Pkgarch, Checksum *string
	// Revisions asks for the rows of generation 3, whose values are texts.
	Revisions bool
	// History asks for every row of generation 3, and not only for the greatest.
	// Without a version they come in the order in which they were stored.
	History bool
}
