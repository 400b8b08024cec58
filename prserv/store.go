package prserv

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"prserver/xmlrpc"
)

// Table is the table of the no-history mode.
const Table = "PRMAIN_nohist"

// schema is the statement that makes [Table]. SQLite stores it as it is and
// dump_db answers it, so its odd white space is part of the wire.
//
// Source: lib/prserv/db.py:PRTable.__init__.
const schema = "CREATE TABLE IF NOT EXISTS " + Table + "                     " +
	"(version TEXT NOT NULL,                     " + // PF of a package, or "AUTOINC-" and a recipe
	"pkgarch TEXT NOT NULL,                      " + // PACKAGE_ARCH
	"checksum TEXT NOT NULL,                     " + // task hash, MD5 or SHA-256, or a source revision
	"value INTEGER,                     " + // the PR value
	"PRIMARY KEY (version, pkgarch, checksum));"

// lockTimeout is how long a call waits for somebody who has locked the file
// from outside. Source: lib/prserv/db.py:PRTable._execute.
const lockTimeout = 20 * time.Second

// Store is a database file of PR values. Its methods may be called by many
// goroutines.
type Store struct {
	write *sql.DB // a single connection, whose transactions lock at their start
	read  *sql.DB // connections that change nothing

	known, stillKnown, replace, stored *sql.Stmt // see getpr.go
}

// Open opens the database file, and makes it, its folders and its table where
// they do not exist.
func Open(ctx context.Context, file string) (*Store, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return nil, fmt.Errorf("making the folder of the database: %w", err)
	}
	s := &Store{}
	if err := s.open(ctx, file); err != nil {
		s.Close()
		return nil, fmt.Errorf("opening the database %s: %w", file, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, file string) error {
	var err error
	// The driver's own default in WAL mode is to sync at checkpoints only.
	s.write, err = sql.Open("sqlite3", dsn(file, "_txlock=immediate&_synchronous=FULL&_journal_mode=WAL"))
	if err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if _, err := s.write.ExecContext(ctx, schema); err != nil {
		return err
	}
	s.read, err = sql.Open("sqlite3", dsn(file, "_txlock=deferred&_query_only=1"))
	if err != nil {
		return err
	}
	s.read.SetMaxOpenConns(2 * runtime.NumCPU())
	s.read.SetMaxIdleConns(2 * runtime.NumCPU())
	return s.prepareGetPR(ctx)
}

func dsn(file, options string) string {
	u := url.URL{Scheme: "file", Path: file}
	return fmt.Sprintf("%s?_busy_timeout=%d&%s", u.String(), lockTimeout.Milliseconds(), options)
}

// Close closes the file. It may be called more than once.
func (s *Store) Close() error {
	var first error
	// The writer goes last: the connection that closes last cleans up the
	// write-ahead log, and only it is allowed to.
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			if err := db.Close(); err != nil && first == nil {
				first = fmt.Errorf("closing the database: %w", err)
			}
		}
	}
	return first
}

// change runs f in a transaction that is on disk when change returns nil, and
// leaves nothing behind when it returns an error.
func (s *Store) change(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

// binds turns a key, and the value that may follow it, into what SQLite can
// bind, as Python's sqlite3 module does.
func binds(args ...any) ([]any, error) {
	const valueIndex = 3
	out := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case nil, int64, string:
			out[i] = v
		case float64:
			out[i] = v
			if i < valueIndex && !math.IsNaN(v) { // the columns of a key are TEXT
				out[i] = formatReal(v, 15)
			}
		case bool:
			out[i] = int64(0)
			if v {
				out[i] = int64(1)
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
func loaded(column any) any {
	if b, ok := column.([]byte); ok {
		return xmlrpc.Blob(b)
	}
	return column
}
