package sqlite

import (
	"errors"

	"prserver/prserv/store"
)

// getPR is the writer's part of [Store.GetPR], within a transaction: it makes a
// value if the key has none that is the greatest.
func (w *writer) getPR(k store.Key) (store.Value, error) {
	if t := w.remembered(groupOf(k)); t.known && w.plain {
		// Most calls that come here are for new keys: a statement is enough.
		next := t.value + 1
		inserted, err := w.conn.exec(sqlInsertNew, k.Version, k.Pkgarch, k.Checksum, next)
		if err != nil {
			return nil, err
		}
		if inserted > 0 {
			w.raise(k, next)
			return next, nil
		}
	}
	stored, err := w.conn.value(sqlStored, k.Version, k.Pkgarch, k.Checksum)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	exists := err == nil
	t, err := w.topOf(groupOf(k))
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
		v, err := w.conn.value(sqlKnown, k.Version, k.Pkgarch, k.Checksum)
		if !errors.Is(err, store.ErrNotFound) {
			return v, err
		}
	}
	return w.replace(k, t)
}

// replace gives a key the value after the greatest of its group.
func (w *writer) replace(k store.Key, t top) (store.Value, error) {
	var next store.Value = t.value + 1
	if !t.known {
		var err error
		if next, err = w.conn.value(sqlNext, k.Version, k.Pkgarch); err != nil {
			return nil, err
		}
	}
	_, err := w.conn.exec(sqlReplace, k.Version, k.Pkgarch, k.Checksum, next)
	if err != nil && (!errors.Is(err, store.ErrConstraint) || w.conn.hasEnded()) {
		return nil, err
	}
	// What the statement meant is not always what it did: the file may have
	// triggers and constraints of its own.
	v, err := w.conn.value(sqlStored, k.Version, k.Pkgarch, k.Checksum)
	if v != next {
		next = nil
	}
	w.raise(k, next)
	return v, err
}

// topOf returns the greatest value of a group in the open transaction.
func (w *writer) topOf(of group) (top, error) {
	t := w.remembered(of)
	if t.known {
		return t, nil
	}
	t, err := readTop(w.conn, of)
	w.seen[of] = t
	return t, err
}

// remembered returns what is known of a group without looking.
func (w *writer) remembered(of group) top {
	if t, ok := w.seen[of]; ok {
		return t
	}
	t, _ := w.tops.get(of)
	return t
}

// raise notes that a checksum of a group has a value now.
func (w *writer) raise(k store.Key, stored store.Value) {
	of := groupOf(k)
	t := w.remembered(of)
	n, isInt := stored.(int64)
	switch {
	case !isInt || n >= maxTop:
		t.known = false
	case n > t.value:
		t.value, t.checksum = n, k.Checksum
	}
	w.seen[of] = t
}

// readTop reads the greatest value of a group; -1 where it has none.
func readTop(c *conn, of group) (top, error) {
	v, err := c.value(sqlGreatest, of.version, of.pkgarch)
	if err != nil {
		return top{}, err
	}
	switch v := v.(type) {
	case nil:
		return top{value: -1, known: true}, nil
	case int64:
		return top{value: v, known: v < maxTop}, nil
	}
	return top{}, nil
}
