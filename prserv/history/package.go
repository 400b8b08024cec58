package history

import (
	"context"
	"fmt"
	"time"

	"prserver/prserv/store"
)

// sqlPackage reads from the end on: what is wanted most comes first.
const sqlPackage = sqlEvents + ` WHERE version = ?1 OR version >= ?1||'-' AND version < ?1||'.'
		OR version = 'AUTOINC-'||?1 OR version >= 'AUTOINC-'||?1||'-' AND version < 'AUTOINC-'||?1||'.'
	ORDER BY id DESC LIMIT ?2`

// ReadPackage calls each with the events of a version, and of those that begin
// with it and a minus, each also behind "AUTOINC-": the newest first, limit at
// most. It returns the first error of each. Where ctx ends before the file does,
// its last part has been read, and the error is that of ctx.
func ReadPackage(ctx context.Context, file, version string, limit int, each func(Event) error) error {
	if err := readRows(ctx, file, each, sqlPackage, version, limit); err != nil {
		return fmt.Errorf("reading the history %s: %w", file, err)
	}
	return nil
}

// EventOf returns the event of a change at a time, with as much of its texts as a
// history keeps.
func EventOf(at time.Time, c store.Change) Event {
	k := keep(c.Key)
	e := Event{
		Time: at.UTC().Truncate(time.Millisecond), Client: clientOf(c.Asker), Generation: c.Asker.Generation, Method: c.Asker.Method,
		Version: k.Version, Pkgarch: k.Pkgarch, Checksum: k.Checksum, Value: fmt.Sprint(c.Value),
	}
	if c.Before != nil {
		e.Before = fmt.Sprint(c.Before)
	}
	return e
}

// Imported tells whether the value was imported, and not given out.
func (e Event) Imported() bool { return e.Method == "importone" || e.Method == "import-one" }

// Backwards tells whether the value is below the greatest one until then.
func (e Event) Backwards() bool {
	value, ok := store.ParseRevision(e.Value)
	before, known := store.ParseRevision(e.Before)
	return ok && known && value.Compare(before) < 0
}
