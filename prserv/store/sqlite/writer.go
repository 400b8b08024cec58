package sqlite

import (
	"database/sql/driver"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"prserver/prserv/dbfile"
	"prserver/prserv/store"
	"prserver/prserv/store/batch"
)

// busyTimeout is how long SQLite waits for a lock before it says so.
const busyTimeout = 100 * time.Millisecond

// A call of the batcher is a function that runs in a transaction. An error of
// it undoes that, unless [batch.ChangesNothing] says otherwise.
type (
	batcher = batch.Batcher[func() (store.Value, error), store.Value]
	call    = batch.Call[func() (store.Value, error), store.Value]
)

// writer writes to the file. Its methods run on the goroutine of its batcher,
// within a transaction or while the batcher is idle.
type writer struct {
	batch  *batcher
	conn   *conn
	reader *conn // keeps SQLite from beginning the log anew
	file   string
	opened os.FileInfo // which file that name stood for
	tops   *topCache
	plain  bool // the table is as the reference makes it, and has no triggers
	has    tables

	stamps *stamps
	marked bool     // the log has a stamp of its own
	log    *os.File // the write-ahead log; nil until it is looked into
	salts  [8]byte  // what was last found there

	late        func(came time.Time) bool // isLate, but for tests
	lengthCheck int                       // the constants of these names, or less in tests
	maxLog      int64                     // the same
	changed     int                       // how many calls have come since the length of the log was asked for
	lookedAt    int64                     // taken when the writer last looked whether it was idle
	settledAt   int64                     // taken when the write-ahead log was last moved to the file
	outside     bool                      // somebody else has written since
	dataVersion store.Value               // PRAGMA data_version when the file was last looked at

	ready    readiness
	observer store.Observer // nil if there is none
	asker    store.Asker    // of the call that is being carried out
	changes  []store.Change // by the transaction that is open, for the observer
	syncTime time.Duration  // of its commit

	seen        map[group]top // by the transaction that is open
	known       *atomic.Int32 // what the readers know of has
	settleTries atomic.Int64  // counts attempts to move the log; read by tests
}

const (
	sqlBegin       = "BEGIN IMMEDIATE"
	sqlCommit      = "COMMIT"
	sqlRollback    = "ROLLBACK"
	sqlDataVersion = "PRAGMA data_version"
	// sqlMoveLog moves what it can of the log to the file, and waits for nobody.
	sqlMoveLog = "PRAGMA wal_checkpoint(PASSIVE)"
	// sqlEmptyLog moves it and makes its file empty, unless somebody reads it.
	sqlEmptyLog = "PRAGMA wal_checkpoint(TRUNCATE)"
	// sqlLogLength tells how many pages the log has.
	sqlLogLength = "PRAGMA wal_checkpoint(NOOP)"
	// sqlNoAutoMove leaves it to the writer when the log is moved.
	sqlNoAutoMove = "PRAGMA wal_autocheckpoint = 0"
	// sqlOneFile makes one file of the database and its log, which every SQLite
	// program can use.
	sqlOneFile = "PRAGMA journal_mode = DELETE"
	// sqlForeign counts triggers, indexes and other definitions of the table, which
	// can change what our statements do.
	sqlForeign = `SELECT count(*) FROM sqlite_master WHERE tbl_name = '` + table + `' AND sql IS NOT NULL
		AND NOT (type = 'table' AND sql || ';' = replace('` + store.NohistSchema + `', 'IF NOT EXISTS ', ''))`
)

const (
	// maxLog is how many pages, of 4 KiB mostly, the write-ahead log may have
	// before a commit has to move them to the file. At SQLite's 1,000 one call in
	// a hundred waits for that under load.
	maxLog = 16000
	// lengthCheck is how many calls there are between two looks at its length.
	lengthCheck = 500
)

// startWriter opens the connection that writes, and its goroutine. The claim is
// nil where there is no write-ahead log.
func startWriter(file, options string, claim *dbfile.Claimed, tops *topCache, known *atomic.Int32) (w *writer, err error) {
	opened, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	w = &writer{file: file, opened: opened, tops: tops, stamps: &stamps{claim: claim},
		late: isLate, lengthCheck: lengthCheck, maxLog: maxLog, seen: map[group]top{}, known: known, has: tables(known.Load())}
	defer func() {
		if err != nil {
			w.closeConns()
			w = nil
		}
	}()
	w.conn, err = openConn(dsn(file, busyTimeout, options),
		sqlStored, sqlKnown, sqlGreatest, sqlReplace, sqlNext, sqlInsertNew, sqlInsert, sqlRaise, sqlImported,
		sqlBegin, sqlCommit, sqlRollback, sqlDataVersion, sqlMoveLog, sqlEmptyLog, sqlLogLength, sqlNoAutoMove, sqlStamp, sqlForeign)
	if err != nil {
		return w, err
	}
	w.reader, err = openConn(dsn(file, busyTimeout, "_txlock=deferred&_query_only=1&mode=rw"), sqlSnapshot, sqlRollback, sqlTouch)
	if err != nil {
		return w, err
	}
	_, err = w.conn.value(sqlNoAutoMove)
	if err == nil {
		err = w.readStamp()
	}
	if err == nil {
		_, err = w.settle(true) // what a server that was killed has left
	}
	if err != nil {
		return w, err
	}
	if err := w.forgetIfChanged(); err != nil {
		return w, err
	}
	w.outside = false
	w.batch = batch.Start(w.commit, w.idle)
	return w, nil
}

