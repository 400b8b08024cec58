package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// load says how to load a server, and for how long.
type load struct {
	// Generation is that of the clients: 1 is XML-RPC, 2 and 3 are JSON lines,
	// with values that are numbers and texts.
	Generation int
	Clients    int
	NewPercent int
	KeepAlive  bool
	Duration   time.Duration
	Warmup     time.Duration
	// Keys is the number of packages that have a known value. The new checksums go
	// to as many other packages, so that known values stay known.
	Keys int
	PID  int // the server's process, 0 if unknown
}

// run makes the known keys, loads the server at addr and returns the results. It
// keeps calling tick with the time that has passed.
func (l load) run(ctx context.Context, addr string, tick func(time.Duration)) (*results, error) {
	clients := make([]*caller, l.Clients)
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	for i := range clients {
		clients[i] = &caller{load: l, addr: addr, run: run, number: i, random: rand.New(rand.NewPCG(1, uint64(i)))}
	}
	if err := l.makeKeys(ctx, clients); err != nil {
		return nil, fmt.Errorf("asking %s for the known values: %w", addr, err)
	}
	var measuring, measured atomic.Bool
	measuring.Store(l.Warmup == 0) // or the first calls would not count
	loadCtx, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	begin := time.Now()
	for _, c := range clients {
		running.Add(1)
		go func() {
			defer running.Done()
			defer c.hangUp()
			for loadCtx.Err() == nil {
				counted := measuring.Load()
				c.measure(ctx, counted)
				if counted && !measured.Load() {
					measured.Store(true)
				}
			}
		}()
	}
	wait := func(until time.Duration) {
		for passed := time.Since(begin); passed < until && ctx.Err() == nil; passed = time.Since(begin) {
			tick(passed)
			time.Sleep(min(100*time.Millisecond, until-passed))
		}
	}
	wait(l.Warmup)
	cpu := cpuTime(l.PID)
	start := time.Now()
	measuring.Store(true)
	wait(l.Warmup + l.Duration)
	// At least one call has to end, however slow the server is.
	for !measured.Load() && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	measuring.Store(false)
	took := time.Since(start)
	cpu = cpuTime(l.PID) - cpu
	stop()
	running.Wait() // calls that have begun count too
	tick(l.Warmup + l.Duration)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return collect(clients, took, cpu), nil
}

// makeKeys asks once for every known key, so that each has a value.
func (l load) makeKeys(ctx context.Context, clients []*caller) error {
	// The first error ends all clients: the others would only get the same.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for i, c := range clients {
		running.Add(1)
		go func() {
			defer running.Done()
			defer c.hangUp()
			for key := i; key < l.Keys && ctx.Err() == nil; key += len(clients) {
				if err := c.call(ctx, key, "known"); err != nil {
					cancel(err)
				}
			}
		}()
	}
	running.Wait()
	return context.Cause(ctx)
}
