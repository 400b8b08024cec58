package postgres

import "prserver/prserv/store"

// Observe sets who is told of every transaction. It must be called before any
// call of the store; a read-only store has nothing to tell.
func (s *Store) Observe(o store.Observer) {
	if s.writer != nil {
		s.writer.observer = o
	}
}

// note notes for the observer that a call gives a key a value. It must be called
// before the value counts as the greatest.
func (t *transaction) note(k *keyState, v store.Revision) {
	_, whole := v.Whole()
	m := store.Mode{Revisions: !whole}
	t.changes = append(t.changes, store.Change{
		Asker: t.asker, Key: k.key, Value: valueOf(v, m), Before: valueOf(k.group.greatest, m),
	})
}

// tellObserver tells [Store.Ready] and the observer how a transaction has ended.
func (w *writer) tellObserver(t *transaction, calls int, err error) {
	w.ready.note(err)
	if w.observer == nil {
		return
	}
	c := store.Commit{Calls: calls, Err: err}
	if err == nil {
		c.Sync, c.Changes = t.sync, t.changes
	}
	w.observer.Committed(c)
}
