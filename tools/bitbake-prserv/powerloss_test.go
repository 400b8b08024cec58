package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"prserver/prserv/client"
	"prserver/tools/internal/scripttest"
)

// TestAnswerWaitsForTheDisk follows one new value. It has to be written to the log,
// the log has to be synced, and only when the sync has returned may the answer be
// sent.
func TestAnswerWaitsForTheDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prserv.sqlite3")
	checksum := strings.Repeat("c0ffee", 10)
	events := traceServer(t, file, func(c *client.Client) {
		if v, err := c.GetPR(t.Context(), "v", issuedArch, checksum); err != nil || v != 0 {
			t.Errorf("got %d, %v; want 0", v, err)
		}
	})
	var order []string
	var last *sysCall
	for _, e := range events {
		_, isAnswer := e.answers()
		switch {
		case isAnswer && !e.ended:
			order = append(order, "answer")
		case e.path != file+"-wal":
		case e.name == "pwrite64" && bytes.Contains(e.data, []byte(checksum)) && e.ended:
			order = append(order, "written")
		case e.name == "pwrite64" && len(order) > 0 && e.ended:
			order = append(order, "more written")
		case e.syncs() && !e.ended && len(order) > 0:
			last = e.sysCall
		case e.syncs() && e.sysCall == last && e.result == 0:
			order = append(order, "synced")
		}
	}
	// The row is written twice, to a page of the table and to one of its index.
	// After the answer, the log is synced again before it is moved to the file.
	got := strings.Join(order, ", ")
	if !regexp.MustCompile(`^written(, more written)*, written(, more written)*, synced, answer`).MatchString(got) {
		t.Errorf("the order is %q, want the value written, synced and answered", got)
	}
}

// TestPowerLossLosesNothing traces what a loaded server does to its files, and
// replays power cuts at many moments. Every value that had been sent to a client
// has to be on the disk, whether that has kept nothing, all or parts of what was
// not synced.
func TestPowerLossLosesNothing(t *testing.T) {
	cuts := 12
	if scripttest.IsLong() {
		cuts = 1000
	}
	trace := traceLoad(t)
	seed := rand.Uint64()
	lost, opened, err := trace.cutPower(t, cuts, seed, func(string) bool { return false })
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if lost != nil {
		t.Errorf("seed %d: %v", seed, lost)
	}
	t.Logf("%d answers in %d events, %d files opened, seed %d", trace.promised.count(), len(trace.events), opened, seed)

	// The test of the test: on a disk that ignores syncs, values have to be lost.
	for _, ignored := range []string{trace.file + "-wal", trace.file, filepath.Dir(trace.file)} {
		lost, _, err := trace.cutPower(t, 30, seed, func(path string) bool { return path == ignored })
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if lost == nil {
			t.Errorf("seed %d: nothing was lost although nothing synced %s", seed, filepath.Base(ignored))
		}
	}
}

// loadTrace is what a server did under load, and what it answered.
type loadTrace struct {
	file     string
	promised *promises
	events   []event
}

// traceLoad traces a server under load until it has ended.
func traceLoad(t *testing.T) loadTrace {
	t.Helper()
	const clients = 8
	calls := 16
	if scripttest.IsLong() {
		calls = 40
	}
	// With so long a version, the rows fill so many pages that the log is moved to
	// the file a few times.
	trace := loadTrace{file: filepath.Join(t.TempDir(), "prserv.sqlite3"), promised: newPromises(strings.Repeat("v", 3000))}
	seed := rand.Uint64()
	trace.events = traceServer(t, trace.file, func(c *client.Client) {
		// Values go to both tables from now on.
		lines := client.NewJSONLines(c.Addr(), scripttest.Patience)
		defer lines.Close()
		if _, err := lines.GetPR(t.Context(), "other", "all", "a", new(bool)); err != nil {
			t.Error(err)
		}
		var load sync.WaitGroup
		for client := range clients {
			load.Add(1)
			go func() {
				defer load.Done()
				random := rand.New(rand.NewPCG(seed, uint64(client)))
				for i := range calls {
					if err := trace.promised.call(t.Context(), c, client, i, random); err != nil {
						t.Error(err)
						return
					}
				}
			}()
		}
		load.Wait()
	})
	return trace
}

// cutPower replays the trace and cuts the power at about so many random moments: a
// third of them anywhere, a third at answers, a third while the log is moved to
// the file. It returns the first loss, and the number of files it has opened.
func (l loadTrace) cutPower(t *testing.T, cuts int, seed uint64, ignores func(string) bool) (lost error, opened int, err error) {
	random := rand.New(rand.NewPCG(seed, 1))
	base := t.TempDir()
	d := newDisk(filepath.Dir(l.file), ignores)
	promised := map[rowKey]int64{}
	answers, checkpoints, answering, moving := 0, 0, 0, 0
	for _, e := range l.events { // how often each kind of moment comes
		if _, ok := e.answers(); ok && !e.ended {
			answering++
		}
		if e.path == l.file && e.name == "pwrite64" {
			moving++
		}
	}
	for i, e := range l.events {
		wasCheckpointing := d.isCheckpointing(filepath.Base(l.file))
		if err := d.see(e); err != nil {
			return nil, opened, fmt.Errorf("event %d: %w", i, err)
		}
		among := len(l.events)
		if v, ok := e.answers(); ok && !e.ended {
			key, ok := l.promised.holders[v]
			if !ok {
				return nil, opened, fmt.Errorf("event %d: %d was sent, but nobody got it", i, v)
			}
			promised[key] = max(v, promised[key])
			answers++
			among = answering
		} else if d.isCheckpointing(filepath.Base(l.file)) {
			among = moving
			if !wasCheckpointing {
				checkpoints++
			}
		}
		if random.IntN(among) >= cuts/3 {
			continue
		}
		for _, cut := range []powerCut{losesAll, losesSome, losesSome, losesNone} {
			dir := filepath.Join(base, strconv.Itoa(opened))
			if err := os.Mkdir(dir, 0o777); err != nil {
				return nil, opened, err
			}
			if err := d.write(dir, cut, random); err != nil {
				return nil, opened, err
			}
			opened++
			lost := checkStored(filepath.Join(dir, filepath.Base(l.file)), l.promised.version, promised)
			if lost != nil {
				return fmt.Errorf("power cut %d at event %d of %d (%s %s): %w", cut, i, len(l.events), e.name, e.path, lost), opened, nil
			}
			if err := os.RemoveAll(dir); err != nil {
				return nil, opened, err
			}
		}
	}
	if answers != l.promised.count() || checkpoints < 3 {
		err = fmt.Errorf("the trace has %d answers and %d checkpoints, want %d and at least 3", answers, checkpoints, l.promised.count())
	}
	return nil, opened, err
}
