// Package query runs SQL on a connection of the SQLite driver. With
// database/sql between, reading a row would cost twice as much.
//
// A query ends with its context, and its errors are those of package store.
//
// Start with [Walk].
package query

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/mattn/go-sqlite3"
)

// Walk calls each with every row that a query finds, and returns its first
// error. The row is valid until each returns. To ask the context at every row
// costs a little: whoever walks millions of them passes
// context.Background() and asks now and then.
func Walk(ctx context.Context, conn *sqlite3.SQLiteConn, query string, args []driver.Value, each func(row []driver.Value) error) error {
	rows, err := Open(ctx, conn, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for {
		row, err := rows.Next(ctx)
		if row == nil || err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// Number returns the first column of the last row of a query, or 0 where there
// is no row or the column is no integer.
func Number(ctx context.Context, conn *sqlite3.SQLiteConn, query string, args ...driver.Value) (n int64, err error) {
	err = Walk(ctx, conn, query, args, func(row []driver.Value) error {
		n, _ = row[0].(int64)
		return nil
	})
	return n, err
}

// Exec runs statements and returns how many rows the last one has changed.
func Exec(ctx context.Context, conn *sqlite3.SQLiteConn, statements string, args ...driver.Value) (int64, error) {
	// The driver does not interrupt what has not begun yet.
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	result, err := conn.ExecContext(ctx, statements, named(args))
	if err != nil {
		return 0, reasonOf(ctx, err)
	}
	return result.RowsAffected()
}

// Rows are the rows of a query, read one by one: two of them can be walked
// side by side. One goroutine at a time may use the Rows of a connection.
type Rows struct {
	found driver.Rows
	row   []driver.Value
	ended bool // to ask for another row would begin again
}

// Open begins a query. Its Rows must be closed.
func Open(ctx context.Context, conn *sqlite3.SQLiteConn, query string, args ...driver.Value) (*Rows, error) {
	found, err := conn.QueryContext(ctx, query, named(args))
	if err != nil {
		return nil, reasonOf(ctx, err)
	}
	return &Rows{found: found, row: make([]driver.Value, len(found.Columns()))}, nil
}

// Next returns the next row, which is valid until the next call, or nil at the
// end. The context is that of the query.
func (r *Rows) Next(ctx context.Context) ([]driver.Value, error) {
	if r.ended {
		return nil, nil
	}
	switch err := r.found.Next(r.row); {
	case errors.Is(err, io.EOF):
		r.ended = true
		return nil, nil
	case err != nil:
		return nil, reasonOf(ctx, err)
	}
	return r.row, nil
}

// Close ends the query.
func (r *Rows) Close() error { return Error(r.found.Close()) }

// reasonOf returns why a query has failed. Where its context has ended, SQLite
// says "interrupted", or whatever else came of that.
func reasonOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return Error(err)
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return out
}
