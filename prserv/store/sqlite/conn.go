package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/mattn/go-sqlite3"

	"prserver/prserv/store"
)

// conn is a connection to the file, with its statements. One goroutine at a
// time may use it. It is the driver's own: on the way of a getPR database/sql
// would cost more than SQLite.
type conn struct {
	*sqlite3.SQLiteConn
	statements map[string]driver.Stmt
}

// dsn names a file for the driver.
func dsn(file string, timeout time.Duration, options string) string {
	u := url.URL{Scheme: "file", Path: file}
	return fmt.Sprintf("%s?_busy_timeout=%d&%s", u.String(), timeout.Milliseconds(), options)
}

// openConn opens a connection and prepares statements on it, which finds out
// whether the table is there.
func openConn(dsn string, queries ...string) (*conn, error) {
	raw, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		return nil, translated(err)
	}
	sqlite, ok := raw.(*sqlite3.SQLiteConn)
	if !ok {
		return nil, fmt.Errorf("%T is no connection to SQLite", raw)
	}
	c := &conn{SQLiteConn: sqlite, statements: map[string]driver.Stmt{}}
	for _, query := range append(queries, sqlNothing) {
		if err := c.prepare(query); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// prepare prepares a statement, unless it is already.
func (c *conn) prepare(query string) error {
	if _, ok := c.statements[query]; ok {
		return nil
	}
	stmt, err := c.SQLiteConn.Prepare(query)
	if err != nil {
		return translated(err)
	}
	c.statements[query] = stmt
	return nil
}

// Close closes the statements and the connection.
func (c *conn) Close() error {
	var errs []error
	for _, stmt := range c.statements {
		errs = append(errs, stmt.Close())
	}
	return translated(errors.Join(append(errs, c.SQLiteConn.Close())...))
}

// value runs a prepared statement and returns the first column of its first
// row. The error is store.ErrNotFound where there is none.
func (c *conn) value(query string, args ...driver.Value) (store.Value, error) {
	var row [1]driver.Value
	if err := c.row(query, args, row[:]); err != nil {
		return nil, err
	}
	return row[0], nil
}

// row runs a prepared statement and reads its first row. The error is
// store.ErrNotFound where there is none.
func (c *conn) row(query string, args, row []driver.Value) error {
	//lint:ignore SA1019 the successor is for callers who can be interrupted
	rows, err := c.statements[query].Query(args)
	if err != nil {
		return translated(err)
	}
	defer rows.Close()
	if err := rows.Next(row); err != nil {
		if errors.Is(err, io.EOF) {
			return store.ErrNotFound
		}
		return translated(err)
	}
	return nil
}

// exec runs a prepared statement and returns how many rows it has changed.
func (c *conn) exec(query string, args ...driver.Value) (changed int64, err error) {
	//lint:ignore SA1019 the successor is for callers who can be interrupted
	result, err := c.statements[query].Exec(args)
	if err != nil {
		return 0, translated(err)
	}
	return result.RowsAffected()
}

// walk calls each with every row of a query, which need not be prepared, and
// returns its first error. The row is the callee's only until it returns. A
// context that ends ends the walk, even within SQLite.
func (c *conn) walk(ctx context.Context, query string, args []any, each func(row []driver.Value) error) error {
	err := c.walkRows(ctx, query, args, each)
	if ctx.Err() != nil {
		// SQLite remembers an interrupt until it next begins to run something,
		// and prepares nothing meanwhile.
		c.value(sqlNothing)
	}
	return err
}

// sqlNothing does nothing.
const sqlNothing = "SELECT 1"

func (c *conn) walkRows(ctx context.Context, query string, args []any, each func(row []driver.Value) error) error {
	if err := ctx.Err(); err != nil {
		return err // the driver does not interrupt what has not begun
	}
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	fail := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err() // SQLite says "interrupted", or what else came of that
		}
		return translated(err)
	}
	rows, err := c.QueryContext(ctx, query, named)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fail(err)
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// hasEnded tells whether no transaction is open any more: a trigger of the file
// can undo one.
func (c *conn) hasEnded() bool { return c.AutoCommit() }
