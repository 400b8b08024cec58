package history

import (
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/mattn/go-sqlite3"

	"prserver/prserv/dbfile"
	"prserver/prserv/store/sqlite/query"
)

// file is a history that is open to be written. It is the driver's own
// connection: with database/sql between, an event costs five times as much.
type file struct {
	path   string      // without symbolic links
	opened os.FileInfo // which file that name stood for
	lock   *os.File    // keeps other servers away; nil on a network file system
	conn   *sqlite3.SQLiteConn

	// many inserts manyRows events, and one inserts one.
	many, one driver.Stmt
	args      []driver.NamedValue
}

const (
	sqlInsert = `INSERT INTO history (time, client, generation, method, version, pkgarch, checksum, value, before) VALUES `
	sqlRow    = `(?, ?, ?, ?, ?, ?, ?, ?, ?)`
	columns   = 9
	// manyRows is how many events one statement inserts.
	manyRows = 64
	// sqlBound forgets the oldest events. The pages are used again.
	sqlBound = `DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?`
	// sqlPages makes pages of a new file so large that the log has few. The log
	// is moved to the file at 8 MiB, and gets that size again when somebody who
	// has read for long is done.
	sqlPages = `PRAGMA page_size = 16384; PRAGMA wal_autocheckpoint = 512; PRAGMA journal_size_limit = 8388608`
	// sqlOneFile makes one file of the history and its log.
	sqlOneFile = `PRAGMA journal_mode = DELETE`
	sqlWAL     = `PRAGMA journal_mode = WAL`
	// sqlEmptyLog moves the log to the file.
	sqlEmptyLog = `PRAGMA wal_checkpoint(TRUNCATE)`
)

// openToWrite opens a history, and makes it where there is none. The error is
// [ErrNone] for a file that is something else, and [dbfile.ErrTaken] where
// another server writes it.
func openToWrite(name string) (_ *file, err error) {
	f := &file{}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.path, err = dbfile.Resolve(name); err != nil {
		return nil, dbfile.Reason(err)
	}
	isNew, err := checkToWrite(f.path)
	if err != nil {
		return nil, dbfile.Reason(err)
	}
	network := dbfile.NetworkFS(filepath.Dir(f.path)) != ""
	if !network {
		if f.lock, err = dbfile.OpenAlone(f.path); err != nil {
			return nil, dbfile.Reason(err)
		}
	}
	if err := f.connect(network); err != nil {
		return nil, err
	}
	if f.opened, err = os.Stat(f.path); err != nil {
		return nil, dbfile.Reason(err)
	}
	if isNew {
		syncFolder(filepath.Dir(f.path))
	}
	return f, nil
}

// checkToWrite finds out whether a file is a history, or is yet to be made. What
// is none is not even locked.
func checkToWrite(path string) (isNew bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		// What is left of one that was removed is not of the next one.
		for _, companion := range []string{"-wal", "-shm", "-journal"} {
			os.Remove(path + companion)
		}
		return true, nil
	case err != nil:
		return false, err
	case !info.Mode().IsRegular():
		return false, errors.New("it is no file")
	case info.Size() == 0:
		return true, nil
	}
	db, err := openToRead(path, true)
	if errors.Is(query.Error(err), query.ErrHalfWritten) {
		db, err = openToRepair(path)
	}
	if err != nil {
		return false, query.Error(err)
	}
	return false, db.Close()
}

// connect opens the connection and prepares its statements.
func (f *file) connect(network bool) error {
	raw, err := (&sqlite3.SQLiteDriver{}).Open(dsn(f.path, "_synchronous=FULL&_txlock=immediate&mode=rwc"))
	if err != nil {
		return query.Error(err)
	}
	f.conn = raw.(*sqlite3.SQLiteConn)
	journal := sqlWAL
	if network { // processes there cannot share the memory that WAL needs
		journal = sqlOneFile
	}
	for _, statement := range []string{sqlPages, journal, schema} {
		if err := f.exec(statement); err != nil {
			return err
		}
	}
	if f.many, err = f.conn.Prepare(sqlInsert + sqlRow + strings.Repeat(", "+sqlRow, manyRows-1)); err == nil {
		f.one, err = f.conn.Prepare(sqlInsert + sqlRow)
	}
	return query.Error(err)
}

func (f *file) exec(statement string, args ...driver.Value) error {
	_, err := query.Exec(context.Background(), f.conn, statement, args...)
	return err
}

// syncFolder makes the name of a new file outlast a power cut.
func syncFolder(folder string) {
	if f, err := os.Open(folder); err == nil {
		f.Sync()
		f.Close()
	}
}

// isThere tells whether the file still has its name.
func (f *file) isThere() bool {
	named, err := os.Stat(f.path)
	return err == nil && os.SameFile(f.opened, named)
}

// write adds events, and forgets the oldest of more than keep, in a transaction.
func (f *file) write(events []event, keep int) (err error) {
	if err := f.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.exec("ROLLBACK") // fails if SQLite has done it already
		}
	}()
	for len(events) > 0 {
		statement, n := f.one, 1
		if len(events) >= manyRows {
			statement, n = f.many, manyRows
		}
		if err := f.insert(statement, events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	if err := f.exec(sqlBound, int64(keep)); err != nil {
		return err
	}
	return f.exec("COMMIT")
}

func (f *file) insert(statement driver.Stmt, events []event) error {
	f.args = f.args[:0]
	for i := range events {
		change := &events[i].change
		for _, v := range [columns]driver.Value{
			events[i].at, clientOf(change.Asker), int64(change.Asker.Generation), change.Asker.Method,
			change.Key.Version, change.Key.Pkgarch, change.Key.Checksum, columnOf(change.Value), columnOf(change.Before),
		} {
			f.args = append(f.args, driver.NamedValue{Ordinal: len(f.args) + 1, Value: v})
		}
	}
	_, err := statement.(driver.StmtExecContext).ExecContext(context.Background(), f.args)
	return query.Error(err)
}

// close closes the file. One file stays, which can be read without leaving
// anything beside it, unless somebody is just reading.
func (f *file) close() error {
	var errs []error
	for _, statement := range []driver.Stmt{f.many, f.one} {
		if statement != nil {
			errs = append(errs, statement.Close())
		}
	}
	if f.conn != nil {
		switch {
		case f.opened == nil:
		case f.isThere():
			f.exec(sqlOneFile)
		default: // one that was moved is to have what is in the log, which stays
			f.exec(sqlEmptyLog)
		}
		errs = append(errs, f.conn.Close())
	}
	if f.lock != nil {
		errs = append(errs, f.lock.Close()) // not before SQLite is done with the file
	}
	return query.Error(errors.Join(errs...))
}