// close ends the goroutine, once the calls it has taken have their answers,
// and closes the connections. It leaves one file, in a mode that every server of
// BitBake can use, unless somebody else has it open. A file that somebody has
// overwritten is not touched any more.
func (w *writer) close() error {
	w.batch.Close()
	if err := w.stamps.check(); err != nil {
		return err // to close the connections would move the log to that file
	}
	done, err := w.settle(true)
	if errClose := w.reader.Close(); err == nil {
		err = errClose
	}
	w.reader = nil
	if done && w.checkFile() == nil && w.stamps.claim != nil {
		w.conn.Exec(sqlOneFile, nil) // fails where somebody has it open; the log is empty then
	}
	return errors.Join(err, w.closeConns())
}

func (w *writer) closeConns() error {
	var errs []error
	for _, c := range []*conn{w.reader, w.conn} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	if w.log != nil {
		w.log.Close()
	}
	w.ready.close()
	return errors.Join(errs...)
}

// commit carries out calls in one transaction, as [batch.Start] says.
func (w *writer) commit(calls []*call) (failed bool, err error) {
	w.beginChanges()
	defer func() { w.tellObserver(len(calls), err) }()
	clear(w.seen)
	if calls, err = w.begin(calls); err != nil {
		return false, err
	}
	had := w.has
	defer func() {
		if err != nil {
			w.conn.exec(sqlRollback) // fails if SQLite has done it already
			w.has = had
		}
	}()
	if err := w.checkFile(); err != nil {
		return false, err
	}
	if err := w.forgetIfChanged(); err != nil {
		return false, err
	}
	had = w.has
	for _, c := range calls {
		w.asker = c.Asker
		if c.Err = c.Ended(); c.Err == nil {
			c.Answer, c.Err = c.Ask()
		}
		if !batch.ChangesNothing(c.Err) {
			return true, c.Err
		}
	}
	err = w.tops.commit(w.seen, func() error {
		err := w.timed(w.commitMarked)()
		if err == nil {
			// Before anybody learns again: see [Store.learn].
			w.known.Store(int32(w.has))
		}
		return err
	})
	if err != nil {
		return false, err
	}
	w.limitLog(len(calls))
	return false, nil
}

// limitLog moves the write-ahead log to the file when it is long.
func (w *writer) limitLog(calls int) {
	if w.changed += calls; w.changed < w.lengthCheck {
		return
	}
	w.changed = 0
	length := make([]driver.Value, 3) // whether it was busy, pages in the log, pages moved
	if err := w.conn.row(sqlLogLength, nil, length); err == nil {
		if pages, _ := length[1].(int64); pages >= w.maxLog {
			w.settle(false) // where it fails, all is in the log still
		}
	}
}

// begin begins a transaction for calls, and returns those that are left: while
// somebody else has the file locked, each fails when it has waited long enough,
// also for the calls before it.
func (w *writer) begin(calls []*call) ([]*call, error) {
	err := w.execWhile(sqlBegin, func(busy error) bool {
		var left []*call
		for _, c := range calls {
			if w.late(c.Came) {
				c.Fail(busy)
			} else {
				left = append(left, c)
			}
		}
		calls = left
		return len(left) > 0
	})
	return calls, err
}

// execPatiently runs a statement that fails as long as somebody else has the
// file locked.
func (w *writer) execPatiently(query string) error {
	deadline := time.Now().Add(lockTimeout)
	return w.execWhile(query, func(error) bool { return time.Now().Before(deadline) })
}

// execWhile runs a statement again while somebody else has the file locked and it
// is wanted. SQLite itself would wait, but not stop when the store is closed.
func (w *writer) execWhile(query string, wanted func(busy error) bool) error {
	for {
		_, err := w.conn.exec(query)
		if !errors.Is(err, store.ErrBusy) {
			return err
		}
		select {
		case <-w.batch.Closing():
			return err
		default:
		}
		if !wanted(err) {
			return err
		}
	}
}

// isLate tells whether a call has waited for as long as one may.
func isLate(came time.Time) bool { return time.Since(came) >= lockTimeout }

// checkFile finds out whether what is written now will be there after a
// restart. SQLite, and with it the reference, goes on with a file that has
// lost its name.
func (w *writer) checkFile() error {
	named, err := os.Stat(w.file)
	if err == nil && os.SameFile(w.opened, named) {
		return w.stamps.check()
	}
	return &store.Error{Reason: store.ErrReplaced, Text: w.file + " has been removed or replaced while it is served, so no new value is given out; " +
		"put it back under its name, or save what it has with prserv-tool copy HOST:PORT rescue.sql"}
}

// forgetIfChanged forgets what is remembered of the file, and looks again what
// it is like, if another connection has written to it.
func (w *writer) forgetIfChanged() error {
	version, err := w.conn.value(sqlDataVersion)
	if err == nil && version == w.dataVersion {
		return nil
	}
	w.outside = w.dataVersion != nil
	w.dataVersion = version
	foreign, err := w.conn.value(sqlForeign)
	w.plain = err == nil && foreign == int64(0)
	if err := w.lookForTables(); err != nil {
		w.dataVersion = nil // to look again
		return err
	}
	w.tops.forget()
	return nil
}

// lookForTables finds out which tables the file has.
func (w *writer) lookForTables() error {
	main, err := w.conn.hasMain()
	if err != nil {
		return err
	}
	switch {
	case !main:
		w.has = oneTable
	case w.has == oneTable:
		if w.has, err = w.conn.compareTables(); err != nil {
			w.has = oneTable // to compare again
			return err
		}
	}
	w.known.Store(int32(w.has))
	return nil
}

// idle looks after the file while nothing is to be written.
func (w *writer) idle() {
	w.forgetIfChanged()
	taken := w.batch.Taken()
	if taken == w.lookedAt && (taken != w.settledAt || w.outside) {
		if done, err := w.settle(true); err == nil && done { // else all is in the log still
			w.settledAt, w.outside = taken, false
		}
	}
	w.lookedAt = taken
}
