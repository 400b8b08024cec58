package place

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"prserver/prserv/client"
	"prserver/prserv/dbfile"

	"github.com/mattn/go-sqlite3"
)

const (
	// cacheKiB is how much of each database is held in memory, and how much is
	// sorted at a time.
	cacheKiB = 8 << 10
	// lockMillis is how long a lock of somebody else is waited for.
	lockMillis = 2000
	// tellEvery is how many rows there are between two tellings of progress.
	tellEvery = 1000
)

// base is the database that work is done in: one without a name, which SQLite
// keeps on disk as far as it is large. Database files are attached to it. One
// goroutine at a time may use it.
type base struct {
	conn *sqlite3.SQLiteConn
	held []*rows // as long as they are open, a file stays as it was for us
}

func openBase(ctx context.Context) (*base, error) {
	raw, err := (&sqlite3.SQLiteDriver{}).Open(fmt.Sprintf("file:?_busy_timeout=%d&_cache_size=-%d", lockMillis, cacheKiB))
	if err != nil {
		return nil, fmt.Errorf("opening a database to work in: %w", err)
	}
	conn, ok := raw.(*sqlite3.SQLiteConn)
	if !ok {
		return nil, fmt.Errorf("%T is no connection to SQLite", raw)
	}
	b := &base{conn: conn}
	err = errors.Join(conn.RegisterCollation("revision", compareValues), conn.RegisterFunc("is_variable", isVariable, true),
		conn.RegisterFunc("is_xml_text", client.IsXMLText, true))
	if err == nil {
		_, err = b.exec(ctx, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("opening a database to work in: %w", err)
	}
	return b, nil
}

func (b *base) close() {
	b.letGo()
	b.conn.Close() // nothing in it is to be kept
}

// hold keeps what is read of an attached file as it is now, whatever a server
// writes meanwhile.
func (b *base) hold(ctx context.Context, schema string) error {
	r, err := b.open(ctx, "SELECT 1 FROM "+schema+".sqlite_master UNION ALL SELECT 1") // one row at least
	if err == nil {
		b.held = append(b.held, r)
	}
	return err
}

// letGo ends what hold has begun. No file can be detached before.
func (b *base) letGo() {
	for _, r := range b.held {
		r.Close()
	}
	b.held = nil
}

// attach makes a database file known under a name. Options are those of
// SQLite's URIs.
func (b *base) attach(ctx context.Context, file, name, options string) error {
	uri := url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: options}
	if _, err := b.exec(ctx, "ATTACH ? AS "+name, uri.String()); err != nil {
		return err
	}
	_, err := b.exec(ctx, fmt.Sprintf("PRAGMA %s.cache_size = -%d", name, cacheKiB))
	return err
}

// attachToRead attaches a database file that is only read. What a program that
// was killed has left half written in it is taken back first, as SQLite does
// for everybody who may write the file.
func (b *base) attachToRead(ctx context.Context, file, name string) error {
	if dbfile.IsFrozen(file) {
		return b.attach(ctx, file, name, "mode=ro&immutable=1")
	}
	err := look(ctx, file, "mode=ro")
	if isHalfWritten(err) {
		err = look(ctx, file, "mode=rw")
	}
	if err != nil {
		return err
	}
	return b.attach(ctx, file, name, "mode=ro")
}

// look reads a little of a database file. It has a base of its own, because a
// file that it has failed on stays attached as long as another one is read.
func look(ctx context.Context, file, options string) error {
	b, err := openBase(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.attach(ctx, file, "looked", options); err != nil {
		return err
	}
	_, err = b.number(ctx, "SELECT count(*) FROM looked.sqlite_master")
	return err
}

// isHalfWritten tells of a file whose last change has to be taken back by
// somebody who may write it.
func isHalfWritten(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrReadonlyRollback
}

// exec runs statements and returns how many rows the last one has changed.
func (b *base) exec(ctx context.Context, query string, args ...driver.Value) (int64, error) {
	// What has not begun yet, the driver does not interrupt.
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	result, err := b.conn.ExecContext(ctx, query, named(args))
	if err != nil {
		return 0, ended(ctx, err)
	}
	return result.RowsAffected()
}

// ended returns why something has failed. Where its context had ended, SQLite
// says "interrupted", or whatever else came of that.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return out
}

// rows are what a query finds. Like all of database/sql/driver's, they are
// not to be used by several goroutines.
type rows struct {
	driver.Rows
	row   []driver.Value
	ended bool // to ask for more would begin again
}

func (b *base) open(ctx context.Context, query string, args ...driver.Value) (*rows, error) {
	r, err := b.conn.QueryContext(ctx, query, named(args))
	if err != nil {
		return nil, ended(ctx, err)
	}
	return &rows{Rows: r, row: make([]driver.Value, len(r.Columns()))}, nil
}

// next returns the next row, which is the caller's until the next call, or nil
// at the end. The context is that of the query.
func (r *rows) next(ctx context.Context) ([]driver.Value, error) {
	if r.ended {
		return nil, nil
	}
	switch err := r.Next(r.row); {
	case errors.Is(err, io.EOF):
		r.ended = true
		return nil, nil
	case err != nil:
		return nil, ended(ctx, err)
	}
	return r.row, nil
}

// query calls each with every row of a query.
func (b *base) query(ctx context.Context, query string, args []driver.Value, each func(row []driver.Value) error) error {
	r, err := b.open(ctx, query, args...)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		row, err := r.next(ctx)
		if row == nil || err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// number returns the first column of the first row of a query, or 0.
func (b *base) number(ctx context.Context, query string, args ...driver.Value) (n int64, err error) {
	err = b.query(ctx, query, args, func(row []driver.Value) error {
		n, _ = row[0].(int64)
		return nil
	})
	return n, err
}

func isDamaged(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.Code == sqlite3.ErrCorrupt
}

// isFull tells of a full disk.
func isFull(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.Code == sqlite3.ErrFull
}

func isBusy(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrBusy || e.Code == sqlite3.ErrLocked)
}
