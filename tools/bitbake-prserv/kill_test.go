package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"prserver/prserv/client"
	"prserver/tools/internal/scripttest"
)

// TestKillLosesNothing kills the server again and again under load, by clients of
// all generations. Each time the
// file has to hold every value that was answered, read with nothing but SQLite,
// and the next server has to go on from there.
func TestKillLosesNothing(t *testing.T) {
	const clients = 8
	kills := 5
	if scripttest.IsLong() {
		kills = 100
	}
	addr, socket := keptSocket(t)
	file := filepath.Join(t.TempDir(), "prserv.sqlite3")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)

	promised := newPromises("v")
	prs := everyBitBake{ask(addr)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var cutOff atomic.Int64
	var load sync.WaitGroup
	defer load.Wait()
	defer cancel()
	for c := range clients {
		load.Add(1)
		go func() {
			defer load.Done()
			random := rand.New(rand.NewPCG(seed, uint64(c)))
			for i := 0; ctx.Err() == nil; i++ {
				err := promised.call(ctx, prs, c, i, random)
				var fault *client.FaultError
				switch {
				case err == nil || ctx.Err() != nil:
				case errors.As(err, &fault), errors.Is(err, client.ErrNoValue), errors.Is(err, errBroken):
					t.Error(err)
					return
				default: // the connection broke: it was the server's last moment
					cutOff.Add(1)
				}
			}
		}()
	}

	random := rand.New(rand.NewPCG(seed, clients))
	for kill := range kills {
		server := startOn(t, socket, file)
		waitForCalls(t, promised, 1+random.IntN(200))
		time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond) // not always just after an answer
		server.kill(t)
		// Look at a copy: opening the original would make SQLite tidy it up, which
		// the next server has to do.
		copied, err := copyDatabase(file, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := checkStored(copied, promised.version, promised.snapshot()); err != nil {
			t.Fatalf("after kill %d: %v", kill+1, err)
		}
	}
	server := startOn(t, socket, file)
	waitForCalls(t, promised, 100)
	cancel()
	load.Wait()
	server.stop(t)
	if err := checkStored(file, promised.version, promised.snapshot()); err != nil {
		t.Error(err)
	}
	// A kill breaks at most one call of each client: the next call waits for the
	// next server.
	if n := cutOff.Load(); n > int64(kills*clients) {
		t.Errorf("%d calls broke, want at most %d", n, kills*clients)
	}
	t.Logf("%d kills, %d answers, %d calls cut off", kills, promised.count(), cutOff.Load())
}

// waitForCalls waits until so many more calls have been answered.
func waitForCalls(t *testing.T, p *promises, more int) {
	t.Helper()
	enough := p.count() + more
	scripttest.WaitFor(t, fmt.Sprintf("%d answers", enough), func() bool { return t.Failed() || p.count() >= enough })
	if t.Failed() {
		t.FailNow()
	}
}
