package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"prserver/prserv/store"
)

// busyTimeout is how long SQLite waits for a lock before it says so.
const busyTimeout = 100 * time.Millisecond

// writer writes to the file. Its methods run on the goroutine of its batcher,
// within a transaction or while the batcher is idle.
type writer struct {
	*batcher
	conn   *conn
	file   string
	opened os.FileInfo // which file that name stood for
	tops   *topCache
	plain  bool // the table is as the reference makes it, and has no triggers

	lookedAt    int64         // taken when the writer last looked whether it was idle
	settledAt   int64         // taken when the write-ahead log was last moved to the file
	dataVersion store.Value   // PRAGMA data_version when the file was last looked at
	seen        map[group]top // by the transaction that is open
	settleTries atomic.Int64  // counts attempts to move the log; read by tests
}

const (
	sqlBegin       = "BEGIN IMMEDIATE"
	sqlCommit      = "COMMIT"
	sqlRollback    = "ROLLBACK"
	sqlDataVersion = "PRAGMA data_version"
	sqlCheckpoint  = "PRAGMA wal_checkpoint(TRUNCATE)"
	sqlSettle      = "PRAGMA wal_checkpoint(PASSIVE)" // waits for nobody
	// sqlLogPages is how many pages, of 4 KiB mostly, the write-ahead log may
	// have before a commit has to move them to the file. At SQLite's 1,000 one
	// call in a hundred waits for that under load.
	sqlLogPages = "PRAGMA wal_autocheckpoint = 16000"
	// sqlForeign counts what can make a statement do something else than it
	// says: a table of another definition, triggers, unique indexes.
	sqlForeign = `SELECT count(*) FROM sqlite_master WHERE tbl_name = '` + table + `' AND sql IS NOT NULL
		AND NOT (type = 'table' AND sql || ';' = replace('` + store.NohistSchema + `', 'IF NOT EXISTS ', ''))`
)

// startWriter opens the connection that writes, and its goroutine.
func startWriter(file, options string, tops *topCache) (*writer, error) {
	opened, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	c, err := openConn(dsn(file, busyTimeout, options),
		sqlStored, sqlKnown, sqlGreatest, sqlReplace, sqlNext, sqlInsertNew, sqlInsert, sqlRaise, sqlImported,
		sqlBegin, sqlCommit, sqlRollback, sqlDataVersion, sqlCheckpoint, sqlSettle, sqlLogPages, sqlForeign)
	if err != nil {
		return nil, err
	}
	foreign, err := c.value(sqlForeign)
	if err == nil {
		_, err = c.value(sqlLogPages)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	w := &writer{
		conn: c, file: file, opened: opened, tops: tops, plain: foreign == int64(0),
		seen: map[group]top{},
	}
	w.batcher = startBatcher(w.commit, w.idle)
	return w, nil
}

// close ends the goroutine, once the calls it has taken have their answers,
// and closes the connection. SQLite moves what is in the write-ahead log to
// the file only if nobody else has that open, and the file its name.
func (w *writer) close() error {
	w.batcher.close()
	w.conn.value(sqlCheckpoint) // where it fails, all is in the log still
	return w.conn.Close()
}

// commit carries out calls in one transaction, as [batcher.commit] says.
func (w *writer) commit(batch []*change) (failed bool, err error) {
	clear(w.seen)
	if err := w.execPatiently(sqlBegin); err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			w.conn.exec(sqlRollback) // fails if SQLite has done it already
		}
	}()
	if err := w.checkFile(); err != nil {
		return false, err
	}
	w.forgetIfChanged()
	for _, c := range batch {
		if c.result, c.err = c.do(); !changesNothing(c.err) {
			return true, c.err
		}
	}
	return false, w.tops.commit(w.seen, func() error { return w.execPatiently(sqlCommit) })
}

// execPatiently runs a statement that fails as long as somebody else has the
// file locked. SQLite itself would wait, but not stop when the store is closed.
func (w *writer) execPatiently(query string) error {
	for deadline := time.Now().Add(lockTimeout); ; {
		_, err := w.conn.exec(query)
		if !errors.Is(err, store.ErrBusy) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-w.closing:
			return err
		default:
		}
	}
}

// checkFile finds out whether what is written now will be there after a
// restart. SQLite, and with it the reference, goes on with a file that has
// lost its name.
func (w *writer) checkFile() error {
	named, err := os.Stat(w.file)
	if err == nil && os.SameFile(w.opened, named) {
		return nil
	}
	return fmt.Errorf("%w: %s has been removed or replaced while it is served; "+
		"put it back under its name", store.ReadOnly(), w.file)
}

// forgetIfChanged forgets what is remembered of the file if another connection
// has written to it.
func (w *writer) forgetIfChanged() {
	version, err := w.conn.value(sqlDataVersion)
	if err != nil || version != w.dataVersion {
		w.dataVersion = version
		w.tops.forget()
	}
}

// idle looks after the file while nothing is to be written.
func (w *writer) idle() {
	w.forgetIfChanged()
	taken := w.taken.Load()
	if taken == w.lookedAt && taken != w.settledAt {
		w.settle(taken)
	}
	w.lookedAt = taken
}

// settle moves the write-ahead log to the file: whoever copies or loses the
// log of an idle server has all values in the file. A second connection that
// moves it under load made nothing faster.
func (w *writer) settle(taken int64) {
	defer w.settleTries.Add(1)
	result := make([]driver.Value, 3) // whether it was busy, pages in the log, pages moved
	if err := w.conn.row(sqlSettle, nil, result); err != nil || result[1] != result[2] {
		return // all is in the log still, because a reader needs what was there before
	}
	w.settledAt = taken
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
