package sqlite

import (
	"math"
	"slices"

	"prserver/prserv/store"
)

const mainTable = store.MainTable

// tables tells which tables of PR values a file has. The greatest value of a
// group is that of all of them.
type tables int32

const (
	// oneTable: no client of generation 3 has ever asked.
	oneTable tables = iota
	// bothApart: another server has written a table of generation 3, which
	// lacks values of the other table. It stays as it is until a client of
	// generation 3 asks: nobody else would see a change for the better.
	bothApart
	// bothInStep: a value goes to both tables, in one transaction, so that each
	// server of BitBake, given the file, goes on above all values.
	bothInStep
)

const (
	// sqlMainStored finds the values of a key in the table of generation 3.
	sqlMainStored = `SELECT value FROM ` + mainTable + ` WHERE version = ?1 AND pkgarch = ?2 AND checksum = ?3`
	// sqlMainGreatest finds the greatest of the values that are whole numbers.
	sqlMainGreatest = `SELECT max(CAST(value AS INTEGER)) FROM ` + mainTable + `
		WHERE version = ?1 AND pkgarch = ?2 AND NOT (` + oddText + `)`
	// sqlMainOdd finds all others.
	sqlMainOdd = `SELECT value FROM ` + mainTable + ` WHERE version = ?1 AND pkgarch = ?2 AND (` + oddText + `)`
	// oddText tells values of which SQLite makes no number, or another one.
	oddText = `value = '' OR value GLOB '*[^0-9]*' OR length(value) > 18`
	// sqlMainInsert stores a value for a key that has not got it.
	sqlMainInsert = `INSERT INTO ` + mainTable + ` VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING`
	// sqlGreatestGiven is sqlGreatest without values that nobody was given, and
	// without those that are no numbers, which sqlOddGiven finds.
	sqlGreatestGiven = sqlGreatest + given + ` AND ` + isNumber
	sqlOddGiven      = `SELECT value FROM ` + table + ` WHERE version = ?1 AND pkgarch = ?2` + given + ` AND NOT ` + isNumber
	given            = ` AND checksum <> '` + store.Reserved + `'`
	isNumber         = `typeof(value) IN ('integer', 'real')`
	// sqlReserve makes the table of whole numbers go on at the value or above.
	sqlReserve = `INSERT INTO ` + table + ` SELECT ?1, ?2, '` + store.Reserved + `', ?3
		WHERE NOT EXISTS (SELECT 1 FROM ` + table + ` WHERE version = ?1 AND pkgarch = ?2 AND value >= ?3)
		ON CONFLICT DO UPDATE SET value = excluded.value`
	// sqlUnreserve removes what sqlReserve has stored.
	sqlUnreserve = `DELETE FROM ` + table + ` WHERE version = ?1 AND pkgarch = ?2 AND checksum = '` + store.Reserved + `'`
	// sqlHasMain tells whether the file has both tables.
	// Before BitBake 1.16 a table of that name had no pkgarch.
	sqlHasMain = `SELECT count(*) FROM pragma_table_info('` + mainTable + `') WHERE name = 'pkgarch'`
)

// hasMain tells whether the file has both tables.
func (c *conn) hasMain() (bool, error) {
	n, err := c.value(sqlHasMain)
	return n == int64(1), err
}

// has tells which tables the file has. Only who writes the file knows without
// looking.
func (s *Store) has(c *conn) (tables, error) {
	if s.writer != nil {
		return tables(s.tables.Load()), nil
	}
	main, err := c.hasMain()
	if !main || err != nil {
		return oneTable, err
	}
	return bothApart, c.standIn()
}

// valueOf turns a revision into the value that a mode asks for.
func valueOf(r store.Revision, m store.Mode) store.Value {
	if n, ok := r.Whole(); ok && !m.Revisions {
		return n
	}
	return r
}

// own returns the least and the greatest value that a checksum has in the
// tables; without revisions, of its whole numbers. Empty is none.
func (c *conn) own(k store.Key, m store.Mode, has tables) (first, last store.Revision, err error) {
	take := func(v store.Value) {
		r, ok := store.RevisionOf(v)
		if _, whole := r.Whole(); !ok || !whole && !m.Revisions {
			return
		}
		if len(first) == 0 || r.Compare(first) < 0 {
			first = r
		}
		if r.Compare(last) > 0 {
			last = r
		}
	}
	err = c.each(sqlStored, take, k.Version, k.Pkgarch, k.Checksum)
	if err == nil && has != oneTable {
		err = c.each(sqlMainStored, take, k.Version, k.Pkgarch, k.Checksum)
	}
	return first, last, err
}

