package place

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net/url"

	"github.com/mattn/go-sqlite3"

	"prserver/prserv/dbfile"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite/query"
)

const (
	// cacheKiB is how much of each database is held in memory, and how much is
	// sorted at a time.
	cacheKiB = 8 << 10
	// lockMillis is how long to wait for another program's lock.
	lockMillis = 2000
)

// scratch is the database that work is done in. It has no name, and SQLite
// writes to disk what does not fit into memory. Database files are attached to
// it. One goroutine at a time may use it.
type scratch struct {
	conn   *sqlite3.SQLiteConn
	frozen []*query.Rows   // while they are open, their file does not change for us
	still  []*dbfile.Still // what is read without SQLite's locks
}

func openScratch(ctx context.Context) (*scratch, error) {
	fail := func(err error) (*scratch, error) { return nil, fmt.Errorf("opening a database to work in: %w", err) }
	raw, err := (&sqlite3.SQLiteDriver{}).Open(fmt.Sprintf("file:?_busy_timeout=%d&_cache_size=-%d", lockMillis, cacheKiB))
	if err != nil {
		return fail(err)
	}
	conn, ok := raw.(*sqlite3.SQLiteConn)
	if !ok {
		return fail(fmt.Errorf("%T is no connection to SQLite", raw))
	}
	s := &scratch{conn: conn}
	err = conn.RegisterCollation("revision", compareRevisions)
	if err == nil {
		_, err = s.exec(ctx, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
	}
	if err != nil {
		conn.Close()
		return fail(err)
	}
	return s, nil
}

// compareRevisions compares the texts of two values by their numbers. What is
// no value is less than any.
func compareRevisions(a, b string) int {
	ra, _ := store.ParseRevision(a)
	rb, _ := store.ParseRevision(b)
	return ra.Compare(rb)
}

func (s *scratch) close() {
	s.unfreeze()
	s.conn.Close() // nothing in it is to be kept
}

// freeze lets an attached file stay as it is now for us, whatever a server
// writes meanwhile.
func (s *scratch) freeze(ctx context.Context, schema string) error {
	rows, err := s.open(ctx, "SELECT 1 FROM "+schema+".sqlite_master UNION ALL SELECT 1") // one row at least
	if err == nil {
		s.frozen = append(s.frozen, rows)
	}
	return err
}

// settle returns an error if a file that is read without locks has been changed
// meanwhile. It is asked before what was read is stored, or was all there is to
// print.
func (s *scratch) settle() error {
	for _, still := range s.still {
		if err := still.Check(); err != nil {
			return fmt.Errorf("reading %s: %w", still.File, err)
		}
	}
	return nil
}

// unfreeze undoes freeze. Before, no file can be detached.
func (s *scratch) unfreeze() {
	for _, rows := range s.frozen {
		rows.Close()
	}
	s.frozen = nil
}

// attach makes a database file known under a name. Options are those of
// SQLite's URIs.
func (s *scratch) attach(ctx context.Context, file, name, options string) error {
	uri := url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: options}
	if _, err := s.exec(ctx, "ATTACH ? AS "+name, uri.String()); err != nil {
		return err
	}
	_, err := s.exec(ctx, fmt.Sprintf("PRAGMA %s.cache_size = -%d", name, cacheKiB))
	return err
}

// openOnce opens a database file and closes it, which finds out whether it can
// be read. It does so in a scratch database of its own, because a file that
// has failed stays attached as long as another one is being read.
func openOnce(ctx context.Context, file, options string) error {
	s, err := openScratch(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.attach(ctx, file, "tried", options); err != nil {
		return err
	}
	_, err = s.number(ctx, "SELECT count(*) FROM tried.sqlite_master")
	return err
}

// function makes a function of Go known to SQL. The same arguments must have
// the same result.
func (s *scratch) function(name string, f any) error {
	if err := s.conn.RegisterFunc(name, f, true); err != nil {
		return fmt.Errorf("making the function %s: %w", name, err)
	}
	return nil
}

// exec runs statements and returns how many rows the last one has changed.
func (s *scratch) exec(ctx context.Context, statements string, args ...driver.Value) (int64, error) {
	return query.Exec(ctx, s.conn, statements, args...)
}

// open begins a query whose rows are read one by one.
func (s *scratch) open(ctx context.Context, text string, args ...driver.Value) (*query.Rows, error) {
	return query.Open(ctx, s.conn, text, args...)
}

// walk calls each with every row of a query. The row is valid until each
// returns.
func (s *scratch) walk(ctx context.Context, text string, args []driver.Value, each func(row []driver.Value) error) error {
	return query.Walk(ctx, s.conn, text, args, each)
}

// number returns the first column of a query's only row, or 0.
func (s *scratch) number(ctx context.Context, text string, args ...driver.Value) (int64, error) {
	return query.Number(ctx, s.conn, text, args...)
}
