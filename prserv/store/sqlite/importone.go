package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
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
	if s.writer == nil {
		return nil, errReadOnly
	}
	v, err := s.writer.change(ctx, func(w *writer) (any, error) { return w.importOne(row) })
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return v, err
}

func (w *writer) importOne(row []driver.Value) (any, error) {
	err := w.conn.exec(sqlInsert, row)
	if isConstraint(err) {
		err = w.conn.exec(sqlRaise, row)
	}
	if err != nil {
		return nil, err
	}
	v, err := w.conn.value(sqlImported, row)
	if !slices.Contains(row[:3], nil) {
		w.raise(group{row[0].(string), row[1].(string)}, row[2].(string), v)
	}
	return v, err
}
