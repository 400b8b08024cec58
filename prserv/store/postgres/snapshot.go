package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
)

// Snapshot is what a database holds at one moment, for a tool that reads all of
// it while servers go on. One goroutine at a time may use it.
type Snapshot struct {
	// Revisions tells that older values of a checksum are kept. Values are texts
	// such as 3.1 then, and otherwise whole numbers, one for each checksum.
	Revisions bool

	direct *direct
	tx     pgx.Tx
}

// OpenSnapshot connects to the database of a URL. A standby will do, and so will
// a role that may only read. The error is [ErrNoTables] if no server has made the
// tables yet. Like all errors of a Snapshot, it is one line, says what to do, and
// has no password.
func OpenSnapshot(ctx context.Context, url string) (*Snapshot, error) {
	d, err := connectDirectly(ctx, url, true)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{direct: d}
	if err := s.begin(ctx); err != nil {
		s.Close()
		return nil, d.explain(ctx, err)
	}
	return s, nil
}

func (s *Snapshot) begin(ctx context.Context) (err error) {
	if err := checkSchema(ctx, s.direct.conn); err != nil {
		return err
	}
	s.tx, err = s.direct.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	return s.tx.QueryRow(ctx, sqlKeepsOld).Scan(&s.Revisions)
}

// Close ends the snapshot and its connection.
func (s *Snapshot) Close() { s.direct.close() }

// sqlRows finds all rows.
const sqlRows = `SELECT g.version, g.pkgarch, w.checksum, w.value
	FROM prvalue AS w JOIN prgroup AS g ON g.id = w.group_id ORDER BY w.stored`

// Rows calls each with all rows, in the order in which they were stored, and
// returns its first error. The value of a row is a text or an int64, or nil where
// somebody has stored what is no list of numbers.
func (s *Snapshot) Rows(ctx context.Context, each func(store.Row) error) error {
	return s.walk(ctx, sqlRows, func(r row) error {
		out := store.Row{Version: r.text(0), Pkgarch: r.text(1), Checksum: r.text(2)}
		if value, err := parseArray(r[3]); err == nil {
			out.Value = value.String()
			if n, ok := value.Whole(); ok && !s.Revisions {
				out.Value = n
			}
		}
		return each(out)
	})
}

// Behind is a version and pkgarch of which a value is above what the table
// prgroup says is the greatest: the next numbers would be given out twice. Only
// somebody who changes the tables by hand can bring that about.
type Behind struct {
	Group            int64 // prgroup.id
	Version, Pkgarch string
	Greatest         store.Revision // what prgroup says
	Value            store.Revision // what prvalue has
}

const (
	sqlBehind = `SELECT g.id, g.version, g.pkgarch, g.greatest, w.greatest
		FROM prgroup AS g JOIN (SELECT group_id, max(value) AS greatest FROM prvalue GROUP BY group_id) AS w ON w.group_id = g.id
		WHERE w.greatest > g.greatest ORDER BY g.version, g.pkgarch`
	sqlOrphans = `SELECT count(*) FROM prvalue AS w WHERE NOT EXISTS (SELECT 1 FROM prgroup AS g WHERE g.id = w.group_id)`
)

// Behind calls each with the versions whose numbers would be given out twice, and
// returns its first error.
func (s *Snapshot) Behind(ctx context.Context, each func(Behind) error) error {
	return s.walk(ctx, sqlBehind, func(r row) error {
		b := Behind{Group: r.number(0), Version: r.text(1), Pkgarch: r.text(2)}
		if r.revisions(3, &b.Greatest, &b.Value) != nil {
			return nil // Rows tells of the value
		}
		return each(b)
	})
}

// Orphans returns how many values there are whose version and pkgarch somebody
// has removed.
func (s *Snapshot) Orphans(ctx context.Context) (n int64, err error) {
	err = s.tx.QueryRow(ctx, sqlOrphans).Scan(&n)
	return n, s.direct.explain(ctx, err)
}

// walk calls each with every row of a query. Its error comes back as it is.
func (s *Snapshot) walk(ctx context.Context, sql string, each func(row) error) error {
	var failed error
	err := walk(ctx, s.tx, sql, []any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, func(r row) error {
		failed = each(r)
		return failed
	})
	if failed != nil {
		return failed
	}
	return s.direct.explain(ctx, err)
}
