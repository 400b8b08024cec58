package prserv

import (
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxConns is the most connections worth having open: a thousand builds
	// of the largest machines ask less at a time.
	maxConns = 10000
	// reservedFiles are the descriptors kept for the database and the log.
	reservedFiles = 64
)

// connState is what is known of an open connection.
type connState struct {
	since  time.Time // when it was accepted, or had its last answer
	busy   bool      // a call of it is being answered
	served bool      // it has had an answer
	closed bool      // it has been closed here, and is about to be removed
}

// connections are the open connections of a server.
type connections struct {
	limit int
	freed chan struct{} // has an element when a connection was removed

	mu     sync.Mutex
	open   map[net.Conn]*connState // guarded by mu
	ending bool                    // a connection is closed after its answer; guarded by mu
}

// newConnections returns no connections, with the given limit or, for 0, one
// that leaves descriptors for everything else.
func newConnections(limit int) *connections {
	if limit == 0 {
		limit = maxConns
		var files unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err == nil && files.Cur < maxConns+reservedFiles {
			limit = max(int(files.Cur)-reservedFiles, 1)
		}
	}
	return &connections{limit: limit, freed: make(chan struct{}, 1), open: map[net.Conn]*connState{}}
}

func (c *connections) add(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[conn] = &connState{since: time.Now()}
}

func (c *connections) remove(conn net.Conn) {
	c.mu.Lock()
	delete(c.open, conn)
	c.mu.Unlock()
	select {
	case c.freed <- struct{}{}:
	default:
	}
}

// setBusy notes that a call has arrived whole, or has been answered.
func (c *connections) setBusy(conn net.Conn, busy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	state := c.open[conn]
	state.busy = busy
	if !busy {
		state.served = true
		state.since = time.Now()
		if c.ending {
			conn.Close()
		}
	}
}

// makeRoom waits until one more connection may be open, and closes the one
// that has been waited for longest if it must. It returns false when the
// server ends first.
func (c *connections) makeRoom(ended <-chan struct{}) bool {
	for c.isFull() {
		select {
		case <-c.freed:
		case <-ended:
			return false
		}
	}
	return true
}

// isFull tells whether no connection may be added now, and closes the one
// that has been waited for longest then.
func (c *connections) isFull() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) < c.limit {
		return false
	}
	var oldest net.Conn
	for conn, state := range c.open {
		if !state.busy && !state.closed && (oldest == nil || state.since.Before(c.open[oldest].since)) {
			oldest = conn
		}
	}
	if oldest != nil {
		c.open[oldest].closed = true
		oldest.Close()
	}
	return true
}

// end closes the connections that which chooses, and from now on every
// connection once it has its answer.
func (c *connections) end(which func(*connState) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	for conn, state := range c.open {
		if which(state) {
			conn.Close()
		}
	}
}
