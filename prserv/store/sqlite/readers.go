package sqlite

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"prserver/prserv/store"
)

// maxReaders bounds the connections for getPR, and again those for export and
// dump_db.
const maxReaders = 16

// pool holds connections that only read. All are opened at once and stay open:
// once the file has been moved, another one would find a new file, or none, and
// take the write-ahead log for its own.
type pool struct {
	conns   chan *conn
	size    int
	closing chan struct{} // closed when no connection is lent any more
	once    sync.Once
}

// openPool opens connections with these statements.
func openPool(file, options string, queries ...string) (*pool, error) {
	n := min(2*runtime.NumCPU(), maxReaders)
	p := &pool{conns: make(chan *conn, n), closing: make(chan struct{})}
	name := dsn(file, lockTimeout, "_txlock=deferred&_query_only=1"+options)
	for range n {
		c, err := openConn(name)
		if err == nil {
			p.size++
			p.conns <- c
			err = c.beginReading(queries)
		}
		if err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

// sqlTouch reads the file: only then does SQLite open it.
const sqlTouch = "SELECT count(*) FROM sqlite_master"

func (c *conn) beginReading(queries []string) error {
	if err := c.standInEarly(); err != nil {
		return err
	}
	for _, sql := range queries {
		if err := c.prepare(sql); err != nil {
			return err
		}
	}
	_, err := c.value(sqlTouch)
	return err
}

// take lends a connection, which has to be given back. The error is
// store.ErrClosed, or that of the context.
func (p *pool) take(ctx context.Context) (*conn, error) {
	select {
	case <-p.closing:
		return nil, store.ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closing:
		return nil, store.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pool) giveBack(c *conn) { p.conns <- c }

// close closes the connections, and waits for those that are lent. It may be
// called more than once, and for no pool.
func (p *pool) close() error {
	if p == nil {
		return nil
	}
	var errs []error
	p.once.Do(func() {
		close(p.closing)
		for range p.size {
			errs = append(errs, (<-p.conns).Close())
		}
	})
	return errors.Join(errs...)
}

// Check implements [store.Store].
func (s *Store) Check(context.Context) error {
	if s.writer == nil {
		return nil
	}
	return s.writer.checkFile()
}

// check finds out whether there is still the file to read that was opened.
func (s *Store) check() error {
	if s.writer == nil {
		return nil // another process knows what the file should be
	}
	return s.writer.stamps.check()
}
