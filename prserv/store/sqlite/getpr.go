package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
)

const (
	// sqlStored finds the value of a key. Parameters, here and below: version,
	// pkgarch, checksum, value.
	sqlStored = `SELECT value FROM ` + Table + `
		WHERE version = ?1 AND pkgarch = ?2 AND checksum = ?3`
	// sqlGreatest finds the greatest value of a version and pkgarch.
	sqlGreatest = `SELECT max(value) FROM ` + Table + ` WHERE version = ?1 AND pkgarch = ?2`
	// sqlKnown finds the value of a key that holds the greatest value of its
	// version and pkgarch, whatever values there are.
	sqlKnown = sqlStored + ` AND value >= (` + sqlGreatest + `)`
	// sqlNext computes the value after the greatest, whatever that is.
	sqlNext = `SELECT ifnull(max(value) + 1, 0) FROM ` + Table + ` WHERE version = ?1 AND pkgarch = ?2`
	// sqlInsertNew stores a value for a key, if it has none.
	sqlInsertNew = `INSERT INTO ` + Table + ` VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING`
	// sqlReplace stores a value for a key. A key that had one loses its row to
	// a new one at the end of the table.
	sqlReplace = `INSERT OR REPLACE INTO ` + Table + ` VALUES (?1, ?2, ?3, ?4)`
)

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
	if slices.Contains(key, nil) {
		return nil, ErrNotFound // the table takes no nil, and nothing equals it
	}
	of, asked := group{key[0].(string), key[1].(string)}, key[2].(string)
	t, _ := s.greatest.get(of)
	if t.holds(asked) {
		return t.value, nil
	}
	// Where somebody else is known to hold the greatest value, this key needs a
	// new one, but for a few that have been imported.
	if t.checksum == "" {
		v, err := s.known(ctx, key, of)
		if !errors.Is(err, ErrNotFound) {
			return v, err
		}
	}
	if s.writer == nil {
		return s.computed(ctx, key)
	}
	return s.writer.change(ctx, func(w *writer) (any, error) { return w.getPR(key, of) })
}

// known returns the value of a key if it is the greatest of its group.
func (s *Store) known(ctx context.Context, key []driver.Value, of group) (any, error) {
	c, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer s.giveBack(c)
	if s.writer == nil {
		// Another process writes the file, so nothing can be remembered.
		return c.value(sqlKnown, key)
	}
	v, err := c.value(sqlStored, key)
	if err != nil {
		return nil, err
	}
	// The greatest is looked for after the value: one that was stored between
	// the two would else pass for the greatest.
	t, ticket := s.greatest.get(of)
	stored, isInt := v.(int64)
	if isInt && !t.known {
		if t, err = readTop(c, of); err != nil {
			return nil, err
		}
	}
	switch {
	case !isInt || !t.known:
		return c.value(sqlKnown, key)
	case stored < t.value:
		return nil, ErrNotFound
	}
	s.greatest.learn(of, top{stored, true, key[2].(string)}, ticket)
	return stored, nil
}

// computed returns the value that a new key would get.
func (s *Store) computed(ctx context.Context, key []driver.Value) (any, error) {
	c, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer s.giveBack(c)
	return c.value(sqlNext, key[:2])
}

// getPR does the same in a transaction, and makes a value where none is known.
func (w *writer) getPR(key []driver.Value, of group) (any, error) {
	if t := w.remembered(of); t.known && w.plain {
		// Most calls that come here are for new keys: a statement is enough.
		next := t.value + 1
		inserted, err := w.conn.insert(sqlInsertNew, append(key[:3:3], next))
		if err != nil {
			return nil, err
		}
		if inserted {
			w.raise(of, key[2].(string), next)
			return next, nil
		}
	}
	stored, err := w.conn.value(sqlStored, key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	exists := err == nil
	t, err := w.topOf(of)
	if err != nil {
		return nil, err
	}
	n, isInt := stored.(int64)
	switch {
	case !exists:
	case t.known && isInt:
		if n >= t.value {
			return n, nil
		}
	default: // SQLite has to compare
		if v, err := w.conn.value(sqlKnown, key); !errors.Is(err, ErrNotFound) {
			return v, err
		}
	}
	var next any = t.value + 1
	if !t.known {
		if next, err = w.conn.value(sqlNext, key[:2]); err != nil {
			return nil, err
		}
	}
	err = w.conn.exec(sqlReplace, append(key[:3:3], next))
	if err != nil && (!isConstraint(err) || w.conn.undone()) {
		return nil, err
	}
	// What the statement meant is not always what it did: the file may have
	// triggers and constraints of its own.
	v, err := w.conn.value(sqlStored, key)
	if v != next {
		next = nil
	}
	w.raise(of, key[2].(string), next)
	return v, err
}
