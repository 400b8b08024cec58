package postgres

import (
	"errors"
	"fmt"
	"sync"
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

// troubleLasts is how long a failed transaction counts, where no other follows it.
const troubleLasts = time.Minute

// readiness is what [Store.Ready] knows of the transactions.
type readiness struct {
	mu       sync.Mutex
	trouble  error     // why the last transaction has failed; guarded by mu
	failedAt time.Time // when that was; guarded by mu
}

// note notes how a transaction has ended.
func (r *readiness) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var database *store.Error
	if errors.As(storeError(err), &database) {
		r.trouble, r.failedAt = database, time.Now()
	} else if err == nil {
		r.trouble = nil
	}
}

// Ready returns the reason why no new value could be stored now, as it was when
// that was last tried: PostgreSQL does not answer, or the last transaction has
// failed. It never waits for PostgreSQL. A read-only store is ready as long as
// PostgreSQL answers.
func (s *Store) Ready() error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	if err := s.Check(); err != nil || s.writer == nil {
		return err
	}
	r := &s.writer.ready
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trouble != nil && time.Since(r.failedAt) < troubleLasts {
		return fmt.Errorf("nothing was stored at %s: %w", r.failedAt.Format(time.TimeOnly), r.trouble)
	}
	return nil
}
