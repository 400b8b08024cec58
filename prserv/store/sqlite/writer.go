package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// maxBatch bounds how many calls share a commit, and so how long the
	// first of them waits for the last.
	maxBatch = 256
	// maxYields is how often others get the processor before a commit.
	maxYields = 10
	// busyTimeout is how long SQLite waits for a lock before it says so.
	busyTimeout = 100 * time.Millisecond
	// idleCheck is how often an idle writer looks whether somebody else has
	// written to the file, the sqlite3 program for example, and how long nobody
	// has to write before the write-ahead log is moved to the file.
	idleCheck = 250 * time.Millisecond
)

// errClosed is a call of a store that has been closed.
var errClosed = errors.New("the database is closed")

// writer is the one goroutine that writes to the file. Calls that come while
// a commit is on its way to the disk share the next one: nobody waits for a
// timer, and a commit costs the same whether one call waits for it or a
// hundred.
type writer struct {
	conn     *conn
	file     string
	opened   os.FileInfo // which file that name stood for
	greatest *greatest
	plain    bool // the table is as the reference makes it, and has no triggers
	requests chan *request
	closing  chan struct{} // closed when no request is taken any more
	done     chan struct{} // closed when the goroutine has ended

	taken   atomic.Int64  // how many requests have been taken
	looked  int64         // taken when the writer last looked whether it was idle
	settled int64         // taken when the write-ahead log was last moved to the file
	tries   atomic.Int64  // how often it was tried to; for tests
	version any           // PRAGMA data_version when the file was last looked at
	seen    map[group]top // by the transaction that is open
}

// request is a call that may change the file. Its function runs in a
// transaction, with others. An error undoes them all, but for ErrNotFound and
// those of a context, with which it has changed nothing.
type request struct {
	do     func(*writer) (any, error)
	result any
	err    error
	done   chan struct{} // closed when result and err are final
}

const (
	sqlBegin       = "BEGIN IMMEDIATE"
	sqlCommit      = "COMMIT"
	sqlRollback    = "ROLLBACK"
	sqlDataVersion = "PRAGMA data_version"
	sqlCheckpoint  = "PRAGMA wal_checkpoint(TRUNCATE)"
	sqlSettle      = "PRAGMA wal_checkpoint(PASSIVE)" // waits for nobody
	// sqlLogPages is how many pages, of 4 KiB mostly, the write-ahead log may
	// have before a commit has to move them to the file. At SQLite's 1,000 one
	// call in a hundred waits for that under load.
	sqlLogPages = "PRAGMA wal_autocheckpoint = 16000"
	// sqlForeign counts what can make a statement do something else than it
	// says: a table of another definition, triggers, unique indexes.
	sqlForeign = `SELECT count(*) FROM sqlite_master WHERE tbl_name = '` + Table + `' AND sql IS NOT NULL
		AND NOT (type = 'table' AND sql || ';' = replace('` + Schema + `', 'IF NOT EXISTS ', ''))`
)

