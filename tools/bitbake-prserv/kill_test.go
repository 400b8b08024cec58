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

// TestKillLosesNothing kills the server again and again under load. Whatever
// was answered has to be in the file then, for a program that knows nothing of
// the server, and for the next server, which has to go on where the last one
// was.
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
	prs := ask(addr)
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
		// A copy, because SQLite tidies up the original for whoever opens it,
		// and that is to be left to the next server.
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
	// A call can break at every kill, but the next waits for the next server.
	if n := cutOff.Load(); n > int64(kills*clients) {
		t.Errorf("%d calls broke, want at most %d", n, kills*clients)
	}
	t.Logf("%d kills, %d answers, %d calls cut off", kills, promised.count(), cutOff.Load())
}

// waitForCalls waits until a server has answered some more calls.
func waitForCalls(t *testing.T, p *promises, more int) {
	t.Helper()
	enough := p.count() + more
	scripttest.WaitFor(t, fmt.Sprintf("%d answers", enough), func() bool { return t.Failed() || p.count() >= enough })
	if t.Failed() {
		t.FailNow()
	}
}
