package sqlite

import (
	"errors"

	"prserver/prserv/store"
)

// getPR is the writer's part of [Store.GetPR], within a transaction: it makes a
// value if the key has none that is the greatest.
func (w *writer) getPR(k store.Key, m store.Mode) (store.Value, error) {
	if m.Revisions || w.has != oneTable || m.Upstream != nil {
		return w.getFromBoth(k, m)
	}
	return w.getFromOne(k)
}

// getFromOne is getPR for a file with one table.
func (w *writer) getFromOne(k store.Key) (store.Value, error) {
	if t := w.remembered(groupOf(k)); t.known && w.plain {
		// Most calls that come here are for new keys: a statement is enough.
		next := after(t)
		inserted, err := w.conn.exec(sqlInsertNew, k.Version, k.Pkgarch, k.Checksum, next)
		if err != nil {
			return nil, err
		}
		if inserted > 0 {
			w.note(k, next)
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
		if (store.Revision{n}).Compare(t.value) >= 0 {
			return n, nil
		}
	default: // SQLite has to compare
		v, err := w.conn.value(sqlKnown, k.Version, k.Pkgarch, k.Checksum)
		if !errors.Is(err, store.ErrNotFound) {
			return v, err
		}
	}
	if t.known {
		return w.replace(k, after(t))
	}
	next, err := w.conn.value(sqlNext, k.Version, k.Pkgarch)
	if err != nil {
		return nil, err
	}
	return w.replace(k, next)
}

// after returns the value after a greatest one, which is known and a whole
// number.
func after(t top) int64 {
	if n, ok := t.value.Whole(); ok {
		return n + 1
	}
	return 0
}

// replace gives a key another value, which is the greatest of its group, and
// returns what is stored then.
func (w *writer) replace(k store.Key, next store.Value) (store.Value, error) {
	_, err := w.conn.exec(sqlReplace, k.Version, k.Pkgarch, k.Checksum, next)
	if err != nil && (!errors.Is(err, store.ErrConstraint) || w.conn.hasEnded()) {
		return nil, err
	}
	// What the statement meant is not always what it did: the file may have
	// triggers and constraints of its own.
	v, err := w.conn.value(sqlStored, k.Version, k.Pkgarch, k.Checksum)
	if v != next {
		next = nil
	} else if err == nil {
		w.note(k, next)
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
	t, err := readTop(w.conn, of, w.has)
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
	r, ok := stored.(store.Revision)
	if n, isInt := stored.(int64); isInt {
		r, ok = store.Revision{n}, w.has != oneTable || n < maxTop
	}
	switch {
	case !ok:
		t.known = false
	case r.Compare(t.value) > 0:
		t.value, t.checksum = r, k.Checksum
	}
	w.seen[of] = t
}

// readTop reads the greatest value of a group.
func readTop(c *conn, of group, has tables) (top, error) {
	if has != oneTable {
		return readBoth(c, of, has)
	}
	v, err := c.value(sqlGreatest, of.version, of.pkgarch)
	if err != nil {
		return top{}, err
	}
	switch v := v.(type) {
	case nil:
		return top{known: true}, nil
	case int64:
		return top{value: store.Revision{v}, known: v < maxTop}, nil
	}
	return top{}, nil
}
