package store

import (
	"context"
	"time"
)

// patience is how long a call may wait, unless its context says otherwise.
// BitBake's clients of XML-RPC wait 60 seconds for an answer.
const patience = 45 * time.Second

type patienceKey struct{}

// WithPatience returns a context for calls that may wait so long for a database
// that does not answer. The client is to hear why, so it has to wait longer.
func WithPatience(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, d)
}

// PatienceOf returns how long the calls of a context may wait.
func PatienceOf(ctx context.Context) time.Duration {
	if d, ok := ctx.Value(patienceKey{}).(time.Duration); ok {
		return d
	}
	return patience
}
