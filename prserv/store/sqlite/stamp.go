package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sync"

	"prserver/prserv/dbfile"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite/query"
)

// stamps are what a writer knows of the stamps of its file: see [dbfile.Stamp].
// With them a log is never played into another file, and whoever writes over the
// file of a running server is found out.
//
// A stamp that is odd is set by the first change that goes into an empty log.
// One that is even is set last of all, once the file has everything else.
type stamps struct {
	claim *dbfile.Claimed // nil where there is no log: on a network file system

	mu       sync.Mutex
	current  uint32   // the stamp that the file and its log together have; guarded by mu
	possible []uint32 // those that the file itself may have now; guarded by mu
}

// set notes the stamp of a change that is about to be committed. From then on
// the file may have it, or one that it had before.
func (s *stamps) set(current uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = current
	s.possible = append(s.possible, current)
}

// unset notes that the change with the last stamp has not been committed.
func (s *stamps) unset(current uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = current
}

// settle notes that everything has been moved to the file.
func (s *stamps) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.possible = append(s.possible[:0], s.current)
}

// isSettled tells whether the file has everything, the last stamp included.
func (s *stamps) isSettled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current != 0 && s.current&1 == 0
}

// check finds out whether the file is still the one that the store has opened.
// What SQLite reads of another one would be wrong, and what it moves there from
// the log would damage it.
func (s *stamps) check() error {
	if s.claim == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stamp, ok := s.claim.Stamp(); ok && slices.Contains(s.possible, stamp.Current) {
		return nil
	}
	return &store.Error{Reason: store.ErrReplaced, Text: s.claim.Path + " has been overwritten while it is served, and nothing more is read from it or stored; " +
		"stop the server, put the file with the last values back, and start it again"}
}

// next returns a stamp that has not been used: an even one, or an odd one.
func (s *stamps) next(odd uint32) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if n := rand.Uint32()>>1&^1 | odd; n > 1 && n != s.current && !slices.Contains(s.possible, n) {
			return n
		}
	}
}

// readStamp reads the stamps that a file has when it is opened.
func (w *writer) readStamp() error {
	v, err := w.conn.value(sqlStamp)
	if err != nil || w.stamps.claim == nil {
		return err
	}
	stamp, ok := w.stamps.claim.Stamp()
	if !ok {
		return fmt.Errorf("%s has no header", w.file)
	}
	w.stamps.set(stamp.Current)
	together, _ := v.(int64) // of the file and its log
	w.stamps.set(uint32(together))
	return nil
}

const sqlStamp = "PRAGMA user_version"

// commitStamp makes a new stamp a part of the open transaction and commits that.
func (w *writer) commitStamp(odd uint32) error {
	before, next := w.stamps.current, w.stamps.next(odd)
	// Neither takes a parameter, and both are signed.
	_, err := query.Exec(context.Background(), w.conn.SQLiteConn,
		fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", int32(before), int32(next)))
	if err != nil {
		return err
	}
	w.stamps.set(next)
	if err := w.execPatiently(sqlCommit); err != nil {
		w.stamps.unset(before)
		return err
	}
	w.marked = odd == 1
	return nil
}

// commitMarked commits the open transaction. The first one in a log has a stamp.
func (w *writer) commitMarked() error {
	if w.stamps.claim == nil {
		return w.execPatiently(sqlCommit)
	}
	marks := !w.marked && len(w.seen) > 0
	var err error
	if marks {
		err = w.commitStamp(1)
	} else {
		err = w.execPatiently(sqlCommit)
	}
	if err != nil || len(w.seen) == 0 {
		return err
	}
	// Somebody else may have moved the log to the file, so that this transaction
	// was the first one in a new log after all.
	salts, err := w.readSalts()
	if err == nil && salts != w.salts {
		w.salts = salts
		if !marks {
			if err = w.execPatiently(sqlBegin); err == nil {
				err = w.commitStamp(1)
			}
		}
	}
	return err
}

// readSalts reads the numbers that SQLite changes when it begins a log anew.
func (w *writer) readSalts() (salts [8]byte, err error) {
	if w.log == nil {
		if w.log, err = os.Open(w.stamps.claim.Path + "-wal"); err != nil {
			return salts, err
		}
	}
	_, err = w.log.ReadAt(salts[:], 16)
	if errors.Is(err, io.EOF) { // it is empty
		err = nil
	}
	return salts, err
}

// settle moves everything from the write-ahead log to the file, and stamps the
// file. Whoever copies or loses the log of an idle server has all values in the
// file; a second connection that moves it under load made nothing faster. It
// reports whether that is done: not if a reader needs what was there before, or
// if somebody else is just writing. With empty, the log is empty then.
func (w *writer) settle(empty bool) (done bool, err error) {
	defer w.settleTries.Add(1)
	if w.stamps.claim == nil {
		return true, nil // there is no log
	}
	if err := w.stamps.check(); err != nil {
		return false, err
	}
	if !w.stamps.isSettled() {
		if moved, err := w.stampSettled(); err != nil || !moved {
			return false, err
		}
	}
	// Only the page of the stamp is left.
	last := sqlMoveLog
	if empty {
		last = sqlEmptyLog
	}
	if done, err = w.moveLog(last); done {
		w.stamps.settle()
	}
	return done, err
}

// stampSettled moves all to the file but the new stamp, which is in the log
// then. The file must not have that stamp before it has everything else, and
// SQLite writes its page first: so the stamp is a change of its own, in the same
// log. A reader of the log keeps SQLite from beginning another one with it.
func (w *writer) stampSettled() (bool, error) {
	if _, err := w.reader.exec(sqlSnapshot); err != nil {
		return false, err
	}
	defer w.reader.exec(sqlRollback)
	if _, err := w.reader.value(sqlTouch); err != nil {
		return false, err
	}
	before, err := w.conn.value(sqlDataVersion)
	if err != nil {
		return false, err
	}
	if moved, err := w.moveLog(sqlMoveLog); err != nil || !moved {
		return false, err
	}
	if _, err := w.conn.exec(sqlBegin); err != nil {
		return false, ignoreBusy(err)
	}
	after, err := w.conn.value(sqlDataVersion)
	if err == nil && after == before { // else somebody else has written
		if err = w.commitStamp(0); err == nil {
			return true, nil
		}
	}
	w.conn.exec(sqlRollback)
	return false, ignoreBusy(err)
}

// moveLog moves the write-ahead log to the file and reports whether that is
// all of it: readers may need what was there before.
func (w *writer) moveLog(how string) (bool, error) {
	result := make([]driver.Value, 3) // whether it was busy, pages in the log, pages moved
	err := w.conn.row(how, nil, result)
	return err == nil && result[0] == int64(0) && result[1] == result[2], ignoreBusy(err)
}

// ignoreBusy makes nothing of the error that somebody else uses the file.
func ignoreBusy(err error) error {
	if errors.Is(err, store.ErrBusy) {
		return nil
	}
	return err
}
