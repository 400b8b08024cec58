package place

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
)

const (
	columns = 4
	// batchRows is how many rows one statement stores, if they are not long.
	batchRows = 200
	// batchBytes is how long the texts of those may be together.
	batchBytes = 1 << 20
)

// stager stores rows in a table without an index, which takes a tenth of the
// time that one with an index takes. What produces the rows runs beside it.
type stager struct {
	batch   []driver.NamedValue // what is not handed over yet
	bytes   int                 // of its texts
	batches chan []driver.NamedValue
	used    chan []driver.NamedValue // batches to be filled again
	stopped chan struct{}            // closed once nothing is stored any more
	err     error                    // why not, once stopped is closed
	rows    int64
	texts   int64 // values that are revisions
	// revisions says that all are.
	revisions bool
}

// stage makes a table of the rows that produce adds.
func (b *base) stage(ctx context.Context, name string, produce func(*stager) error) (t *table, err error) {
	if _, err := b.exec(ctx, "CREATE TABLE main."+name+" (version, pkgarch, checksum, value)"); err != nil {
		return nil, err
	}
	s := &stager{
		batches: make(chan []driver.NamedValue, 4), used: make(chan []driver.NamedValue, 8),
		stopped: make(chan struct{}),
	}
	go func() {
		defer close(s.stopped)
		s.err = b.store(ctx, name, s)
	}()
	err = produce(s)
	if err == nil {
		err = s.hand()
	}
	close(s.batches)
	<-s.stopped
	if s.err != nil {
		return nil, s.err
	}
	if err != nil {
		return nil, err
	}
	t = &table{from: "main." + name, generation: whole, rows: s.rows}
	if s.revisions {
		t.generation = revisions
		if s.texts < s.rows { // as SQLite would store them in a column of texts
			_, err = b.exec(ctx, "UPDATE "+t.from+" SET value = CAST(value AS TEXT) WHERE typeof(value) = 'integer'")
		}
	}
	return t, err
}

// add takes a row, as SQLite is to store it.
func (s *stager) add(row [columns]driver.Value) error {
	if s.batch == nil {
		select {
		case s.batch = <-s.used:
		default:
			s.batch = make([]driver.NamedValue, 0, batchRows*columns)
		}
	}
	for _, v := range row {
		s.batch = append(s.batch, driver.NamedValue{Ordinal: len(s.batch) + 1, Value: v})
		if text, ok := v.(string); ok {
			s.bytes += len(text)
		}
	}
	s.rows++
	if _, ok := row[columns-1].(string); ok {
		s.texts++
	}
	if len(s.batch) == cap(s.batch) || s.bytes > batchBytes {
		return s.hand()
	}
	return nil
}

// hand gives the batch to be stored.
func (s *stager) hand() error {
	if len(s.batch) == 0 {
		return nil
	}
	select {
	case s.batches <- s.batch:
		s.batch, s.bytes = nil, 0
		return nil
	case <-s.stopped:
		return s.err
	}
}

// store stores the batches, until there are no more.
func (b *base) store(ctx context.Context, name string, s *stager) error {
	insert := func(rows int) (driver.StmtExecContext, error) {
		stmt, err := b.conn.Prepare("INSERT INTO main." + name + " VALUES" +
			strings.TrimSuffix(strings.Repeat("(?,?,?,?),", rows), ","))
		if err != nil {
			return nil, err
		}
		return stmt.(driver.StmtExecContext), nil
	}
	if _, err := b.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	full, err := insert(batchRows)
	if err != nil {
		return err
	}
	defer full.(driver.Stmt).Close()
	for batch := range s.batches {
		stmt := full
		if len(batch) < cap(batch) { // the last one, or one of long rows
			if stmt, err = insert(len(batch) / columns); err != nil {
				return err
			}
		}
		// The context is looked at once a batch: the driver would start a goroutine.
		_, err := stmt.ExecContext(context.Background(), batch)
		if stmt != full {
			stmt.(driver.Stmt).Close()
		}
		clear(batch) // its texts are not to be kept
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return temporary(err)
		}
		select {
		case s.used <- batch[:0]:
		default:
		}
	}
	_, err = b.exec(ctx, "COMMIT")
	return err
}

// temporary says that an error is one of the files that SQLite works in.
func temporary(err error) error {
	return fmt.Errorf("a temporary file: %w; let TMPDIR name a folder with more room", err)
}
