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
	"prserver/prserv/store/sqlite/query"
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
func openConn(dsn string, statements ...string) (*conn, error) {
	raw, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		return nil, query.Error(err)
	}
	sqlite, ok := raw.(*sqlite3.SQLiteConn)
	if !ok {
		return nil, fmt.Errorf("%T is no connection to SQLite", raw)
	}
	c := &conn{SQLiteConn: sqlite, statements: map[string]driver.Stmt{}}
	for _, sql := range append(statements, sqlNothing) {
		if err := c.prepare(sql); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// prepare prepares a statement, unless it is already.
func (c *conn) prepare(sql string) error {
	_, err := c.statement(sql)
	return err
}

// statement returns a statement, which it prepares when it is first needed.
func (c *conn) statement(sql string) (driver.Stmt, error) {
	if stmt, ok := c.statements[sql]; ok {
		return stmt, nil
	}
	stmt, err := c.SQLiteConn.Prepare(sql)
	if err != nil {
		return nil, query.Error(err)
	}
	c.statements[sql] = stmt
	return stmt, nil
}

// Close closes the statements and the connection.
func (c *conn) Close() error {
	var errs []error
	for _, stmt := range c.statements {
		errs = append(errs, stmt.Close())
	}
	return query.Error(errors.Join(append(errs, c.SQLiteConn.Close())...))
}

// value runs a statement and returns the first column of its first
// row. The error is store.ErrNotFound where there is none.
func (c *conn) value(sql string, args ...driver.Value) (store.Value, error) {
	var row [1]driver.Value
	if err := c.row(sql, args, row[:]); err != nil {
		return nil, err
	}
	return row[0], nil
}

// row runs a statement and reads its first row. The error is store.ErrNotFound
// where there is none.
func (c *conn) row(sql string, args, row []driver.Value) error {
	rows, err := c.query(sql, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := rows.Next(row); err != nil {
		if errors.Is(err, io.EOF) {
			return store.ErrNotFound
		}
		return query.Error(err)
	}
	return nil
}

// each runs a statement and calls do with the first column of every row.
func (c *conn) each(sql string, do func(store.Value), args ...driver.Value) error {
	rows, err := c.query(sql, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	for row := make([]driver.Value, 1); ; do(row[0]) {
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return query.Error(err)
		}
	}
}

func (c *conn) query(sql string, args []driver.Value) (driver.Rows, error) {
	stmt, err := c.statement(sql)
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 the successor is for callers who can be interrupted
	rows, err := stmt.Query(args)
	return rows, query.Error(err)
}

// exec runs a statement and returns how many rows it has changed.
func (c *conn) exec(sql string, args ...driver.Value) (changed int64, err error) {
	stmt, err := c.statement(sql)
	if err != nil {
		return 0, err
	}
	//lint:ignore SA1019 the successor is for callers who can be interrupted
	result, err := stmt.Exec(args)
	if err != nil {
		return 0, query.Error(err)
	}
	return result.RowsAffected()
}

// walk calls each with every row of a query, which need not be prepared, and
// returns its first error. The row is the callee's only until it returns. A
// context that ends ends the walk, even within SQLite.
func (c *conn) walk(ctx context.Context, sql string, args []driver.Value, each func(row []driver.Value) error) error {
	err := query.Walk(ctx, c.SQLiteConn, sql, args, each)
	if ctx.Err() != nil {
		// SQLite remembers an interrupt until it next begins to run something,
		// and prepares nothing meanwhile.
		c.value(sqlNothing)
	}
	return err
}

// sqlNothing does nothing.
const sqlNothing = "SELECT 1"

// hasEnded tells whether no transaction is open any more: a trigger of the file
// can undo one.
func (c *conn) hasEnded() bool { return c.AutoCommit() }
