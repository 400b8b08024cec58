package sqlite

import (
	"context"
	"database/sql/driver"
	"sync"

	"prserver/prserv/store"
)

// heldStmt is a statement that stops before it is run, or after.
type heldStmt struct {
	driver.Stmt
	before, after func()
}

func (s heldStmt) Exec(args []driver.Value) (driver.Result, error) {
	s.before()
	defer s.after()
	//lint:ignore SA1019 conn calls the same
	return s.Stmt.Exec(args)
}

func (s heldStmt) Query(args []driver.Value) (driver.Rows, error) {
	s.before()
	defer s.after()
	//lint:ignore SA1019 conn calls the same
	return s.Stmt.Query(args)
}

// gate is where statements stop. Each tells reached, and waits for opened.
func gate() (stop func(), reached <-chan struct{}, open func()) {
	arrivals, opened := make(chan struct{}, 1), make(chan struct{})
	stop = func() {
		select {
		case arrivals <- struct{}{}:
		default:
		}
		<-opened
	}
	return stop, arrivals, sync.OnceFunc(func() { close(opened) })
}

// HoldCommits stops the writer where a transaction is in the file for others
// to see, but not noted in memory and not answered yet.
func (s *Store) HoldCommits(ctx context.Context) (reached <-chan struct{}, open func(), err error) {
	stop, reached, open := gate()
	_, err = s.writer.batch.Do(ctx, func() (store.Value, error) {
		w := s.writer
		first := true // the commit of this very transaction
		w.conn.statements[sqlCommit] = heldStmt{w.conn.statements[sqlCommit], func() {}, func() {
			if !first {
				stop()
			}
			first = false
		}}
		return nil, nil
	})
	return reached, open, err
}

// HoldReads stops getPR where it knows what is remembered of a group, but has
// not looked for its checksum in the file yet.
func (s *Store) HoldReads() (reached <-chan struct{}, open func()) {
	stop, reached, open := gate()
	for range s.readers.size {
		c := <-s.readers.conns
		c.statements[sqlStored] = heldStmt{c.statements[sqlStored], stop, func() {}}
		defer s.readers.giveBack(c)
	}
	return reached, open
}
