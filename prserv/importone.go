package prserv

import (
	"context"
	"database/sql"
	"errors"
)

const (
	sqlInsert = `INSERT INTO ` + Table + ` VALUES (?1, ?2, ?3, ?4)`
	// sqlRaise never lowers a value.
	sqlRaise = `UPDATE ` + Table + ` SET value = ?4
		WHERE version = ?1 AND pkgarch = ?2 AND checksum = ?3 AND value < ?4`
	sqlImported = `SELECT value FROM ` + Table + `
		WHERE version = ?1 AND pkgarch = ?2 AND checksum = ?3 AND value >= ?4`
)

// ImportOne stores value for a key, unless the key has a greater one. It
// returns the value that is stored then, or nil where that cannot be compared
// with what was given.
//
// Source: lib/prserv/db.py:PRTable._importNohist.
func (s *Store) ImportOne(ctx context.Context, version, pkgarch, checksum, value any) (any, error) {
	row, err := binds(version, pkgarch, checksum, value)
	if err != nil {
		return nil, err
	}
	var v any
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, sqlInsert, row...)
		if isConstraint(err) {
			_, err = tx.ExecContext(ctx, sqlRaise, row...)
		}
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, sqlImported, row...).Scan(&v)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return loaded(v)
}
