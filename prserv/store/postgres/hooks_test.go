package postgres

import (
	"context"
	"log/slog"
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

// Outages tells logs of outages that are only said to be.
type Outages struct{ all outages }

// Look takes note of what is said at a time; nothing is that all is well.
func (o *Outages) Look(log *slog.Logger, now time.Time, away string) { o.all.look(log, now, away) }
