package store

import (
	"context"
	"net"
	"time"
)

// Observer is told what a store does. Calls wait for it, so it must be quick,
// and never wait itself.
type Observer interface {
	// Committed is called after each transaction, before its calls get their
	// answers.
	Committed(Commit)
}

// Commit is a transaction that has been stored, or has failed.
type Commit struct {
	Calls   int           // how many calls it was for
	Sync    time.Duration // how long the commit took, most of which is the disk
	Changes []Change      // what was stored; only valid until the observer returns
	Err     error         // why nothing was stored, or nil
}

// Change is a value that a key has got.
type Change struct {
	Asker  Asker
	Key    Key
	Value  Value // an int64 or a [Revision]
	Before Value // the greatest of the version and pkgarch until then; nil if there was none, or it is not known
}

// Asker says who asks for something, and how.
type Asker struct {
	Addr       net.Addr // nil if it is not known
	Generation int      // 1, 2 or 3; 0 if it is not known
	Method     string   // as it is called on the wire
}

type asking struct {
	context.Context
	asker Asker
}

type askerKey struct{}

func (a *asking) Value(key any) any {
	if key == (askerKey{}) {
		return &a.asker
	}
	return a.Context.Value(key)
}

// WithAsker returns a context for the calls of an asker.
func WithAsker(ctx context.Context, a Asker) context.Context { return &asking{ctx, a} }

// AskerOf returns whom a context is for; the zero Asker if it does not say.
func AskerOf(ctx context.Context) Asker {
	if a, ok := ctx.Value(askerKey{}).(*Asker); ok {
		return *a
	}
	return Asker{}
}
