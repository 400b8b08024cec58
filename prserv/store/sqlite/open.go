package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-sqlite3" // is the driver "sqlite3" as well

	"prserver/prserv/dbfile"
	"prserver/xmlrpc"
)

// Table is the table of the no-history mode.
const Table = "PRMAIN_nohist"

// Schema is the statement that makes [Table]. SQLite stores it as it is and
// dump_db answers it, so its odd white space is part of the wire.
//
// Source: lib/prserv/db.py:PRTable.__init__.
const Schema = "CREATE TABLE IF NOT EXISTS " + Table + "                     " +
	"(version TEXT NOT NULL,                     " + // PF of a package, or "AUTOINC-" and a recipe
	"pkgarch TEXT NOT NULL,                      " + // PACKAGE_ARCH
	"checksum TEXT NOT NULL,                     " + // task hash, MD5 or SHA-256, or a source revision
	"value INTEGER,                     " + // the PR value
	"PRIMARY KEY (version, pkgarch, checksum));"

const (
	// lockTimeout is how long a call waits for somebody who has locked the
	// file from outside. Source: lib/prserv/db.py:PRTable._execute.
	lockTimeout = 20 * time.Second
	// openTimeout is how long opening waits, so that whoever starts a server
	// on a file that a Python server keeps locked hears of it.
	openTimeout = 2 * time.Second
	// maxReaders bounds the connections for getPR, and again those for export
	// and dump_db.
	maxReaders = 16
)

// Store is a database file of PR values. Its methods may be called by many
// goroutines.
type Store struct {
	// IsNew tells that Open has made the file.
	IsNew bool
	// NetworkFS names the network file system that the file is on, if any.
	NetworkFS string
	// HasNewer tells that the file has values of BitBake 2.10 and later as well.
	HasNewer bool
	// Journal is SQLite's journal mode of a file that is written: "wal", or
	// "delete" where that cannot be had.
	Journal string

	claim    *dbfile.Claimed
	writer   *writer    // nil if the store is read-only
	readers  chan *conn // connections for getPR that change nothing
	greatest *greatest
	read     *sql.DB // connections for export and dump_db

	closeOnce sync.Once
	closeErr  error
}

// Open opens the database file, and makes it, its folders and its table where
// they do not exist. Read-only, it makes nothing. The error is a
// [*dbfile.LockedError] where another program writes the file.
func Open(ctx context.Context, file string, readOnly bool) (*Store, error) {
	return openOn(ctx, file, readOnly, dbfile.NetworkFS)
}

// openOn is Open, with what is to be believed of file systems.
func openOn(ctx context.Context, file string, readOnly bool, networkFS func(dir string) string) (*Store, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	s := &Store{greatest: newGreatest()}
	if readOnly {
		s.NetworkFS = networkFS(filepath.Dir(file))
		err = s.openReadOnly(file)
	} else {
		err = s.openToWrite(ctx, file, networkFS)
	}
	if err != nil {
		s.claim.Unmake(err)
		s.Close()
		var locked *dbfile.LockedError
		if errors.As(err, &locked) {
			return nil, err
		}
		if isNoDatabase(err) {
			err = fmt.Errorf("%w; name another, or restore it from a backup", err)
		}
		return nil, fmt.Errorf("opening the database %s: %w", file, err)
	}
	return s, nil
}

func (s *Store) openReadOnly(file string) error {
	if err := dbfile.CheckReadable(file); err != nil {
		return err
	}
	return s.openReaders(file, "&mode=ro")
}

func (s *Store) openToWrite(ctx context.Context, file string, networkFS func(folder string) string) (err error) {
	if s.claim, err = dbfile.Claim(file, dbfile.Options{Make: true, NetworkFS: networkFS}); err != nil {
		return err
	}
	s.IsNew, s.NetworkFS = s.claim.Empty, s.claim.NetworkFS
	if !s.IsNew {
		if s.HasNewer, err = checkTables(file); isLocked(err) {
			return dbfile.InUse(file)
		} else if err != nil {
			return err
		}
	}
	options := writeWAL
	if s.NetworkFS != "" {
		options = writeRollback
	}
	if s.Journal, err = makeTable(ctx, file, options); err != nil {
		if isLocked(err) {
			return dbfile.InUse(file)
		}
		return err
	}
	s.claim.SyncNames()
	if s.writer, err = startWriter(file, options, s.greatest); err != nil {
		return err
	}
	return s.openReaders(file, "&mode=rw")
}

const (
	// writeWAL opens a connection that writes. The driver's own default in WAL
	// mode is to sync at checkpoints only. New rows go to pages all over the
	// index, of which 8 MiB are kept.
	writeWAL = "_txlock=immediate&_synchronous=FULL&_journal_mode=WAL&_cache_size=-8192"
	// writeRollback opens one where processes cannot share memory, which WAL
	// needs. EXTRA syncs the folder as well, once the journal is removed: with
	// a journal that comes back, a commit would be undone.
	writeRollback = "_txlock=immediate&_synchronous=EXTRA&_journal_mode=DELETE"
)

// NewerTable is the table of BitBake 2.10 and later.
const NewerTable = "PRMAIN"

