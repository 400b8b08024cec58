package prserv

import (
	"context"
	"database/sql"
	"errors"
	"slices"
)

const (
	// sqlKnown finds the value of a key that holds the greatest value of its
	// version and pkgarch. Parameters: version, pkgarch, checksum.
	sqlKnown = `SELECT value FROM ` + Table + `
		WHERE version = ?1 AND pkgarch = ?2 AND checksum = ?3
		AND value >= (SELECT max(value) FROM ` + Table + ` WHERE version = ?1 AND pkgarch = ?2)`
	// sqlNext computes the value that sqlReplace would give.
	sqlNext = `SELECT ifnull(max(value) + 1, 0) FROM ` + Table + ` WHERE version = ?1 AND pkgarch = ?2`
	// sqlReplace gives a key the next value. A key that had one loses its row
	// to a new one at the end of the table.
	sqlReplace = `INSERT OR REPLACE INTO ` + Table + `
		VALUES (?1, ?2, ?3,
		(SELECT ifnull(max(value) + 1, 0) FROM ` + Table + ` WHERE version = ?1 AND pkgarch = ?2))`
	// sqlStored finds the value of a key.
	sqlStored = `SELECT value FROM ` + Table + `
		WHERE version = ?1 AND pkgarch = ?2 AND checksum = ?3`
)

// prepare prepares the statements, and so finds out whether the table exists.
func (s *Store) prepare(ctx context.Context) error {
	for _, p := range []struct {
		stmt  **sql.Stmt
		db    *sql.DB
		query string
	}{
		{&s.known, s.read, sqlKnown},
		{&s.next, s.read, sqlNext},
		{&s.stillKnown, s.write, sqlKnown},
		{&s.replace, s.write, sqlReplace},
		{&s.stored, s.write, sqlStored},
	} {
		if p.db == nil {
			continue // read-only
		}
		var err error
		if *p.stmt, err = p.db.PrepareContext(ctx, p.query); err != nil {
			return err
		}
	}
	return nil
}

// GetPR returns the PR value of a key, after making one if need be. Values
// only grow: what was given out for one checksum is never given out again for
// another of the same version and pkgarch. A read-only store answers the value
// that a new key would get, and does not store it.
//
// Source: lib/prserv/db.py:PRTable._getValueNohist.
func (s *Store) GetPR(ctx context.Context, version, pkgarch, checksum any) (any, error) {
	key, err := binds(version, pkgarch, checksum)
	if err != nil {
		return nil, err
	}
	v, err := queryValue(ctx, s.known, key)
	if !errors.Is(err, errNotFound) {
		return v, err
	}
	if s.write == nil {
		if slices.Contains(key, nil) {
			return nil, errNotFound // as the constraints have it
		}
		return queryValue(ctx, s.next, key[:2])
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		// Another call may have given the key its value since.
		if v, err = queryValue(ctx, tx.StmtContext(ctx, s.stillKnown), key); !errors.Is(err, errNotFound) {
			return err
		}
		// A key with a nil in it violates a constraint: it stays without value.
		if _, err := tx.StmtContext(ctx, s.replace).ExecContext(ctx, key...); err != nil && !isConstraint(err) {
			return err
		}
		v, err = queryValue(ctx, tx.StmtContext(ctx, s.stored), key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// queryValue runs a statement that finds at most one value.
func queryValue(ctx context.Context, stmt *sql.Stmt, key []any) (any, error) {
	var v any
	err := stmt.QueryRowContext(ctx, key...).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, err
	}
	return loaded(v)
}
