package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"prserver/prserv/store/sqlite"
	"prserver/tools/internal/scripttest"
)

// TestRestartFailsNoCall restarts the server again and again under load, with a
// socket that stays open as systemd's does. BitBake does not try again: no call
// may fail, and no answer may be forgotten.
func TestRestartFailsNoCall(t *testing.T) {
	const clients = 8
	restarts := 5
	if scripttest.IsLong() {
		restarts = 50
	}
	addr, socket := keptSocket(t)
	file := filepath.Join(t.TempDir(), "prserv.sqlite3")
	prs := everyBitBake{ask(addr)}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var load sync.WaitGroup
	var answered atomic.Int64
	answers := make([]map[string]int64, clients)
	for c := range clients {
		answers[c] = map[string]int64{}
		load.Add(1)
		go func() {
			defer load.Done()
			for i := 0; ctx.Err() == nil; i++ {
				checksum := fmt.Sprintf("%d-%d", c, i)
				v, err := prs.GetPR(context.WithoutCancel(ctx), "v", "all", checksum)
				if err != nil {
					t.Errorf("getPR of %s: %v", checksum, err)
					return
				}
				answers[c][checksum] = v
				answered.Add(1)
			}
		}()
	}
	for range restarts {
		server := startOn(t, socket, file)
		enough := answered.Load() + 100
		scripttest.WaitFor(t, "100 answers", func() bool { return t.Failed() || answered.Load() >= enough })
		server.stop(t)
	}
	server := startOn(t, socket, file)
	cancel()
	load.Wait()
	checkIssued(t, file, answers)
	server.stop(t)
}

// checkIssued checks that the file holds every value that was answered, and that
// no two checksums share one: each was asked for once.
func checkIssued(t *testing.T, file string, answers []map[string]int64) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	holder := map[int64]string{}
	for _, issued := range answers {
		for checksum, v := range issued {
			if other, ok := holder[v]; ok {
				t.Errorf("%s and %s both got %d", checksum, other, v)
			}
			holder[v] = checksum
		}
	}
	if len(holder) == 0 {
		t.Fatal("no value was issued")
	}
	var dump strings.Builder
	if err := store.Dump(t.Context(), &dump); err != nil {
		t.Fatal(err)
	}
	stored := storedValues(t, dump.String())
	for v, checksum := range holder {
		if stored[checksum] != v {
			t.Errorf("%s was answered %d, stored is %d", checksum, v, stored[checksum])
		}
	}
	t.Logf("%d values issued", len(holder))
}

var insertedRow = regexp.MustCompile(`VALUES\('v','all','([^']*)',(\d+)\);`)

// storedValues returns the values in a dump by checksum. The keys need no quoting.
func storedValues(t *testing.T, dump string) map[string]int64 {
	t.Helper()
	values := map[string]int64{}
	for _, m := range insertedRow.FindAllStringSubmatch(dump, -1) {
		var v int64
		if _, err := fmt.Sscan(m[2], &v); err != nil {
			t.Fatal(err)
		}
		values[m[1]] = v
	}
	return values
}
