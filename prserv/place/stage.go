package place

import (
	"context"
	"database/sql/driver"
	"strings"

	"prserver/prserv/store"
	"prserver/prserv/store/sqlite/query"
)

const (
	// batchRows is how many rows one statement stores, if they are not long.
	batchRows = 200
	// batchBytes is how long the texts of those may be together.
	batchBytes = 1 << 20
)

// stager stores rows in a table without an index, which takes a tenth of the
// time that a table with an index takes. A goroutine stores them while the next
// ones are produced.
type stager struct {
	batch    []driver.NamedValue // what is not handed over yet
	bytes    int                 // of its texts
	batches  chan []driver.NamedValue
	used     chan []driver.NamedValue // batches to be filled again
	stopped  chan struct{}            // closed once nothing is stored any more
	err      error                    // why storing stopped, once stopped is closed
	rows     int64
	integers int64 // rows whose value is a whole number
}

// stage makes a table of the rows that produce adds. Produce returns the
// generation that they are of.
func (s *scratch) stage(ctx context.Context, name string, produce func(*stager) (*generation, error)) (*table, error) {
	if _, err := s.exec(ctx, "CREATE TABLE main."+name+" (version, pkgarch, checksum, value)"); err != nil {
		return nil, err
	}
	to := &stager{
		batches: make(chan []driver.NamedValue, 4), used: make(chan []driver.NamedValue, 8),
		stopped: make(chan struct{}),
	}
	go func() {
		defer close(to.stopped)
		to.err = s.storeBatches(ctx, name, to)
	}()
	of, err := produce(to)
	if err == nil {
		err = to.hand()
	}
	close(to.batches)
	<-to.stopped
	if to.err != nil {
		return nil, to.err
	}
	if err != nil {
		return nil, err
	}
	t := &table{from: "main." + name, generation: of, rows: to.rows}
	if of.revisions && to.integers > 0 { // a column of texts would have made texts of them
		_, err = s.exec(ctx, "UPDATE "+t.from+" SET value = "+of.ofInteger+" WHERE typeof(value) = 'integer'")
	}
	return t, err
}

// add takes a row, as SQLite is to store it.
func (s *stager) add(row store.Row) error {
	if s.batch == nil {
		select {
		case s.batch = <-s.used:
		default:
			s.batch = make([]driver.NamedValue, 0, batchRows*columns)
		}
	}
	for _, v := range [columns]store.Value{row.Version, row.Pkgarch, row.Checksum, row.Value} {
		s.batch = append(s.batch, driver.NamedValue{Ordinal: len(s.batch) + 1, Value: v})
		if text, ok := v.(string); ok {
			s.bytes += len(text)
		}
	}
	s.rows++
	if _, ok := row.Value.(int64); ok {
		s.integers++
	}
	if len(s.batch) == cap(s.batch) || s.bytes > batchBytes {
		return s.hand()
	}
	return nil
}

// hand hands the batch over to be stored.
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

// storeBatches stores batches until there are no more.
func (s *scratch) storeBatches(ctx context.Context, name string, from *stager) error {
	if _, err := s.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	full, err := s.prepareInsert(name, columns, batchRows)
	if err != nil {
		return err
	}
	defer full.Close()
	for batch := range from.batches {
		stmt := full
		if len(batch) < cap(batch) { // the last one, or one of long rows
			if stmt, err = s.prepareInsert(name, columns, len(batch)/columns); err != nil {
				return err
			}
		}
		err := storeBatch(stmt, batch)
		if stmt != full {
			stmt.Close()
		}
		clear(batch) // its texts are not to be kept
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err
		}
		select {
		case from.used <- batch[:0]:
		default:
		}
	}
	_, err = s.exec(ctx, "COMMIT")
	return err
}

// prepareInsert prepares the statement that stores so many rows at a time in a
// table of the scratch database.
func (s *scratch) prepareInsert(table string, columns, rows int) (driver.Stmt, error) {
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", columns), ",") + "),"
	stmt, err := s.conn.Prepare("INSERT INTO main." + table + " VALUES" + strings.TrimSuffix(strings.Repeat(row, rows), ","))
	if err != nil {
		return nil, query.Error(err)
	}
	return stmt, nil
}

// storeBatch stores the rows that a statement was prepared for.
func storeBatch(stmt driver.Stmt, batch []driver.NamedValue) error {
	// With its context, the driver would start a goroutine.
	_, err := stmt.(driver.StmtExecContext).ExecContext(context.Background(), batch)
	if err != nil {
		return scratchError(query.Error(err))
	}
	return nil
}
