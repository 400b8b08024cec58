package sqlite

import (
	"context"
	"errors"

	"prserver/prserv/store"
)

const (
	sqlInsert = `INSERT INTO ` + table + ` VALUES (?1, ?2, ?3, ?4)`
	// sqlRaise never lowers a value.
	sqlRaise = `UPDATE ` + table + ` SET value = ?4
		WHERE version = ?1 AND pkgarch = ?2 AND checksum = ?3 AND value < ?4`
	sqlImported = `SELECT value FROM ` + table + `
		WHERE version = ?1 AND pkgarch = ?2 AND checksum = ?3 AND value >= ?4`
)

// ImportOne implements [store.Store].
//
// Source: lib/prserv/db.py:PRTable._importNohist.
func (s *Store) ImportOne(ctx context.Context, k store.Key, v store.Value) (_ store.Value, err error) {
	defer s.nameFile(&err)
	if s.writer == nil {
		return nil, store.ReadOnly()
	}
	stored, err := s.writer.batch.Do(ctx, func() (store.Value, error) { return s.writer.importOne(k, v) })
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return stored, err
}

func (w *writer) importOne(k store.Key, v store.Value) (store.Value, error) {
	if r, ok := v.(store.Revision); ok {
		if n, whole := r.Whole(); !whole {
			return w.importRevision(k, r)
		} else {
			v = n
		}
	}
	if w.observer != nil { // who is told what was there before
		if _, err := w.topOf(groupOf(k)); err != nil {
			return nil, err
		}
	}
	changed, err := w.conn.exec(sqlInsert, k.Version, k.Pkgarch, k.Checksum, v)
	if errors.Is(err, store.ErrConstraint) {
		changed, err = w.conn.exec(sqlRaise, k.Version, k.Pkgarch, k.Checksum, v)
	}
	if err != nil {
		return nil, err
	}
	stored, err := w.conn.value(sqlImported, k.Version, k.Pkgarch, k.Checksum, v)
	if n, ok := v.(int64); ok && err == nil {
		err = w.insertMain(k, store.Revision{n})
	}
	if changed > 0 && stored != nil {
		w.note(k, stored)
	}
	w.raise(k, stored)
	return stored, err
}

// importRevision imports a value that is no whole number, for which there is
// room in the table of generation 3 only.
func (w *writer) importRevision(k store.Key, r store.Revision) (store.Value, error) {
	if w.has != bothInStep {
		if err := w.joinMain(); err != nil {
			return nil, err
		}
	}
	added, err := w.conn.exec(sqlMainInsert, k.Version, k.Pkgarch, k.Checksum, r.String())
	if err != nil {
		return nil, err
	}
	if err := w.reserve(k, r); err != nil {
		return nil, err
	}
	if added > 0 {
		w.note(k, r)
	}
	w.raise(k, r)
	_, last, err := w.conn.own(k, store.Mode{Revisions: true}, w.has)
	return last, err
}
