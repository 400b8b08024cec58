package sqlite

import (
	"time"

	"prserver/prserv/store"
)

// Observe sets who is told of every transaction. It must be called before any
// call of the store; a read-only store has nothing to tell.
func (s *Store) Observe(o store.Observer) {
	if s.writer != nil {
		s.writer.observer = o
	}
}

// beginChanges begins what the observer is told of a transaction.
func (w *writer) beginChanges() {
	clear(w.changes) // so that their texts can be freed
	w.changes, w.syncTime = w.changes[:0], 0
}

// note notes for the observer that a key is given a value. It must be called
// before the value counts as the greatest.
func (w *writer) note(k store.Key, v store.Value) {
	if w.observer == nil {
		return
	}
	change := store.Change{Asker: w.asker, Key: k, Value: v}
	if t := w.remembered(groupOf(k)); t.known && len(t.value) > 0 {
		_, whole := v.(int64)
		change.Before = valueOf(t.value, store.Mode{Revisions: !whole})
	}
	w.changes = append(w.changes, change)
}

// timed returns a function that does the same, and whose time the observer is
// told.
func (w *writer) timed(commit func() error) func() error {
	if w.observer == nil {
		return commit
	}
	return func() error {
		begun := time.Now()
		err := commit()
		w.syncTime = time.Since(begun)
		return err
	}
}

// tellObserver tells [Store.Ready] and the observer how a transaction has ended.
func (w *writer) tellObserver(calls int, err error) {
	w.ready.note(err)
	if w.observer == nil {
		return
	}
	c := store.Commit{Calls: calls, Sync: w.syncTime, Err: err}
	if err == nil {
		c.Changes = w.changes
	}
	w.observer.Committed(c)
}
