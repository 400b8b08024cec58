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
