package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"prserver/prserv/store"
)

const (
	// troubleLasts is how long a failed transaction counts, where no other follows
	// it.
	troubleLasts = time.Minute
	// checkPause is how often [Store.Check] looks whether PostgreSQL answers again.
	checkPause = 100 * time.Millisecond
)

// readiness is what [Store.Ready] knows of the transactions.
type readiness struct {
	mu       sync.Mutex
	trouble  error     // why the last transaction has failed; guarded by mu
	failedAt time.Time // when that was; guarded by mu
}

// note notes how a transaction has ended. What passes is the trouble of a connection,
// which knows when it is over.
func (r *readiness) note(err error) {
	if err != nil && passes(err) {
		return
	}
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
	if err := s.state(); err != nil || s.writer == nil {
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

// Check implements [store.Store]. A build asks before it begins, so this asks
// PostgreSQL, and waits for one that restarts or fails over, as long as a call does.
func (s *Store) Check(ctx context.Context) (err error) {
	defer s.nameDatabase(&err)
	inTime, cancel := context.WithTimeout(ctx, store.PatienceOf(ctx))
	defer cancel()
	defer s.explain(ctx, inTime, &err)
	if _, err := s.reader.Do(inTime, look{}); err != nil { // nothing has this key
		return err
	}
	for {
		err := s.state()
		if err == nil || s.closed.Load() || inTime.Err() != nil {
			return err
		}
		select {
		case <-inTime.Done():
		case <-time.After(checkPause):
		}
	}
}

// state returns an error if PostgreSQL cannot be used, as far as that is known.
func (s *Store) state() error {
	err := s.trouble()
	switch {
	case err == nil:
		return nil
	case passes(err):
		return s.unavailable(err)
	}
	return &store.Error{Reason: store.ErrReadOnly, Text: explain(s.cluster.config, err).Error()}
}

// trouble returns why PostgreSQL cannot be used, as far as that is known.
func (s *Store) trouble() error {
	if s.writer != nil {
		if err := s.writer.link.state(); err != nil {
			return err
		}
	}
	return s.reader.link.state()
}

// Connected tells whether PostgreSQL has answered when it was last asked
// something. It never waits.
func (s *Store) Connected() bool { return s.trouble() == nil }

// Retries returns how often something was tried again, because PostgreSQL had not
// answered or because several servers were in each other's way.
func (s *Store) Retries() int64 { return s.retries.Load() }

// Timeline returns how often another PostgreSQL has taken over, plus 1; 0 if that
// is not known.
func (s *Store) Timeline() int64 {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	n, _ := strconv.ParseInt(s.cluster.timeline, 16, 64)
	return n
}
