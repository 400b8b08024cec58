// Package batch lets calls that change a database share its transactions.
//
// Start with [Start] and [Batcher.Do].
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
type Batcher[Q, A any] struct {
	commit func(batch []*Call[Q, A]) (failed bool, err error) // see Start
	idle   func()

	calls   chan *Call[Q, A]
	closing chan struct{} // closed when no call is taken any more
	done    chan struct{} // closed when the goroutine has ended
	taken   atomic.Int64  // how many calls have been taken
}

// Call is a call that waits for its batch: a question of type Q, and an answer of
// type A.
type Call[Q, A any] struct {
	Ask    Q
	Asker  store.Asker
	Answer A
	Err    error
	// Ended returns the error of the caller's context, once that has ended.
	Ended func() error
	Came  time.Time     // when it was handed in
	final bool          // Answer and Err are final; the batcher's
	done  chan struct{} // closed then
}

// Fail ends a call of a batch that is being carried out, while the others of it
// go on. It must not be touched any more.
func (c *Call[Q, A]) Fail(err error) {
	c.Err = err
	c.end()
}

// Failed tells whether Fail has been called.
func (c *Call[Q, A]) Failed() bool { return c.final }

func (c *Call[Q, A]) end() {
	c.final = true
	close(c.done)
}

// ChangesNothing tells whether a call that ends with this error has changed
// nothing, so that the others of its transaction need not be undone.
func ChangesNothing(err error) bool {
	return err == nil || errors.Is(err, store.ErrNotFound) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Start starts a batcher. Commit carries out calls in one transaction, and sets
// their answers and errors; with an error of its own, none has happened, and
// failed tells that one of the calls is the cause. Idle, unless it is nil, is
// called now and then while there are no calls.
func Start[Q, A any](commit func([]*Call[Q, A]) (failed bool, err error), idle func()) *Batcher[Q, A] {
	b := &Batcher[Q, A]{
		commit: commit, idle: idle,
		calls: make(chan *Call[Q, A], maxBatch), closing: make(chan struct{}), done: make(chan struct{}),
	}
	go b.loop()
	return b
}

// Close ends the goroutine, once the calls it has taken have their answers.
func (b *Batcher[Q, A]) Close() {
	close(b.closing)
	<-b.done
}

// Do hands in a call and returns its answer, when the transaction is on disk.
// When ctx ends first, nobody knows whether it will be.
func (b *Batcher[Q, A]) Do(ctx context.Context, ask Q) (none A, err error) {
	c := &Call[Q, A]{Ask: ask, Asker: store.AskerOf(ctx), Ended: ctx.Err, Came: time.Now(), done: make(chan struct{})}
	select {
	case b.calls <- c:
	case <-b.closing:
		return none, store.ErrClosed
	case <-ctx.Done():
		return none, ctx.Err()
	}
	select {
	case <-c.done:
		return c.Answer, c.Err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-b.done: // it came too late to be taken
		select {
		case <-c.done:
			return c.Answer, c.Err
		default:
			return none, store.ErrClosed
		}
	}
}

// Taken returns how many calls have been taken into a transaction.
func (b *Batcher[Q, A]) Taken() int64 { return b.taken.Load() }

// Handed returns how many calls have been handed in.
func (b *Batcher[Q, A]) Handed() int { return int(b.taken.Load()) + len(b.calls) }

// Closing returns a channel that is closed when no call is taken any more.
func (b *Batcher[Q, A]) Closing() <-chan struct{} { return b.closing }

func (b *Batcher[Q, A]) loop() {
	defer close(b.done)
	var check <-chan time.Time
	if b.idle != nil {
		ticker := time.NewTicker(idleCheck)
		defer ticker.Stop()
		check = ticker.C
	}
	batch := make([]*Call[Q, A], 0, maxBatch)
	for {
		batch = batch[:0]
		select {
		case c := <-b.calls:
			batch = append(batch, c)
		case <-check:
			b.idle()
			continue
		case <-b.closing:
			// Whatever is in the channel has been taken.
			if len(b.calls) == 0 {
				return
			}
			continue
		}
		// Whoever has a call nearly ready gets to hand it in, for a commit costs
		// much the same whatever is in it. With nothing else to do for this
		// process it is no wait.
		for i := 0; i < maxYields && len(b.calls) < maxBatch/2; i++ {
			runtime.Gosched()
		}
		for len(batch) < maxBatch && len(b.calls) > 0 {
			batch = append(batch, <-b.calls)
		}
		b.taken.Add(int64(len(batch)))
		b.answer(batch)
	}
}

// answer answers a batch. If one of its calls fails, which undoes what the
// others did, each gets a transaction of its own.
func (b *Batcher[Q, A]) answer(batch []*Call[Q, A]) {
	failed, err := b.commit(batch)
	for i, c := range batch {
		if failed && len(batch) > 1 && !c.final {
			_, err = b.commit(batch[i : i+1])
		}
		if err != nil && !c.final {
			var none A
			c.Answer, c.Err = none, err
		}
	}
	for _, c := range batch {
		if !c.final {
			c.end()
		}
	}
}
