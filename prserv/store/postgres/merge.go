package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
)

// Merge is rows that are to be stored.
type Merge struct {
	// Next returns the next row, or nil after the last one. If it fails, nothing
	// is stored.
	Next func() (*store.Row, error)
	// Revisions tells that one checksum may have several of the rows, and that
	// the database has to keep older values from now on, if it does not yet.
	Revisions bool
}

// Merged is what a merge has done.
type Merged struct {
	New    int64 // rows that were added
	Raised int64 // rows whose value was lower
	Twins  int64 // versions and pkgarchs whose greatest value several checksums have now
}

// sortFrom is the number of rows from which on they are stored in the order of
// their key. Fewer keep the order in which they come. The index of more would not
// stay in memory, so each row would cost a read and a write.
const sortFrom = 400_000

const (
	sqlMergeTable = `CREATE TEMP TABLE merged (
		n bigint GENERATED ALWAYS AS IDENTITY, version text COLLATE "C", pkgarch text COLLATE "C", checksum text COLLATE "C", value bigint[]
	) ON COMMIT DROP`
	// sqlMergeSettings are for large sorts and joins.
	sqlMergeSettings = `SET LOCAL work_mem = '64MB'`
	// sqlSkip drops the rows that the database has. No server lowers a value, so
	// it still has them when the locks are had. Servers wait for fewer locks then.
	sqlSkip = `DELETE FROM merged AS m USING prgroup AS g, prvalue AS w
		WHERE g.version = m.version AND g.pkgarch = m.pkgarch AND w.group_id = g.id AND w.checksum = m.checksum AND w.value %s m.value`
	// sqlKeepServersOut lets no server write before the end.
	sqlKeepServersOut = `LOCK TABLE prgroup IN EXCLUSIVE MODE`
	// sqlMergeGroups locks the groups in the order in which servers do, and makes
	// those that are missing. Where a row is as great as what there is, prvalue
	// has to tell who has the greatest value.
	sqlMergeGroups = `INSERT INTO prgroup AS g (version, pkgarch, greatest, holder)
		SELECT version, pkgarch, value, CASE WHEN min(checksum) = max(checksum) THEN min(checksum) END FROM (
			SELECT version, pkgarch, checksum, value, rank() OVER (PARTITION BY version, pkgarch ORDER BY value DESC) AS place FROM merged) AS m
		WHERE place = 1 GROUP BY version, pkgarch, value ORDER BY version, pkgarch
		ON CONFLICT (version, pkgarch) DO UPDATE SET greatest = greatest(g.greatest, excluded.greatest), holder = CASE
			WHEN excluded.greatest > g.greatest THEN excluded.holder
			WHEN excluded.greatest < g.greatest OR excluded.holder = g.holder THEN g.holder END`
	sqlMergeRaise = `UPDATE prvalue AS w SET value = m.value FROM merged AS m JOIN prgroup AS g ON g.version = m.version AND g.pkgarch = m.pkgarch
		WHERE w.group_id = g.id AND w.checksum = m.checksum AND w.value < m.value`
	sqlMergeNew = `INSERT INTO prvalue (group_id, checksum, value)
		SELECT g.id, m.checksum, m.value FROM merged AS m JOIN prgroup AS g ON g.version = m.version AND g.pkgarch = m.pkgarch
		WHERE %s ORDER BY %s ON CONFLICT DO NOTHING`
	// sqlHasNone is the condition of rows whose checksum has no value.
	sqlHasNone = `NOT EXISTS (SELECT 1 FROM prvalue AS w WHERE w.group_id = g.id AND w.checksum = m.checksum)`
	// sqlNowKeepsOld lets old values stay.
	sqlNowKeepsOld = `UPDATE prserv_state SET revisions = true`
	sqlTwins       = `SELECT count(*) FROM prgroup AS g WHERE holder IS NULL AND
		(SELECT count(*) FROM prvalue AS w WHERE w.group_id = g.id AND w.value = g.greatest) > 1`
)

// Into stores the rows in the database of a URL, in one transaction, and lowers
// no value there. Servers may go on meanwhile: those of their calls that need a
// new value of the same version and pkgarch wait for the end. It makes the tables
// if there are none.
func (m Merge) Into(ctx context.Context, url string) (done Merged, err error) {
	d, err := connectDirectly(ctx, url, false)
	if err != nil {
		return Merged{}, err
	}
	defer d.close()
	var failed error
	next := m.Next
	m.Next = func() (row *store.Row, err error) { // PostgreSQL would hear of it, and tell us in its words
		row, failed = next()
		return row, failed
	}
	err = d.change(ctx, func(s *statements) { done = m.into(ctx, s) })
	switch {
	case failed != nil:
		return Merged{}, failed
	case err != nil:
		return Merged{}, err
	}
	return done, nil
}

func (m Merge) into(ctx context.Context, s *statements) (done Merged) {
	rows := m.stage(ctx, s)
	var keepsOld bool
	s.scan(ctx, sqlKeepsOld, &keepsOld)
	begins := m.Revisions && !keepsOld
	if begins {
		s.exec(ctx, sqlKeepServersOut)
	}
	if keepsOld || begins {
		rows -= s.exec(ctx, sqlSkip, "=")
	} else {
		rows -= s.exec(ctx, sqlSkip, ">=")
	}
	s.exec(ctx, sqlMergeGroups)
	// A server may have begun to keep old values before the locks were had.
	s.scan(ctx, sqlKeepsOld, &keepsOld)
	order := "m.n"
	if rows > sortFrom {
		order = "g.id, m.checksum, m.value"
	}
	if keepsOld || begins {
		done.New = s.exec(ctx, sqlMergeNew, "true", order)
	} else {
		done.Raised = s.exec(ctx, sqlMergeRaise)
		done.New = s.exec(ctx, sqlMergeNew, sqlHasNone, order)
	}
	s.scan(ctx, sqlTwins, &done.Twins)
	if begins { // at the end: servers that connect change this table, too
		s.exec(ctx, sqlNowKeepsOld)
	}
	return done
}

// stage makes the table merged of the rows, and returns how many there are.
func (m Merge) stage(ctx context.Context, s *statements) (rows int64) {
	s.exec(ctx, sqlMergeSettings)
	s.exec(ctx, sqlMergeTable)
	if s.err != nil {
		return 0
	}
	columns := []string{"version", "pkgarch", "checksum", "value"}
	rows, s.err = s.tx.CopyFrom(ctx, pgx.Identifier{"merged"}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, err := m.Next()
		if err != nil || row == nil {
			return nil, err
		}
		value, ok := store.RevisionOf(row.Value)
		if !ok {
			return nil, fmt.Errorf("%v is no PR value", row.Value)
		}
		return []any{row.Version, row.Pkgarch, row.Checksum, []int64(value)}, nil
	}))
	s.exec(ctx, "ANALYZE merged")
	return rows
}
