package prserv

import (
	"errors"
	"time"

	"prserver/xmlrpc/spool"
)

// resource is what clients make the server hold for them.
type resource int

const (
	memory    resource = iota // bytes of requests and answers
	stored                    // bytes of long answers in files
	files                     // of these files, as many
	resources                 // how many there are
)

// amounts are how much there is of each.
type amounts [resources]int64

const (
	maxMemory = 32 << 20
	maxStored = 512 << 20 // one answer alone may be longer
	minFiles  = 24
	maxFiles  = 1000
)

// fairRate is what a client that fetches an answer gets at least, in bytes a
// second. The slowest network that people build in is a hundred times faster.
const fairRate = 1 << 20 / 60

// countFrom is how many bytes are counted at a time.
const countFrom = 16 << 10

// window is over which time, at least, the progress of a client is measured.
const window = time.Minute

var (
	// errNoRoom is returned where too much is held, and nobody is waited for.
	errNoRoom = errors.New("too many long answers are being made at this moment")
	// errDropped is returned to a client that had to make room.
	errDropped = errors.New("the connection was closed because others need the room")
)

// progress is how much a client has sent or fetched: in this window, and in the
// one before.
type progress struct {
	turned      time.Time // when this window began
	now, before int64     // bytes
	whole       bool      // there was one before
}

// add notes that bytes have moved.
func (p *progress) add(n int, at time.Time) {
	p.turn(at)
	p.now += int64(n)
}

// turn begins a new window if it is time.
func (p *progress) turn(at time.Time) {
	switch since := at.Sub(p.turned); {
	case since >= 2*window:
		*p = progress{turned: at, whole: true}
	case since >= window:
		*p = progress{turned: p.turned.Add(window), before: p.now, whole: true}
	}
}

// rate returns the bytes a second of this window and the one before. Who has just begun is given credit, which does not last.
func (p *progress) rate(at time.Time) float64 {
	const credit = 256 << 10
	p.turn(at)
	past := at.Sub(p.turned)
	if p.whole {
		return float64(p.now+p.before) / (past + window).Seconds()
	}
	return float64(p.now+credit) / (past.Seconds() + 1)
}

// Read notes how much has come.
func (c *client) Read(data []byte) (int, error) {
	n, err := c.Conn.Read(data)
	c.move(n)
	return n, err
}

// Write notes how much has been fetched.
func (c *client) Write(data []byte) (int, error) {
	n, err := c.Conn.Write(data)
	c.move(n)
	return n, err
}

// move notes that bytes have moved. Most calls are so short that they need not
// be counted: the next one begins anew.
func (c *client) move(n int) {
	if c.uncounted.Add(int64(n)) < countFrom {
		return
	}
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	c.moved.add(int(c.uncounted.Swap(0)), time.Now())
}

// stalls tells whether a client has had a minute to fetch its answer, and was
// slow.
func (c *client) stalls(now time.Time) bool {
	return c.phase == spool.Sending && now.Sub(c.since) >= window && c.moved.rate(now) < fairRate
}

// Hold implements [spool.Account].
func (c *client) Hold(n int) error {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	return c.clients.take(c, memory, int64(n), time.Now())
}

// TryHold implements [spool.Account].
func (c *client) TryHold(n int) bool {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	if c.closed || c.clients.lacks(memory, int64(n)) {
		return false
	}
	return c.clients.take(c, memory, int64(n), time.Now()) == nil
}

// Store implements [spool.Account].
func (c *client) Store(n int) error {
	c.clients.mu.Lock()
	defer c.clients.mu.Unlock()
	if c.holds[files] == 0 {
		if err := c.clients.take(c, files, 1, time.Now()); err != nil {
			return err
		}
	}
	return c.clients.take(c, stored, int64(n), time.Now())
}

// lacks tells whether there is too little for n more. It must be called with mu
// held, as all below.
func (cs *clients) lacks(of resource, n int64) bool { return n > 0 && cs.held[of]+n > cs.room[of] }

// take lets a client hold n more. If there is too little, those that hold some
// and are waited for are closed, the slowest first.
func (cs *clients) take(c *client, of resource, n int64, now time.Time) error {
	for cs.lacks(of, n) {
		if c.closed {
			break
		}
		if of == stored && cs.held[of] == c.holds[of] {
			break // nobody else has any
		}
		victim := cs.slowest(now, func(other *client) bool {
			return other != c && other.phase != spool.Working && other.holds[of] > 0
		})
		if victim == nil {
			return errNoRoom
		}
		cs.drop(victim)
	}
	if c.closed {
		return errDropped
	}
	c.holds[of] += n
	cs.held[of] += n
	return nil
}

// slowest returns the client with the least progress of those that which
// chooses; of equal ones, that which has been waited for longest. Nil is none.
func (cs *clients) slowest(now time.Time, which func(*client) bool) *client {
	var slowest *client
	var least float64
	for c := range cs.open {
		if c.closed || !which(c) {
			continue
		}
		rate := c.moved.rate(now)
		if slowest == nil || rate < least || rate == least && c.since.Before(slowest.since) {
			slowest, least = c, rate
		}
	}
	return slowest
}

// release takes back all that a client holds.
func (cs *clients) release(c *client) {
	for of := range resources {
		cs.held[of] -= c.holds[of]
	}
	c.holds = amounts{}
}
