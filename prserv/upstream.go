package prserv

import (
	"context"
	"errors"
	"time"

	"prserver/prserv/store"
)

// Upstream is another PR server, whose values those of this one follow.
type Upstream interface {
	// Published returns what the server knows of a key; nil if it does not know
	// the version and pkgarch. It asks for the value of the checksum only where
	// need says so, which is called with the greatest value.
	Published(ctx context.Context, k store.Key, need func(greatest store.Revision) bool) (*store.Published, error)
}

// errLate is returned where the database has taken the time to ask the upstream
// server.
var errLate = errors.New("no answer in time")

// published asks the upstream server what a value for a key depends on.
func (s *service) published(ctx context.Context, deadline time.Time, k store.Key, m store.Mode) (*store.Published, error) {
	m.Revisions = true // whatever is known, also of values that are no whole numbers
	known, err := s.store.Find(ctx, k, m)
	if err != nil || m.History && known.First != nil {
		return nil, err
	}
	last, _ := known.Last.(store.Revision)
	greatest, _ := known.Greatest.(store.Revision)
	ctx, cancel := context.WithDeadlineCause(ctx, deadline, errLate)
	defer cancel()
	published, err := s.upstream.Published(ctx, k, func(upstream store.Revision) bool {
		value, err := m.Choose(nil, last, greatest)
		return err != nil || len(last) == 0 || value.Compare(upstream) < 0
	})
	if err != nil {
		return nil, &UpstreamError{err}
	}
	return published, nil
}
