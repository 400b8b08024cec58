package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"prserver/prserv/client"
	"prserver/prserv/store"
	"prserver/tools/internal/scripttest"
)

const (
	soakDuration = 10 * time.Minute
	soakWarmUp   = time.Minute
	// soakSlack is how much the memory, some 25 MiB, may vary: by what a dump takes,
	// and by what the collector has not returned yet. A leak of ten bytes a call
	// would be more.
	soakSlack = 4 << 20
	// soakSamples are enough to compare a tenth of them with another.
	soakSamples = 100
)

// TestSoak keeps a server busy for ten minutes. At the end it must not have more
// memory and descriptors than after the first minute.
//
// The server is built without the race detector, whose own memory grows by some
// 300 bytes with every call.
func TestSoak(t *testing.T) {
	if !scripttest.IsLong() {
		t.Skipf("takes %v: only with PRSERV_LONG=1", soakDuration)
	}
	const clients = 8
	addr, socket := keptSocket(t)
	dir := t.TempDir()
	if _, err := scripttest.BuildServer(dir); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	file := filepath.Join(dir, "prserv.sqlite3")
	server := startOn(t, socket, file)
	prs := ask(addr)

	ctx, cancel := context.WithTimeout(t.Context(), soakDuration)
	defer cancel()
	var calls [soakKinds]atomic.Int64
	var load sync.WaitGroup
	for c := range clients {
		load.Add(1)
		go func() {
			defer load.Done()
			random := rand.New(rand.NewPCG(uint64(c), 0))
			for ctx.Err() == nil {
				kind, err := soakCall(context.WithoutCancel(ctx), prs, random)
				if err != nil {
					t.Error(err)
					cancel()
					return
				}
				calls[kind].Add(1)
			}
		}()
	}
	samples := sampleProcess(ctx, t, server.pid(), time.Second)
	load.Wait()
	server.stop(t)
	for kind := range calls {
		if calls[kind].Load() == 0 {
			t.Errorf("no %s", soakKind(kind))
		}
		t.Logf("%d %s", calls[kind].Load(), soakKind(kind))
	}
	if len(samples) < soakSamples {
		t.Fatalf("looked at the process %d times only, want at least %d", len(samples), soakSamples)
	}

	// A dump shows in single samples, so compare medians: of the tenth of the time
	// after the warm-up, and of the last tenth.
	warm := int(int64(len(samples)) * int64(soakWarmUp) / int64(soakDuration))
	window := len(samples) / 10
	after, end := usual(samples[warm:warm+window]), usual(samples[len(samples)-window:])
	t.Logf("after the warm-up: %d MiB, %d descriptors; at the end: %d MiB, %d descriptors",
		after.memory>>20, after.descriptors, end.memory>>20, end.descriptors)
	if limit := after.memory + soakSlack; end.memory > limit {
		t.Errorf("memory has grown from %d to %d bytes, more than %d", after.memory, end.memory, limit)
	}
	// Each client may have a connection open at either moment.
	if limit := after.descriptors + clients; end.descriptors > limit {
		t.Errorf("open descriptors have grown from %d to %d, more than %d", after.descriptors, end.descriptors, limit)
	}
}

// soakKind is a kind of call in the soak.
type soakKind int

const (
	knownValues soakKind = iota
	newValues
	imports
	exports
	dumps
	soakKinds
)

func (k soakKind) String() string {
	return [...]string{"known values", "new values", "imports", "exports", "dumps"}[k]
}

// soakCall makes a random call. The table must not keep growing, or dumps would
// take more and more memory, so new values go to checksums that had a value which
// is no longer the greatest, as when a recipe goes back and forth.
func soakCall(ctx context.Context, c *client.Client, random *rand.Rand) (soakKind, error) {
	const groups, checksums = 500, 4
	group := random.IntN(groups)
	version, checksum := fmt.Sprintf("recipe%d-1.0-r0", group), fmt.Sprintf("%032x", random.IntN(checksums))
	switch n := random.IntN(1000); {
	case n == 0:
		dump, err := c.DumpDB(ctx)
		if err != nil {
			return dumps, err
		}
		defer dump.Close()
		text, err := io.ReadAll(dump)
		if err == nil && !bytes.HasSuffix(text, []byte("COMMIT;\n")) {
			err = fmt.Errorf("a dump ends with %.20q", text[max(0, len(text)-20):])
		}
		return dumps, err
	case n < 20:
		_, err := c.Export(ctx, store.Filter{Version: &version}, true)
		return exports, err
	case n < 120:
		_, err := c.ImportOne(ctx, version, "imported", checksum, random.Int64N(1<<30))
		return imports, err
	case n < 320:
		_, err := c.GetPR(ctx, version, "all", checksum)
		return newValues, err
	}
	_, err := c.GetPR(ctx, version, "known", "the only one")
	return knownValues, err
}

// processSize is how many bytes of memory and how many descriptors a process has.
type processSize struct{ memory, descriptors int }

// sampleProcess measures a process again and again until ctx ends.
func sampleProcess(ctx context.Context, t *testing.T, pid int, every time.Duration) []processSize {
	t.Helper()
	var samples []processSize
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
		}
		size, err := sizeOf(pid)
		if err != nil {
			t.Error(err)
			return samples
		}
		samples = append(samples, size)
	}
}

// sizeOf returns the resident memory of a process and the number of its
// descriptors.
func sizeOf(pid int) (size processSize, err error) {
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return size, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return size, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kB, err := strconv.Atoi(fields[1])
			return processSize{kB << 10, len(open)}, err
		}
	}
	return size, fmt.Errorf("process %d has no VmRSS", pid)
}

// usual returns the medians of samples.
func usual(samples []processSize) processSize {
	median := func(of func(processSize) int) int {
		var all []int
		for _, s := range samples {
			all = append(all, of(s))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return processSize{
		median(func(s processSize) int { return s.memory }),
		median(func(s processSize) int { return s.descriptors }),
	}
}
