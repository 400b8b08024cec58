// Package batch lets calls that change a database share its transactions.
//
// Start with [Start] and [Batcher.Change].
package batch

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"prserver/prserv/store"
)

const (
	// maxBatch bounds how many calls share a commit, and so how long the
	// first of them waits for the last.
	maxBatch = 256
	// maxYields is how often others get the processor before a commit.
	maxYields = 10
	// idleCheck is how often an idle batcher calls its idle function.
	idleCheck = 250 * time.Millisecond
)

// Batcher is the one goroutine that changes the database. Calls that come while
// a commit is on its way to the disk share the next one: nobody waits for a
// timer, and a commit costs the same whether one call waits for it or a
// hundred.
type Batcher struct {
	commit func(batch []*Change) (failed bool, err error) // see Start
	idle   func()

	changes chan *Change
	closing chan struct{} // closed when no change is taken any more
	done    chan struct{} // closed when the goroutine has ended
	taken   atomic.Int64  // how many changes have been taken
}

// Change is a call that may change the database. An error of its function
// undoes the whole transaction, unless [ChangesNothing] says otherwise.
type Change struct {
	Do     func() (store.Value, error)
	Result store.Value
	Err    error
	done   chan struct{} // closed when Result and Err are final
}

// ChangesNothing tells whether a call that ends with this error has changed
// nothing, so that the others of its transaction need not be undone.
func ChangesNothing(err error) bool {
	return err == nil || errors.Is(err, store.ErrNotFound) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Start starts a batcher. Commit carries out calls in one transaction, and sets
// their results; with an error, none has happened, and failed tells that one of
// the calls is the cause. Idle is called now and then while there are no calls.
func Start(commit func([]*Change) (bool, error), idle func()) *Batcher {
	b := &Batcher{
		commit: commit, idle: idle,
		changes: make(chan *Change, maxBatch), closing: make(chan struct{}), done: make(chan struct{}),
	}
	go b.loop()
	return b
}

// Close ends the goroutine, once the calls it has taken have their answers.
func (b *Batcher) Close() {
	close(b.closing)
	<-b.done
}

// Change runs do in a transaction and returns when that is on disk. When ctx
// ends first, nobody knows whether it will be.
func (b *Batcher) Change(ctx context.Context, do func() (store.Value, error)) (store.Value, error) {
	c := &Change{done: make(chan struct{})}
	c.Do = func() (store.Value, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return do()
	}
	select {
	case b.changes <- c:
	case <-b.closing:
		return nil, store.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-c.done:
		return c.Result, c.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-b.done: // it came too late to be taken
		select {
		case <-c.done:
			return c.Result, c.Err
		default:
			return nil, store.ErrClosed
		}
	}
}

// Taken returns how many calls have been taken into a transaction.
func (b *Batcher) Taken() int64 { return b.taken.Load() }

// Handed returns how many calls have been handed in.
func (b *Batcher) Handed() int { return int(b.taken.Load()) + len(b.changes) }

// Closing returns a channel that is closed when no call is taken any more.
func (b *Batcher) Closing() <-chan struct{} { return b.closing }

func (b *Batcher) loop() {
	defer close(b.done)
	check := time.NewTicker(idleCheck)
	defer check.Stop()
	batch := make([]*Change, 0, maxBatch)
	for {
		batch = batch[:0]
		select {
		case c := <-b.changes:
			batch = append(batch, c)
		case <-check.C:
			b.idle()
			continue
		case <-b.closing:
			// Whatever is in the channel has been taken.
			if len(b.changes) == 0 {
				return
			}
			continue
		}
		// Whoever has a call nearly ready gets to hand it in, for a commit costs
		// much the same whatever is in it. With nothing else to do for this
		// process it is no wait.
		for i := 0; i < maxYields && len(b.changes) < maxBatch/2; i++ {
			runtime.Gosched()
		}
		for len(batch) < maxBatch && len(b.changes) > 0 {
			batch = append(batch, <-b.changes)
		}
		b.taken.Add(int64(len(batch)))
		b.answer(batch)
	}
}

// answer answers a batch. If one of its calls fails, which undoes what the
// others did, each gets a transaction of its own.
func (b *Batcher) answer(batch []*Change) {
	failed, err := b.commit(batch)
	for i, c := range batch {
		if failed && len(batch) > 1 {
			_, err = b.commit(batch[i : i+1])
		}
		if err != nil {
			c.Result, c.Err = nil, err
		}
	}
	for _, c := range batch {
		close(c.done)
	}
}
