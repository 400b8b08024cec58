package prserv

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"prserver/prserv/access"
	"prserver/xmlrpc/spool"
)

const (
	// maxConns is the most connections worth having open: a thousand builds
	// of the largest machines ask less at a time.
	maxConns = 10000
	// minConns is what a service needs: with fewer, connections would be
	// closed for new ones before their calls arrive.
	minConns = 28
	// reservedFiles are the descriptors kept for all else: SQLite has two for
	// each connection to the file, of which there are at most 33, and minFiles
	// are for long answers.
	reservedFiles = 100
	// idleGrace is how long a client may take to begin, however many others
	// wait for its place.
	idleGrace = time.Second
	// lookEvery is how often a full server looks whose place could be given
	// away.
	lookEvery = 100 * time.Millisecond
)

// client is an open connection and what is known of it.
type client struct {
	net.Conn
	clients   *clients
	rights    access.Rights
	noted     bool         // nothing more is to be noted of its refusal; its own goroutine's
	uncounted atomic.Int64 // bytes that have moved and are not in moved yet

	// Guarded by clients.mu:
	protocol protocol    // what it speaks, once its first bytes have come
	phase    spool.Phase // what is waited for
	since    time.Time   // when the phase began, or the client was accepted
	moved    progress
	holds    amounts
	served   bool // it has had an answer
	closed   bool // it has been closed here, and is about to be removed
}

// busy tells whether a call of the client is being answered.
func (c *client) busy() bool { return c.phase != spool.Reading }

// clients are the open connections of a server.
type clients struct {
	limit int
	room  amounts       // what all of them together may hold
	freed chan struct{} // has an element when a connection was removed

	mu     sync.Mutex
	open   map[*client]struct{} // guarded by mu
	held   amounts              // what all of them together hold; guarded by mu
	ending bool                 // a connection is closed after its answer; guarded by mu
}

// chooseLimits returns how many connections, and how many files with long
// answers, leave descriptors for everything else, of which more are needed than
// usual. The error is returned where that are too few.
func chooseLimits(more int) (conns, files int, err error) {
	reserved := uint64(reservedFiles + more)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur >= maxConns+maxFiles+reserved {
		return maxConns, maxFiles, nil
	}
	if limit.Cur < minConns+reserved {
		return 0, 0, fmt.Errorf("only %d open files are allowed, the server needs %d; raise the limit (ulimit -n)",
			limit.Cur, minConns+reserved)
	}
	spare := int(limit.Cur - reserved)
	further := spare / 10 // files beside those that are reserved
	if spare < 10*minFiles {
		further = 0
	}
	return min(spare-further, maxConns), min(minFiles+further, maxFiles), nil
}

func newClients(conns, files int) *clients {
	return &clients{
		limit: conns, room: amounts{maxMemory, maxStored, int64(files)},
		freed: make(chan struct{}, 1), open: map[*client]struct{}{},
	}
}

func (cs *clients) add(conn net.Conn) *client {
	c := &client{Conn: conn, clients: cs}
	c.begin(spool.Reading, time.Now())
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.open[c] = struct{}{}
	return c
}

func (cs *clients) remove(c *client) {
	cs.mu.Lock()
	delete(cs.open, c)
	cs.release(c)
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

// Enter implements [spool.Account].
func (c *client) Enter(p spool.Phase) {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	c.begin(p, time.Now())
	if p == spool.Reading {
		c.clients.release(c)
		c.served = true
		if c.clients.ending {
			c.Close()
		}
	}
}

// begin notes what is waited for from now on.
func (c *client) begin(p spool.Phase, now time.Time) {
	c.phase, c.since, c.moved = p, now, progress{turned: now}
	c.uncounted.Store(0)
}

// CloseWrite ends what the client gets, and not what it sends.
func (c *client) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// SetKeepAliveConfig says how to find out that a silent client is gone.
func (c *client) SetKeepAliveConfig(config net.KeepAliveConfig) error {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return errors.ErrUnsupported
	}
	return tcp.SetKeepAliveConfig(config)
}

// makeRoom waits until one more connection may be open. If it must, it closes
// another one for that. It returns false when the server ends first.
func (cs *clients) makeRoom(ended <-chan struct{}) bool {
	if !cs.isFull(time.Now()) {
		return true
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for cs.isFull(time.Now()) {
		select {
		case <-cs.freed:
		case <-look.C:
		case <-ended:
			return false
		}
	}
	return true
}

// isFull tells whether no connection may be added now. It closes one then:
// that which has been waited for longest for its request or, if all have sent
// theirs, that which is the slowest to fetch its answer. New ones, and those
// that get on, are waited for.
func (cs *clients) isFull(now time.Time) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if len(cs.open) < cs.limit {
		return false
	}
	var oldest *client
	for c := range cs.open {
		if c.closed { // its place is about to be free
			return true
		}
		if !c.busy() && now.Sub(c.since) >= idleGrace && (oldest == nil || c.since.Before(oldest.since)) {
			oldest = c
		}
	}
	if oldest == nil {
		oldest = cs.slowest(now, func(c *client) bool { return c.stalls(now) })
	}
	if oldest != nil {
		cs.drop(oldest)
	}
	return true
}

// drop closes a connection, and takes back what it holds.
func (cs *clients) drop(c *client) {
	c.closed = true
	cs.release(c)
	c.Close()
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
