package client

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"prserver/prserv/store"
)

const (
	// upstreamConns is how many connections to the upstream server all clients
	// share. A call takes one for less than a millisecond.
	upstreamConns = 4
	// upstreamTimeout bounds how long a client waits for the upstream server.
	// Clients of BitBake 1.52 and later wait half a minute themselves.
	upstreamTimeout = 20 * time.Second
)

// Upstream asks an upstream server, ours or Python's, in the JSON-lines
// protocol. Many goroutines may ask at once; they share few connections.
type Upstream struct {
	clients [upstreamConns]*JSONLines
	next    atomic.Uint32
}

// NewUpstream returns the upstream server at addr, HOST:PORT. It connects when
// it is first asked, and again after every failure.
func NewUpstream(addr string) *Upstream {
	u := &Upstream{}
	for i := range u.clients {
		u.clients[i] = NewJSONLines(addr, upstreamTimeout)
	}
	return u
}

// Published returns what the server knows of a key; nil if it does not know the
// version and pkgarch. It asks for the value of the checksum only where need says
// so, which is called with the greatest value. A server of BitBake 2.8 serves as
// well as later ones.
//
// Source: lib/prserv/serv.py:PRServerClient.handle_get_pr of BitBake 2.10.
func (u *Upstream) Published(ctx context.Context, k store.Key, need func(store.Revision) bool) (*store.Published, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, upstreamTimeout, fmt.Errorf("no answer within %v", upstreamTimeout))
	defer cancel()
	c := u.clients[u.next.Add(1)%upstreamConns]
	greatest, err := c.MaxPackagePR(ctx, k.Version, k.Pkgarch)
	if err != nil || greatest == nil {
		return nil, err
	}
	p := &store.Published{Greatest: greatest}
	if need(greatest) {
		history := false
		p.Value, err = c.TestPR(ctx, k.Version, k.Pkgarch, k.Checksum, &history)
	}
	return p, err
}

// Close closes the connections. The next call makes new ones.
func (u *Upstream) Close() {
	for _, c := range u.clients {
		c.Close()
	}
}
