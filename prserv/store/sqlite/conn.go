package sqlite

import (
	"database/sql/driver"
	"errors"
	"io"

	"github.com/mattn/go-sqlite3"
)

// conn is a connection of the driver's own, with its statements: on the way
// of a getPR database/sql would cost more than SQLite. One goroutine at a
// time may use it.
type conn struct {
	driver.Conn
	statements map[string]driver.Stmt
}

// openConn opens a connection and prepares statements on it, which finds out
// whether the table is there.
func openConn(dsn string, queries ...string) (*conn, error) {
	raw, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, statements: map[string]driver.Stmt{}}
	for _, query := range queries {
		stmt, err := raw.Prepare(query)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.statements[query] = stmt
	}
	return c, nil
}

// Close closes the statements and the connection.
func (c *conn) Close() error {
	var errs []error
	for _, stmt := range c.statements {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// value runs a prepared statement and returns the first column of its first
// row. The error is ErrNotFound where there is none.
func (c *conn) value(query string, args []driver.Value) (any, error) {
	//lint:ignore SA1019 the successor is for callers who can be interrupted
	rows, err := c.statements[query].Query(args)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var row [1]driver.Value
	switch err := rows.Next(row[:]); {
	case errors.Is(err, io.EOF):
		return nil, ErrNotFound
	case err != nil:
		return nil, err
	}
	return loaded(row[0])
}

// exec runs a prepared statement that returns nothing.
func (c *conn) exec(query string, args []driver.Value) error {
	//lint:ignore SA1019 the successor is for callers who can be interrupted
	_, err := c.statements[query].Exec(args)
	return err
}

// moveLog moves what it can of the write-ahead log to the file, and tells
// whether that is all. Where it fails, all is in the log still.
func (c *conn) moveLog() bool {
	//lint:ignore SA1019 the successor is for callers who can be interrupted
	rows, err := c.statements[sqlSettle].Query(nil)
	if err != nil {
		return false
	}
	defer rows.Close()
	var row [3]driver.Value // whether it was busy, pages in the log, pages moved
	err = rows.Next(row[:])
	return err == nil && row[1] == row[2]
}

// insert runs a prepared statement and tells whether it has inserted a row.
func (c *conn) insert(query string, args []driver.Value) (bool, error) {
	//lint:ignore SA1019 the successor is for callers who can be interrupted
	result, err := c.statements[query].Exec(args)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// undone tells whether no transaction is open any more: a trigger of the file
// can undo one.
func (c *conn) undone() bool {
	raw, ok := c.Conn.(*sqlite3.SQLiteConn)
	return ok && raw.AutoCommit()
}
