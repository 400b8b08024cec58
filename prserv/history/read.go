package history

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"
)

// Filter says which events are wanted, and in which order. The zero Filter wants
// all, the oldest first.
type Filter struct {
	Version     string    // a pattern: * stands for any text, ? for any character, [a-z] for one of those
	Since       time.Time // only events of this time and later
	After       int64     // only events behind the one with this ID
	Before      int64     // only events ahead of the one with this ID; 0 is no bound
	NewestFirst bool
}

// sqlRead reads in the order of the file, so that nothing is held in memory.
const (
	sqlRead       = sqlEvents + ` WHERE id > ?1 AND id < ?2 AND time >= ?3 AND (?4 = '' OR version GLOB ?4) ORDER BY id`
	sqlReadNewest = sqlRead + ` DESC`
)

// Read calls each with the events of a file, and returns its first error. A
// server may be writing the file. The error is [ErrNone] where it is no history.
func Read(ctx context.Context, file string, f Filter, each func(Event) error) error {
	statement, before, since := sqlRead, int64(math.MaxInt64), int64(0)
	if f.NewestFirst {
		statement = sqlReadNewest
	}
	if f.Before > 0 {
		before = f.Before
	}
	if !f.Since.IsZero() {
		since = f.Since.UnixMilli()
	}
	if err := readRows(ctx, file, each, statement, f.After, before, since, f.Version); err != nil {
		return fmt.Errorf("reading the history %s: %w", file, err)
	}
	return nil
}

// sqlEvents begins the statements that readRows takes.
const sqlEvents = `SELECT id, time, client, generation, method, version, pkgarch, checksum, value, ifnull(before, '') FROM history`

// readRows calls each with the events that a statement finds.
func readRows(ctx context.Context, file string, each func(Event) error, statement string, args ...any) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if _, err := os.Stat(file); err != nil {
		return errors.Unwrap(err) // the caller names the file
	}
	db, err := openToRead(file, false)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var e Event
		var at int64
		if err := rows.Scan(&e.ID, &at, &e.Client, &e.Generation, &e.Method, &e.Version, &e.Pkgarch, &e.Checksum, &e.Value, &e.Before); err != nil {
			return err
		}
		e.Time = time.UnixMilli(at).UTC()
		if err := each(e); err != nil {
			return err
		}
	}
	return rows.Err()
}