// readBoth reads the greatest value of a group in the tables that there are. A
// real number counts as the next whole one, and what is no value not at all.
func readBoth(c *conn, of group, has tables) (top, error) {
	var greatest store.Revision
	take := func(v store.Value) {
		if r, ok := store.RevisionOf(wholeAbove(v)); ok && r.Compare(greatest) > 0 {
			greatest = r
		}
	}
	queries := []string{sqlGreatestGiven, sqlOddGiven}
	if has != oneTable {
		queries = append(queries, sqlMainGreatest, sqlMainOdd)
	}
	for _, sql := range queries {
		if err := c.each(sql, take, of.version, of.pkgarch); err != nil {
			return top{}, err
		}
	}
	return top{value: greatest, known: true}, nil
}

// wholeAbove replaces a real number by a whole one that is not below it.
func wholeAbove(v store.Value) store.Value {
	f, ok := v.(float64)
	switch {
	case !ok:
		return v
	case f >= math.MaxInt64:
		return int64(math.MaxInt64)
	}
	return int64(math.Ceil(max(f, math.MinInt64)))
}

// knownInBoth is [Store.known] for revisions, and for a file with both tables.
func (s *Store) knownInBoth(c *conn, k store.Key, m store.Mode, has tables) (store.Value, error) {
	first, last, err := c.own(k, m, has)
	switch {
	case err != nil:
		return nil, err
	case len(last) == 0:
		return nil, store.ErrNotFound
	case m.History:
		return valueOf(first, m), nil
	}
	// The greatest is looked for after the value: see [Store.known].
	of := groupOf(k)
	t, ticket := s.tops.get(of)
	if !t.known {
		if t, err = readBoth(c, of, has); err != nil {
			return nil, err
		}
	}
	if last.Compare(t.value) < 0 {
		return nil, store.ErrNotFound
	}
	t = top{last, true, k.Checksum}
	s.learn(of, t, ticket, has)
	if !t.answers(m) {
		return nil, store.ErrNotFound
	}
	return valueOf(last, m), nil
}

// getFromBoth is the writer's part of [Store.GetPR] for revisions, and for a file
// with both tables.
func (w *writer) getFromBoth(k store.Key, m store.Mode) (store.Value, error) {
	if m.Revisions && w.has != bothInStep {
		if err := w.joinMain(); err != nil {
			return nil, err
		}
	}
	if v, err := w.giveNew(k, m); v != nil || err != nil {
		return v, err
	}
	first, last, err := w.conn.own(k, m, w.has)
	if err != nil {
		return nil, err
	}
	t, err := w.topOf(groupOf(k))
	if err != nil {
		return nil, err
	}
	if !t.known { // there is one table, and something odd in it
		return w.getFromOne(k)
	}
	v, err := m.Choose(first, last, t.value)
	if err != nil || slices.Equal(v, first) || slices.Equal(v, last) {
		return valueOf(v, m), err
	}
	if _, whole := t.value.Whole(); !whole && len(t.value) > 0 {
		if _, err := w.conn.exec(sqlUnreserve, k.Version, k.Pkgarch); err != nil {
			return nil, err
		}
	}
	return w.give(k, v, m)
}

// giveNew stores a value for a key that is in neither table, which most calls are
// for, without looking first. It returns nil where it cannot tell, and has
// changed nothing then.
func (w *writer) giveNew(k store.Key, m store.Mode) (store.Value, error) {
	t := w.remembered(groupOf(k))
	if _, whole := t.value.Whole(); !t.known || !whole && len(t.value) > 0 ||
		m.History || m.Upstream != nil || w.has != bothInStep || !w.plain {
		return nil, nil
	}
	// A key that has the greatest value, or as great a one, is in the table of
	// whole numbers, since the value is one.
	v, err := m.Choose(nil, nil, t.value)
	if err != nil {
		return nil, nil // unless the key has the last value that there is
	}
	inserted, err := w.conn.exec(sqlInsertNew, k.Version, k.Pkgarch, k.Checksum, v[0])
	if inserted == 0 || err != nil {
		return nil, err
	}
	w.note(k, v[0])
	err = w.insertMain(k, v)
	w.raise(k, v)
	return valueOf(v, m), err
}

// give stores a new greatest value for a key.
func (w *writer) give(k store.Key, v store.Revision, m store.Mode) (store.Value, error) {
	if n, whole := v.Whole(); whole {
		if stored, err := w.replace(k, n); stored != n || err != nil {
			return stored, err
		}
	} else if err := w.reserve(k, v); err != nil {
		return nil, err
	} else {
		w.note(k, v)
	}
	err := w.insertMain(k, v)
	w.raise(k, v)
	return valueOf(v, m), err
}

// insertMain adds a value to the table of generation 3, if that is in step.
func (w *writer) insertMain(k store.Key, v store.Revision) error {
	if w.has != bothInStep {
		return nil
	}
	_, err := w.conn.exec(sqlMainInsert, k.Version, k.Pkgarch, k.Checksum, v.String())
	return err
}

// reserve makes a server that knows whole numbers only go on above a value that
// is none, if it is given the file.
func (w *writer) reserve(k store.Key, v store.Revision) error {
	next, err := v.NextWhole()
	if err == nil {
		_, err = w.conn.exec(sqlReserve, k.Version, k.Pkgarch, next[0])
	}
	return err
}
