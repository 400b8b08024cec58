package postgres

import (
	"context"
	"time"
)

// OpenImpatient is [Open] for a server that gives up a connection on which
// nothing has come for a while.
func OpenImpatient(ctx context.Context, url string, hang time.Duration) (*Store, error) {
	return openWith(ctx, url, false, hang)
}

// LimitDumps sets the size of prvalue up to which dumps are sorted, and how much
// memory versions and pkgarchs may take.
func (s *Store) LimitDumps(sorted, held int64) { s.dumpLimits = dumpLimits{sorted: sorted, held: held} }
