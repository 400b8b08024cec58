package prserv

import (
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxConns is the most connections worth having open: a thousand builds
	// of the largest machines ask less at a time.
	maxConns = 10000
	// minConns is what a service needs: with fewer, connections would be
	// closed for new ones before their calls arrive.
	minConns = 28
	// reservedFiles are the descriptors kept for all else: SQLite has two for
	// each connection to the file, of which there are 2*maxReaders and the
	// writer's.
	reservedFiles = 100
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

// chooseMaxConns returns how many connections leave descriptors for everything
// else.
func chooseMaxConns() (int, error) {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil || files.Cur >= maxConns+reservedFiles {
		return maxConns, nil
	}
	if files.Cur < minConns+reservedFiles {
		return 0, fmt.Errorf("only %d open files are allowed, the server needs %d; raise the limit (ulimit -n)",
			files.Cur, minConns+reservedFiles)
	}
	return int(files.Cur) - reservedFiles, nil
}

func newConnections(limit int) *connections {
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
