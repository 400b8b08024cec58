package prserv

import (
	"database/sql/driver"
	"sync/atomic"
	"time"
)

// logMover moves the write-ahead log to the file beside the writer, which SQLite
// would let do that in the middle of a commit: under load a tenth of its time.
// Whoever copies or loses the log of an idle server has all values in the file.
type logMover struct {
	conn    *conn
	commits atomic.Int64
	rest    atomic.Bool  // there is little left to move
	tries   atomic.Int64 // for tests
	closing chan struct{}
	done    chan struct{} // closed when the goroutine has ended
}

const (
	// moveEvery is how often the log is moved.
	moveEvery = 250 * time.Millisecond
	// sqlPassive moves what nobody reads any more, and waits for nobody.
	sqlPassive = "PRAGMA wal_checkpoint(PASSIVE)"
)

func startLogMover(file, options string) (*logMover, error) {
	c, err := openConn(dsn(file, busyTimeout, options), sqlPassive)
	if err != nil {
		return nil, err
	}
	m := &logMover{conn: c, closing: make(chan struct{}), done: make(chan struct{})}
	go m.loop()
	return m, nil
}

func (m *logMover) loop() {
	defer close(m.done)
	tick := time.NewTicker(moveEvery)
	defer tick.Stop()
	var moved int64
	for {
		select {
		case <-tick.C:
		case <-m.closing:
			return
		}
		if commits := m.commits.Load(); commits != moved {
			if m.conn.moveLog() { // else a reader needs what was there before
				moved = commits
			}
			m.rest.Store(true)
			m.tries.Add(1)
		}
	}
}

// committed is called by the writer behind every commit. What has been written
// while the log was moved the writer moves itself, with conn: the log begins
// anew, instead of growing, only when all of it has been moved.
func (m *logMover) committed(c *conn) {
	if m == nil {
		return
	}
	m.commits.Add(1)
	if m.rest.Swap(false) {
		c.moveLog()
	}
}

// moveLog moves what it can of the write-ahead log to the file, and tells
// whether that is all. Where it fails, all is in the log still.
func (c *conn) moveLog() bool {
	//lint:ignore SA1019 the successor is for callers who can be interrupted
	rows, err := c.statements[sqlPassive].Query(nil)
	if err != nil {
		return false
	}
	defer rows.Close()
	var row [3]driver.Value // whether it was busy, pages in the log, pages moved
	err = rows.Next(row[:])
	return err == nil && row[1] == row[2]
}

// close ends the goroutine. A nil logMover has none.
func (m *logMover) close() error {
	if m == nil {
		return nil
	}
	close(m.closing)
	<-m.done
	return m.conn.Close()
}
