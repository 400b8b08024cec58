package sqlite

import (
	"context"
	"errors"

	"prserver/prserv/store"
)

// table is the table that this store reads and writes.
const table = store.NohistTable

const (
	// sqlStored finds the value of a key. Parameters, here and below: version,
	// pkgarch, checksum, value.
	sqlStored = `SELECT value FROM ` + table + `
		WHERE version = ?1 AND pkgarch = ?2 AND checksum = ?3`
	// sqlGreatest finds the greatest value of a version and pkgarch.
	sqlGreatest = `SELECT max(value) FROM ` + table + ` WHERE version = ?1 AND pkgarch = ?2`
	// sqlKnown finds the value of a key that holds the greatest value of its
	// version and pkgarch, whatever values there are.
	sqlKnown = sqlStored + ` AND value >= (` + sqlGreatest + `)`
	// sqlNext computes the value after the greatest, whatever that is.
	sqlNext = `SELECT ifnull(max(value) + 1, 0) FROM ` + table + ` WHERE version = ?1 AND pkgarch = ?2`
	// sqlInsertNew stores a value for a key, if it has none.
	sqlInsertNew = `INSERT INTO ` + table + ` VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING`
	// sqlReplace stores a value for a key. A key that had one loses its row to
	// a new one at the end of the table.
	sqlReplace = `INSERT OR REPLACE INTO ` + table + ` VALUES (?1, ?2, ?3, ?4)`
)

// GetPR implements [store.Store].
//
// Source: lib/prserv/db.py:PRTable._getValueNohist.
func (s *Store) GetPR(ctx context.Context, k store.Key) (_ store.Value, err error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	defer s.nameFile(&err)
	t, _ := s.tops.get(groupOf(k))
	if t.holds(k.Checksum) {
		return t.value, nil
	}
	// If another checksum holds the greatest value, go to the writer; it also
	// finds the rare import that ties.
	if t.checksum == "" {
		v, err := s.known(ctx, k)
		if !errors.Is(err, store.ErrNotFound) {
			return v, err
		}
	}
	if s.writer == nil {
		return s.next(ctx, k)
	}
	return s.writer.batch.change(ctx, func() (store.Value, error) { return s.writer.getPR(k) })
}

// known returns the value of a key if it is the greatest of its group. The
// error is store.ErrNotFound if it is not, or has none.
func (s *Store) known(ctx context.Context, k store.Key) (store.Value, error) {
	c, err := s.readers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.readers.giveBack(c)
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.writer == nil {
		// Another process writes the file, so nothing can be remembered.
		return c.value(sqlKnown, k.Version, k.Pkgarch, k.Checksum)
	}
	v, err := c.value(sqlStored, k.Version, k.Pkgarch, k.Checksum)
	if err != nil {
		return nil, err
	}
	// The greatest is looked for after the value: one that was stored between
	// the two would else pass for the greatest.
	of := groupOf(k)
	t, ticket := s.tops.get(of)
	stored, isInt := v.(int64)
	if isInt && !t.known {
		if t, err = readTop(c, of); err != nil {
			return nil, err
		}
	}
	switch {
	case !isInt || !t.known:
		return c.value(sqlKnown, k.Version, k.Pkgarch, k.Checksum)
	case stored < t.value:
		return nil, store.ErrNotFound
	}
	s.tops.learn(of, top{stored, true, k.Checksum}, ticket)
	return stored, nil
}

// next returns the value that a new key would get.
func (s *Store) next(ctx context.Context, k store.Key) (store.Value, error) {
	c, err := s.readers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.readers.giveBack(c)
	return c.value(sqlNext, k.Version, k.Pkgarch)
}
