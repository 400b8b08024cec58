package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"prserver/prserv/store"
)

const (
	// sqlHolders finds the rows that hold the greatest value of their version and
	// pkgarch. Where several may, as after an import, prvalue tells.
	sqlHolders = `SELECT version, pkgarch, holder AS checksum, greatest AS value FROM prgroup WHERE holder IS NOT NULL
		UNION ALL
		SELECT g.version, g.pkgarch, w.checksum, w.value FROM prgroup AS g
		JOIN prvalue AS w ON w.group_id = g.id AND w.value = g.greatest WHERE g.holder IS NULL`
	// sqlWholeHolders finds what a table of whole numbers has instead: a row that
	// reserves the next one where the greatest value is none. See [store.Reserved].
	sqlWholeHolders = `SELECT version, pkgarch, checksum, value FROM (` + sqlHolders + `) AS h WHERE cardinality(value) = 1
		UNION ALL ` + sqlReserved
	sqlReserved = `SELECT version, pkgarch, '` + store.Reserved + `' AS checksum, ARRAY[greatest[1] + 1] AS value
		FROM prgroup WHERE cardinality(greatest) > 1`
	// sqlValues finds all values.
	sqlValues = `SELECT g.version, g.pkgarch, w.checksum, w.value, w.stored FROM prvalue AS w JOIN prgroup AS g ON g.id = w.group_id`
)

// Export implements [store.Store].
func (s *Store) Export(ctx context.Context, f store.Filter, each func(store.Row) error) (err error) {
	defer s.nameDatabase(&err)
	from, order := sqlWholeHolders, "version, pkgarch, checksum"
	switch {
	case f.Revisions && f.History:
		from = sqlValues
		if order += ", value"; f.Version == nil {
			order = "stored"
		}
	case f.Revisions:
		from = sqlHolders
	}
	where, args := "", []any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}
	for _, c := range []struct {
		column string
		value  *string
	}{{"version", f.Version}, {"pkgarch", f.Pkgarch}, {"checksum", f.Checksum}} {
		if c.value == nil {
			continue
		}
		if checkTexts(*c.value) != nil {
			return nil // it cannot have been stored
		}
		args = append(args, *c.value)
		where += fmt.Sprintf(" AND %s = $%d", c.column, len(args)-1)
	}
	sql := `SELECT version, pkgarch, checksum, value FROM (` + from + `) AS r WHERE true` + where + ` ORDER BY ` + order
	handed := false
	return s.snapshot(ctx, &handed, func(tx pgx.Tx) error {
		var early []store.Row
		err := walk(ctx, tx, sql, args, func(r row) error {
			out := store.Row{Version: r.text(0), Pkgarch: r.text(1), Checksum: r.text(2)}
			value, err := parseArray(r[3])
			if err != nil {
				return err
			}
			out.Value = value.String()
			if n, ok := value.Whole(); ok && !f.Revisions {
				out.Value = n
			}
			if early = append(early, out); len(early) < maxEarly && !handed {
				return nil
			}
			handed = true
			err = handOver(early, each)
			early = early[:0]
			return err
		})
		if err != nil {
			return err
		}
		handed = true
		return handOver(early, each)
	})
}

// maxEarly is how many rows are kept until the first of them is handed over, so
// that a short export can be made again if its connection is lost.
const maxEarly = 1000

func handOver(rows []store.Row, each func(store.Row) error) error {
	for _, r := range rows {
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

// walk calls each with every row of a query. The row is valid until each returns.
func walk(ctx context.Context, tx pgx.Tx, sql string, args []any, each func(row) error) error {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, each)
}

// eachRow calls each with the rows that a query has found.
func eachRow(rows pgx.Rows, each func(row) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(row(rows.RawValues())); err != nil {
			return err
		}
	}
	return rows.Err()
}

// snapshot runs a function that reads what is stored at one moment. It is run
// again as long as a call is waited for, unless it has handed something over.
func (s *Store) snapshot(ctx context.Context, handed *bool, read func(pgx.Tx) error) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	inTime, cancel := context.WithTimeout(ctx, store.PatienceOf(ctx))
	defer cancel()
	for {
		err := s.readOnce(ctx, inTime, read)
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case isLost(err) && !*handed && inTime.Err() == nil && !s.closed.Load():
			s.retries.Add(1)
		case isLost(err):
			return s.unavailable(err)
		default:
			return err
		}
	}
}

func (s *Store) readOnce(ctx, inTime context.Context, read func(pgx.Tx) error) error {
	tx, err := s.begin(inTime)
	s.explain(ctx, inTime, &err)
	if err != nil {
		return err
	}
	defer func() { // nothing was changed, so whatever hangs is given up
		ctx, cancel := context.WithTimeout(context.Background(), closePatience)
		defer cancel()
		tx.Rollback(ctx)
	}()
	if err := read(tx); ctx.Err() == nil {
		return err
	}
	return ctx.Err()
}

// isLost tells whether the connection was lost, or a statement cancelled.
func isLost(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return passes(err)
	}
	var broken net.Error
	return errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// begin begins a transaction that only reads.
func (s *Store) begin(ctx context.Context) (pgx.Tx, error) {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		tx, err := s.walkers.BeginTx(ctx, options)
		if err == nil {
			if err = s.cluster.checkCurrent(tx.Conn()); err != nil {
				tx.Conn().Close(ctx)
				tx.Rollback(ctx)
			}
		}
		switch {
		case err == nil:
			return tx, nil
		case s.closed.Load():
			return nil, store.ErrClosed
		case !passes(err):
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(pause):
			s.retries.Add(1)
		}
	}
}

// Columns implements [store.Store]. They are those of the tables that BitBake's
// servers have.
func (s *Store) Columns(_ context.Context, revisions bool) ([]store.Column, error) {
	if revisions {
		return store.MainColumns(), nil
	}
	return store.NohistColumns(), nil
}
