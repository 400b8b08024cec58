package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"prserver/prserv/store"
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

// explain says in one line what PostgreSQL has refused, or that it is not there,
// and what to do.
func (d *direct) explain(ctx context.Context, err error) error {
	var known *store.Error
	var refused *pgconn.PgError
	var connecting *pgconn.ConnectError
	switch {
	case err == nil || errors.As(err, &known) || errors.Is(err, ErrNoTables):
		return err
	case ctx.Err() != nil: // to interrupt can be to close the connection
		return ctx.Err()
	case errors.As(err, &refused):
		return fmt.Errorf("PostgreSQL: %s; %s", strings.Join(strings.Fields(refused.Message), " "), d.advice(refused.Code))
	}
	for _, of := range []error{errPooler, errStandby, errEncoding, errUnsafe} {
		if errors.Is(err, of) {
			return of
		}
	}
	at := address(d.config.Host, d.config.Port)
	var unknown *net.DNSError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("no host has the name %s; correct the URL", unknown.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s; start PostgreSQL there, or correct the URL", at)
	case errors.As(err, &connecting) && (pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded)):
		return fmt.Errorf("%s does not answer in time; is PostgreSQL there, and does a firewall let you in?", at)
	case errors.As(err, &connecting) && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)):
		return fmt.Errorf("%s closes the connection; is that PostgreSQL?", at)
	case errors.As(err, &connecting):
		return fmt.Errorf("connecting to %s: %s; correct the URL, or the settings of PostgreSQL", at, oneLine(connecting.Unwrap()))
	}
	return fmt.Errorf("the connection is lost (%s); nothing has changed, run this again", oneLine(err))
}

// advice says what to do about an error of PostgreSQL's, by its code or class.
func (d *direct) advice(code string) string {
	switch {
	case code == "28P01":
		return "give the right password with PGPASSWORD or in ~/.pgpass"
	case strings.HasPrefix(code, "28"):
		return "name another user in the URL, or let this one in (pg_hba.conf)"
	case code == "3D000":
		return "make it with createdb --encoding UTF8 --template template0, or correct the URL"
	case code == "42501":
		return fmt.Sprintf("give the role %s that right, or name another one in the URL", d.config.User)
	case code == "25006":
		return "name the primary in the URL"
	case code == "53100":
		return "make room, and run this again"
	case strings.HasPrefix(code, "54"):
		return "a version, pkgarch or checksum is longer than PostgreSQL can hold, which is about 2,600 bytes"
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "40"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57"):
		return "nothing has changed, run this again"
	}
	return "its log says more"
}
