package sqlite

import (
	"context"
	"sync/atomic"
	"time"

	"prserver/prserv/store"
)

// What the tests of this package have to wait for cannot be seen from outside.

// Writers returns how many calls have come as far as to the writer since the
// store was opened.
func (s *Store) Writers() int { return s.writer.batch.Handed() }

// LogMoves returns how often it has been tried to move the write-ahead log to
// the file.
func (s *Store) LogMoves() int { return int(s.writer.settleTries.Load()) }

// OpenOnNetwork opens a file as if it were on a network file system.
func OpenOnNetwork(ctx context.Context, file string) (*Store, error) {
	return openOn(ctx, file, false, func(string) string { return "NFS" })
}

// MoveLogAt makes the writer move the log after so many calls, if it has so
// many pages.
func (s *Store) MoveLogAt(calls, pages int) {
	s.writer.batch.Do(context.Background(), func() (store.Value, error) {
		s.writer.lengthCheck, s.writer.maxLog = calls, int64(pages)
		return nil, nil
	})
}

// FailBefore makes the writer wait for a lock only for calls that have come since a
// time, which may be changed; for all if it is zero.
func (s *Store) FailBefore(latest *atomic.Pointer[time.Time]) {
	s.writer.batch.Do(context.Background(), func() (store.Value, error) {
		s.writer.late = func(came time.Time) bool {
			t := latest.Load()
			return t != nil && came.Before(*t)
		}
		return nil, nil
	})
}

// Fail makes the store believe that a transaction has failed.
func (s *Store) Fail(err error) { s.writer.ready.note(err) }

// IsClosing tells whether the store lends no reader any more.
func (s *Store) IsClosing() bool {
	select {
	case <-s.readers.closing:
		return true
	default:
		return false
	}
}

// LearnLate reads which tables there are, as a reader does, and returns a function
// with which that reader remembers a value that it has read in these.
func (s *Store) LearnLate(version, pkgarch string) (learn func(value int64, checksum string)) {
	has := tables(s.tables.Load())
	return func(value int64, checksum string) {
		of := group{version, pkgarch}
		_, ticket := s.tops.get(of)
		s.learn(of, top{store.Revision{value}, true, checksum}, ticket, has)
	}
}
