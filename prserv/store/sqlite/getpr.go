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
func (s *Store) GetPR(ctx context.Context, k store.Key, m store.Mode) (_ store.Value, err error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	defer s.nameFile(&err)
	t, _ := s.tops.get(groupOf(k))
	if t.holds(k.Checksum) && t.answers(m) && (!m.Revisions || s.inStep()) {
		return valueOf(t.value, m), nil
	}
	// If another checksum holds the greatest value, go to the writer; it also
	// finds the rare import that ties.
	if t.checksum == "" || m.History || m.Peek {
		v, err := s.known(ctx, k, m)
		if !errors.Is(err, store.ErrNotFound) {
			return v, err
		}
	}
	if s.writer == nil || m.Peek {
		return s.next(ctx, k, m)
	}
	return s.writer.batch.Do(ctx, func() (store.Value, error) { return s.writer.getPR(k, m) })
}

// known returns the value of a key if it is the one that it gets. The error is
// store.ErrNotFound if it is not, or the key has none.
func (s *Store) known(ctx context.Context, k store.Key, m store.Mode) (store.Value, error) {
	c, err := s.readers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.readers.giveBack(c)
	if err := s.check(); err != nil {
		return nil, err
	}
	has, err := s.has(c)
	switch {
	case err != nil:
		return nil, err
	case has == bothInStep || has == bothApart && (s.writer == nil || !m.Revisions):
		return s.knownInBoth(c, k, m, has)
	case m.Revisions || m.Upstream != nil: // the writer knows better
		return nil, store.ErrNotFound
	case s.writer == nil:
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
		if t, err = readTop(c, of, oneTable); err != nil {
			return nil, err
		}
	}
	switch {
	case !isInt || !t.known:
		return c.value(sqlKnown, k.Version, k.Pkgarch, k.Checksum)
	case (store.Revision{stored}).Compare(t.value) < 0:
		return nil, store.ErrNotFound
	}
	s.learn(of, top{store.Revision{stored}, true, k.Checksum}, ticket, oneTable)
	return stored, nil
}

// inStep tells whether new values go to both tables.
func (s *Store) inStep() bool { return tables(s.tables.Load()) == bothInStep }

// learn remembers what was read from these tables of the file, with a ticket of
// the cache.
func (s *Store) learn(of group, t top, ticket uint64, has tables) {
	// Somebody may have made the second table after it was looked which there
	// are, and before the ticket was given.
	if t.known && s.writer != nil && has == tables(s.tables.Load()) {
		s.tops.learn(of, t, ticket)
	}
}

// next returns the value that a key would get.
func (s *Store) next(ctx context.Context, k store.Key, m store.Mode) (store.Value, error) {
	c, err := s.readers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.readers.giveBack(c)
	has, err := s.has(c)
	if err != nil {
		return nil, err
	}
	if has == oneTable && !m.Revisions && m.Upstream == nil {
		return c.value(sqlNext, k.Version, k.Pkgarch)
	}
	first, last, err := c.own(k, m, has)
	if err != nil {
		return nil, err
	}
	t, err := readBoth(c, groupOf(k), has)
	if err != nil {
		return nil, err
	}
	v, err := m.Choose(first, last, t.value)
	return valueOf(v, m), err
}

// Find implements [store.Store].
//
// Source: lib/prserv/db.py:PRTable.find_value and find_package_max_value of
// BitBake 2.10.
func (s *Store) Find(ctx context.Context, k store.Key, m store.Mode) (found store.Known, err error) {
	defer s.nameFile(&err)
	c, err := s.readers.take(ctx)
	if err != nil {
		return found, err
	}
	defer s.readers.giveBack(c)
	if err := s.check(); err != nil {
		return found, err
	}
	has, err := s.has(c)
	if err != nil {
		return found, err
	}
	if has == oneTable && !m.Revisions {
		found.Greatest, err = c.value(sqlGreatest, k.Version, k.Pkgarch)
		if err == nil {
			err = c.each(sqlStored, func(v store.Value) { found.First, found.Last = v, v }, k.Version, k.Pkgarch, k.Checksum)
		}
		return found, err
	}
	first, last, err := c.own(k, m, has)
	if err != nil {
		return found, err
	}
	if len(last) > 0 {
		found.First, found.Last = valueOf(first, m), valueOf(last, m)
	}
	of := groupOf(k)
	t, ticket := s.tops.get(of)
	if !t.known {
		if t, err = readTop(c, of, has); err != nil {
			return found, err
		}
		s.learn(of, t, ticket, has)
	}
	if !t.known { // there is one table, and something odd in it
		if t, err = readBoth(c, of, has); err != nil {
			return found, err
		}
	}
	if len(t.value) > 0 {
		found.Greatest = valueOf(t.value, m)
	}
	return found, nil
}
