package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Filter says which events are wanted. The zero Filter wants all.
type Filter struct {
	Version string    // a pattern: * stands for any text, ? for any character, [a-z] for one of those
	Since   time.Time // only events of this time and later
	Last    int       // only the last ones, as many; 0 is all
}

const sqlRead = `SELECT time, client, generation, method, version, pkgarch, checksum, value, ifnull(before, '') FROM
	(SELECT * FROM history WHERE (?1 = '' OR version GLOB ?1) AND time >= ?2 ORDER BY id DESC LIMIT ?3) ORDER BY id`

// Read calls each with the events of a file, the oldest first, and returns its
// first error. A server may be writing the file. The error is [ErrNone] where it
// is no history.
func Read(ctx context.Context, file string, f Filter, each func(Event) error) error {
	if err := read(ctx, file, f, each); err != nil {
		return fmt.Errorf("reading the history %s: %w", file, err)
	}
	return nil
}

func read(ctx context.Context, file string, f Filter, each func(Event) error) error {
	last := f.Last
	if last == 0 {
		last = -1
	}
	since := int64(0)
	if !f.Since.IsZero() {
		since = f.Since.UnixMilli()
	}
	return readRows(ctx, file, each, sqlRead, f.Version, since, last)
}

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
		if err := rows.Scan(&at, &e.Client, &e.Generation, &e.Method, &e.Version, &e.Pkgarch, &e.Checksum, &e.Value, &e.Before); err != nil {
			return err
		}
		e.Time = time.UnixMilli(at).UTC()
		if err := each(e); err != nil {
			return err
		}
	}
	return rows.Err()
}