func startWriter(file, options string, g *greatest) (*writer, error) {
	opened, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	c, err := openConn(dsn(file, busyTimeout, options), sqlStored, sqlKnown, sqlGreatest, sqlReplace, sqlNext, sqlInsertNew,
		sqlInsert, sqlRaise, sqlImported, sqlBegin, sqlCommit, sqlRollback, sqlDataVersion, sqlCheckpoint, sqlSettle, sqlLogPages, sqlForeign)
	if err != nil {
		return nil, err
	}
	foreign, err := c.value(sqlForeign, nil)
	if err == nil {
		_, err = c.value(sqlLogPages, nil)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	w := &writer{
		conn: c, file: file, opened: opened, greatest: g, plain: foreign == int64(0),
		requests: make(chan *request, maxBatch), closing: make(chan struct{}), done: make(chan struct{}),
		seen: map[group]top{},
	}
	go w.loop()
	return w, nil
}

// close ends the goroutine, once the calls it has taken have their answers,
// and closes the connection. SQLite moves what is in the write-ahead log to
// the file only if nobody else has that open, and the file its name.
func (w *writer) close() error {
	close(w.closing)
	<-w.done
	w.conn.value(sqlCheckpoint, nil) // where it fails, all is in the log still
	return w.conn.Close()
}

// change runs do in a transaction and returns when that is on disk. When ctx
// ends first, nobody knows whether it will be.
func (w *writer) change(ctx context.Context, do func(*writer) (any, error)) (any, error) {
	r := &request{done: make(chan struct{})}
	r.do = func(w *writer) (any, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return do(w)
	}
	select {
	case w.requests <- r:
	case <-w.closing:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-r.done:
		return r.result, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-w.done: // it came too late to be taken
		select {
		case <-r.done:
			return r.result, r.err
		default:
			return nil, errClosed
		}
	}
}

func (w *writer) loop() {
	defer close(w.done)
	check := time.NewTicker(idleCheck)
	defer check.Stop()
	batch := make([]*request, 0, maxBatch)
	for {
		batch = batch[:0]
		select {
		case r := <-w.requests:
			batch = append(batch, r)
		case <-check.C:
			w.lookOutside()
			w.settle()
			continue
		case <-w.closing:
			// Whatever is in the channel has been taken.
			if len(w.requests) == 0 {
				return
			}
			continue
		}
		// Whoever has a call nearly ready gets to hand it in, for a commit costs
		// much the same whatever is in it. With nothing else to do for this
		// process it is no wait.
		for i := 0; i < maxYields && len(w.requests) < maxBatch/2; i++ {
			runtime.Gosched()
		}
		for len(batch) < maxBatch && len(w.requests) > 0 {
			batch = append(batch, <-w.requests)
		}
		w.taken.Add(int64(len(batch)))
		w.serve(batch)
	}
}

// serve answers a batch. Where one of its calls fails, which undoes what the
// others did, each gets a transaction of its own.
func (w *writer) serve(batch []*request) {
	failed, err := w.commit(batch)
	for i, r := range batch {
		if failed && len(batch) > 1 {
			_, err = w.commit(batch[i : i+1])
		}
		if err != nil {
			r.result, r.err = nil, err
		}
	}
	for _, r := range batch {
		close(r.done)
	}
}

// commit runs calls in one transaction. With an error, none has happened;
// failed tells that the cause was one of the calls.
func (w *writer) commit(batch []*request) (failed bool, err error) {
	clear(w.seen)
	if err := w.execPatiently(sqlBegin); err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			w.conn.exec(sqlRollback, nil) // fails if SQLite has done it already
		}
	}()
	if err := w.checkFile(); err != nil {
		return false, err
	}
	w.lookOutside()
	for _, r := range batch {
		r.result, r.err = r.do(w)
		switch {
		case r.err == nil, errors.Is(r.err, ErrNotFound),
			errors.Is(r.err, context.Canceled), errors.Is(r.err, context.DeadlineExceeded):
		default:
			return true, r.err
		}
	}
	return false, w.greatest.commit(w.seen, func() error { return w.execPatiently(sqlCommit) })
}

// execPatiently runs a statement that fails as long as somebody else has the
// file locked. SQLite itself would wait, but not stop when the store is closed.
func (w *writer) execPatiently(query string) error {
	for deadline := time.Now().Add(lockTimeout); ; {
		err := w.conn.exec(query, nil)
		if !isLocked(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-w.closing:
			return err
		default:
		}
	}
}

// checkFile finds out whether what is written now will be there after a
// restart. SQLite, and with it the reference, goes on with a file that has
// lost its name.
func (w *writer) checkFile() error {
	named, err := os.Stat(w.file)
	if err == nil && os.SameFile(w.opened, named) {
		return nil
	}
	return fmt.Errorf("%w: %s has been removed or replaced while it is served; "+
		"put it back under its name", errReadOnly, w.file)
}

// lookOutside forgets what is remembered of the file if another connection
// has written to it.
func (w *writer) lookOutside() {
	version, err := w.conn.value(sqlDataVersion, nil)
	if err != nil || version != w.version {
		w.version = version
		w.greatest.forget()
	}
}

// settle moves the write-ahead log to the file, if nothing has been written for
// a while: whoever copies or loses the log of an idle server has all values in
// the file. A second connection that moves it under load made nothing faster.
func (w *writer) settle() {
	taken := w.taken.Load()
	if taken == w.looked && taken != w.settled {
		if w.conn.moveLog() { // else a reader needs what was there before
			w.settled = taken
		}
		w.tries.Add(1)
	}
	w.looked = taken
}

// topOf returns the greatest value of a group in the open transaction.
func (w *writer) topOf(of group) (top, error) {
	t := w.remembered(of)
	if t.known {
		return t, nil
	}
	t, err := readTop(w.conn, of)
	w.seen[of] = t
	return t, err
}

// remembered returns what is known of a group without looking.
func (w *writer) remembered(of group) top {
	if t, ok := w.seen[of]; ok {
		return t
	}
	t, _ := w.greatest.get(of)
	return t
}

// raise notes that a checksum of a group has a value now.
func (w *writer) raise(of group, checksum string, stored any) {
	t := w.remembered(of)
	n, isInt := stored.(int64)
	switch {
	case !isInt:
		t.known = false
	case n > t.value:
		t.value, t.checksum = n, checksum
	}
	w.seen[of] = t
}

// readTop reads the greatest value of a group; -1 where it has none.
func readTop(c *conn, of group) (top, error) {
	v, err := c.value(sqlGreatest, []driver.Value{of.version, of.pkgarch})
	if err != nil {
		return top{}, err
	}
	switch v := v.(type) {
	case nil:
		return top{value: -1, known: true}, nil
	case int64:
		return top{value: v, known: v < 1<<62}, nil
	}
	return top{}, nil
}
