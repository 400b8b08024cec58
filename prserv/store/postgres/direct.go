package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// direct is a connection of a tool's own, which reads or changes a database as a
// whole while servers go on. It tries nothing again: a person can.
type direct struct {
	config *pgx.ConnConfig
	conn   *pgx.Conn
	unsafe atomic.Bool // a commit has not waited for its standby
}

func connectDirectly(ctx context.Context, url string, readOnly bool) (*direct, error) {
	c, _, err := parseURL(url, readOnly)
	if err != nil {
		return nil, err
	}
	d := &direct{config: c.config}
	d.config.RuntimeParams["application_name"] = "prserv-tool"
	d.config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if isUnsafe(n) {
			d.unsafe.Store(true)
		}
	}
	if d.conn, err = pgx.ConnectConfig(ctx, d.config); err != nil {
		return nil, d.explain(ctx, err)
	}
	return d, nil
}

// close closes the connection, which takes back what is not committed.
func (d *direct) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	d.conn.Close(ctx)
}

// change makes the tables where they do not exist, and a change in one
// transaction.
func (d *direct) change(ctx context.Context, do func(*statements)) error {
	if err := upgrade(ctx, d.conn); err != nil {
		return d.explain(ctx, err)
	}
	tx, err := d.conn.Begin(ctx)
	if err != nil {
		return d.explain(ctx, err)
	}
	s := &statements{tx: tx}
	do(s)
	if s.err != nil {
		return d.explain(ctx, s.err)
	}
	return d.commit(tx)
}

// statements are those of a transaction, up to the first that fails.
type statements struct {
	tx  pgx.Tx
	err error
}

// exec executes a statement, which is a format of its parts, and returns how many
// rows it has changed.
func (s *statements) exec(ctx context.Context, sql string, parts ...any) int64 {
	if s.err != nil {
		return 0
	}
	tag, err := s.tx.Exec(ctx, fmt.Sprintf(sql, parts...))
	s.err = err
	return tag.RowsAffected()
}

// scan reads the only column of the only row of a query.
func (s *statements) scan(ctx context.Context, sql string, to any) {
	if s.err == nil {
		s.err = s.tx.QueryRow(ctx, sql).Scan(to)
	}
}

// errUnknown is returned where nobody knows whether a change was stored.
var errUnknown = errors.New("the connection was lost while the change was stored, so it may be there or not; run this again, which is safe")

// commit ends a transaction. The user's interrupt waits for it, for what has been
// begun may be done anyway.
func (d *direct) commit(tx pgx.Tx) error {
	ctx := context.Background()
	err := tx.Commit(ctx)
	var refused *pgconn.PgError
	switch {
	case err == nil && d.unsafe.Load():
		return errors.New("it is stored, but its standby may not have it, because somebody has ended the wait for that; run this again once the standby is back")
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return d.explain(ctx, err)
	}
	return errUnknown
}

// explain says what has gone wrong, as [explain] does. What is not committed has
// not happened, and to interrupt can be to close the connection.
func (d *direct) explain(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return explain(d.config, err)
}