// checkTables finds out whether the table, if there is one, is one of PR
// values, before anything in the file is changed, and whether the file has
// values of BitBake 2.10 and later. With those alone, all numbers would begin
// at 0 again.
func checkTables(file string) (hasNewer bool, err error) {
	c, err := openConn(dsn(file, openTimeout, "mode=rw"))
	if err != nil {
		return false, err
	}
	defer c.Close()
	has := func(query string) (bool, error) {
		stmt, err := c.Prepare(query)
		if err != nil {
			return false, err
		}
		c.statements[query] = stmt
		n, err := c.value(query, nil)
		return n == int64(1), err
	}
	hasTable, err := has(`SELECT count(*) FROM sqlite_master WHERE name = '` + Table + `'`)
	if err != nil {
		return false, err
	}
	hasRows := false
	if hasTable {
		stmt, err := c.Prepare(sqlStored)
		if err != nil {
			return false, fmt.Errorf("its table "+Table+" is not that of a PR server: %w", err)
		}
		stmt.Close()
		if hasRows, err = has("SELECT EXISTS (SELECT 1 FROM " + Table + ")"); err != nil {
			return false, err
		}
	}
	hasNewer, err = has(`SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '` + NewerTable + `'`)
	if err == nil && hasNewer {
		hasNewer, err = has("SELECT EXISTS (SELECT 1 FROM " + NewerTable + ")")
	}
	if err == nil && hasNewer && !hasRows {
		err = fmt.Errorf("it has values of BitBake 2.10 and later only (table %s), without which all numbers would begin at 0 again; "+
			"make a file of them for this server: prserv-tool copy %s NEW.sqlite3 --generation 1", NewerTable, file)
	}
	return hasNewer, err
}

// makeTable makes the table, and finds out whether the file can be written. It
// returns the journal mode that the file is in.
func makeTable(ctx context.Context, file, options string) (journal string, err error) {
	db, err := sql.Open("sqlite3", dsn(file, openTimeout, options))
	if err != nil {
		return "", err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, Schema); err != nil {
		return "", err
	}
	if err := tx.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return "", err
	}
	return journal, tx.Commit()
}

func (s *Store) openReaders(file, options string) error {
	name := dsn(file, lockTimeout, "_txlock=deferred&_query_only=1"+options)
	n := min(2*runtime.NumCPU(), maxReaders)
	s.readers = make(chan *conn, n)
	for range n {
		c, err := openConn(name, sqlStored, sqlKnown, sqlGreatest, sqlNext)
		if err != nil {
			return err
		}
		s.readers <- c
	}
	var err error
	s.read, err = sql.Open("sqlite3", name)
	if err != nil {
		return err
	}
	s.read.SetMaxOpenConns(n)
	s.read.SetMaxIdleConns(n)
	// All are opened now, and stay open: once the file has been moved, another
	// one would find a new file, or none, and take the write-ahead log for its.
	opened := make([]*sql.Conn, n)
	for i := range opened {
		if opened[i], err = s.read.Conn(context.Background()); err != nil {
			return err
		}
		defer opened[i].Close() // back to the pool
		// SQLite opens the file when it is first read.
		if _, err := opened[i].ExecContext(context.Background(), "SELECT count(*) FROM sqlite_master"); err != nil {
			return err
		}
	}
	return nil
}

// reader returns a connection to read with, which has to be given back.
func (s *Store) reader(ctx context.Context) (*conn, error) {
	select {
	case c, ok := <-s.readers:
		if !ok {
			return nil, errClosed
		}
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Store) giveBack(c *conn) { s.readers <- c }

func dsn(file string, timeout time.Duration, options string) string {
	u := url.URL{Scheme: "file", Path: file}
	return fmt.Sprintf("%s?_busy_timeout=%d&%s", u.String(), timeout.Milliseconds(), options)
}

// Close closes the file, once the calls that are under way have their answers.
// It may be called more than once, but not beside them.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		var errs []error
		if s.readers != nil {
			for len(s.readers) > 0 {
				errs = append(errs, (<-s.readers).Close())
			}
			close(s.readers)
		}
		if s.read != nil {
			errs = append(errs, s.read.Close())
		}
		// The writer goes last: the connection that closes last cleans up the
		// write-ahead log, and only it is allowed to.
		if s.writer != nil {
			errs = append(errs, s.writer.close())
		}
		s.claim.Release()
		if err := errors.Join(errs...); err != nil {
			s.closeErr = fmt.Errorf("closing the database: %w", err)
		}
	})
	return s.closeErr
}

// errReadOnly is what a change of a read-only store fails with: SQLite's own
// error, so that clients hear what any SQLite program would tell them.
var errReadOnly = sqlite3.Error{Code: sqlite3.ErrReadonly}

// binds turns a key, and the value that may follow it, into what SQLite can
// bind, as Python's sqlite3 module does.
//
// The columns of a key are TEXT, so the parts of a key are texts here already.
func binds(args ...any) ([]driver.Value, error) {
	const valueIndex = 3
	out := make([]driver.Value, len(args))
	for i, arg := range args {
		if b, ok := arg.(bool); ok {
			arg = int64(0)
			if b {
				arg = int64(1)
			}
		}
		isKey := i < valueIndex
		switch v := arg.(type) {
		case nil, string:
			out[i] = v
		case int64:
			out[i] = v
			if isKey {
				out[i] = strconv.FormatInt(v, 10)
			}
		case float64:
			switch {
			case math.IsNaN(v): // SQLite has no such number
			case isKey:
				out[i] = formatReal(v, 15)
			default:
				out[i] = v
			}
		case *big.Int:
			return nil, ErrIntegerRange
		default:
			return nil, &BindError{Index: i}
		}
	}
	return out, nil
}

// loaded turns a column that was read into a value of a reply.
func loaded(column any) (any, error) {
	switch v := column.(type) {
	case []byte:
		return xmlrpc.Blob(v), nil
	case string:
		if !utf8.ValidString(v) {
			return nil, ErrUndecodable
		}
	}
	return column, nil
}
