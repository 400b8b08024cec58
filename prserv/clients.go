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
	// each connection to the file, of which there are at most 33.
	reservedFiles = 100
)

// client is an open connection and what is known of it.
type client struct {
	net.Conn
	clients *clients

	// Guarded by clients.mu:
	protocol protocol  // what it speaks, once its first bytes have come
	since    time.Time // when it was accepted, or had its last answer
	busy     bool      // a call of it is being answered
	served   bool      // it has had an answer
	closed   bool      // it has been closed here, and is about to be removed
}

// clients are the open connections of a server.
type clients struct {
	limit int
	freed chan struct{} // has an element when a connection was removed

	mu     sync.Mutex
	open   map[*client]struct{} // guarded by mu
	ending bool                 // a connection is closed after its answer; guarded by mu
}

// chooseMaxConns returns how many connections leave descriptors for everything
// else. The error is returned where that are too few.
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

func newClients(limit int) *clients {
	return &clients{limit: limit, freed: make(chan struct{}, 1), open: map[*client]struct{}{}}
}

func (cs *clients) add(conn net.Conn) *client {
	c := &client{Conn: conn, clients: cs, since: time.Now()}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.open[c] = struct{}{}
	return c
}

func (cs *clients) remove(c *client) {
	cs.mu.Lock()
	delete(cs.open, c)
	cs.mu.Unlock()
	select {
	case cs.freed <- struct{}{}:
	default:
	}
}

// setProtocol notes what a client speaks.
func (c *client) setProtocol(p protocol) {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	c.protocol = p
}

// setBusy notes that a call has arrived whole, or has been answered.
func (c *client) setBusy(busy bool) {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	c.busy = busy
	if !busy {
		c.served = true
		c.since = time.Now()
		if c.clients.ending {
			c.Close()
		}
	}
}

// makeRoom waits until one more connection may be open, and closes the one
// that has been waited for longest if it must. It returns false when the
// server ends first.
func (cs *clients) makeRoom(ended <-chan struct{}) bool {
	for cs.isFull() {
		select {
		case <-cs.freed:
		case <-ended:
			return false
		}
	}
	return true
}

// isFull tells whether no connection may be added now, and closes the one
// that has been waited for longest then.
func (cs *clients) isFull() bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if len(cs.open) < cs.limit {
		return false
	}
	var oldest *client
	for c := range cs.open {
		if !c.busy && !c.closed && (oldest == nil || c.since.Before(oldest.since)) {
			oldest = c
		}
	}
	if oldest != nil {
		oldest.closed = true
		oldest.Close()
	}
	return true
}

// end closes the connections that which chooses, and from now on every
// connection once it has its answer.
func (cs *clients) end(which func(*client) bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.ending = true
	for c := range cs.open {
		if which(c) {
			c.Close()
		}
	}
}
