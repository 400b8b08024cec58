package history_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// BenchmarkEvents records events, 16 a transaction, in a history that is full, so
// that each event makes it forget another one. It reports the processor time of an
// event, everything in the background included, and the size of the file.
func BenchmarkEvents(b *testing.B) {
	const atOnce, rows = 16, 100_000
	file := filepath.Join(b.TempDir(), "history")
	r, err := history.Open(file, history.Options{Rows: rows, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	next := int64(0)
	record := func(n int) {
		for range n {
			c := given("gtk+3-3.24.34-r0", make([]int64, atOnce)...)
			for i := range c.Changes {
				next++
				k := &c.Changes[i].Key
				k.Pkgarch, k.Checksum = "core2-64", fmt.Sprintf("%s%08x", strings.Repeat("9e107d9d", 7), next)
				c.Changes[i].Value, c.Changes[i].Before = next, next-1
			}
			// Nothing is to be dropped, and no turn of the disk to be measured.
			for r.State().Waiting > 30_000 {
				time.Sleep(time.Millisecond)
			}
			r.Committed(store.Commit{Changes: c.Changes})
		}
	}
	flush := func() {
		prservtest.WaitFor(b, "the file", func() bool { s := r.State(); return s.Waiting == 0 || s.Trouble != nil })
	}
	record(rows / atOnce)
	flush()
	b.ResetTimer()
	begun, told := processorTime(b), r.State().Written
	for b.Loop() {
		record(1)
	}
	flush()
	s := r.State()
	if s.Trouble != nil || s.Dropped > 0 {
		b.Fatalf("%+v", s)
	}
	b.ReportMetric(float64((processorTime(b)-begun).Nanoseconds())/float64(s.Written-told), "CPU-ns/event")
	if info, err := os.Stat(file); err == nil {
		b.ReportMetric(float64(info.Size())/rows, "B/event")
	}
}

// BenchmarkNewValues compares the processor time of new values, of 32 callers of a
// store, with a history and without, which take turns: so whatever else the machine
// does is the same for both. A turn ends when all is in the files, which are closed.
// It reports how much more a value costs with a history, in percent.
func BenchmarkNewValues(b *testing.B) {
	const atOnce = 12800
	turn := func(withHistory bool) time.Duration {
		s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "prserv.sqlite3"), false)
		if err != nil {
			b.Fatal(err)
		}
		var r *history.Recorder
		if withHistory {
			if r, err = history.Open(history.Beside(s.Name()), history.Options{Log: slog.New(slog.DiscardHandler)}); err != nil {
				b.Fatal(err)
			}
			s.Observe(r)
		}
		begun := processorTime(b)
		askNew(b, s, atOnce)
		if err := errors.Join(s.Close(), r.Close()); err != nil {
			b.Error(err)
		}
		return processorTime(b) - begun
	}
	var took [2]time.Duration
	b.ReportAllocs()
	for i := 0; i < b.N; i += atOnce {
		for _, which := range [2]int{i / atOnce % 2, 1 - i/atOnce%2} {
			took[which] += turn(which == 1)
		}
	}
	calls := (b.N + atOnce - 1) / atOnce * atOnce
	b.ReportMetric(float64(took[0].Nanoseconds())/float64(calls), "ns-without/op")
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(calls), "ns-with/op")
	b.ReportMetric(100*(float64(took[1])/float64(took[0])-1), "%more")
}

// askNew asks a store for n new values, as 32 clients.
func askNew(b *testing.B, s *sqlite.Store, n int) {
	const callers = 32
	ctx := store.WithAsker(b.Context(), store.Asker{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711}, Generation: 1, Method: "getPR"})
	var all sync.WaitGroup
	for caller := range callers {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := caller; i < n; i += callers {
				k := store.Key{Version: fmt.Sprintf("package-%d-1.0-r0", i*7919%1000), Pkgarch: "core2-64",
					Checksum: fmt.Sprintf("%s%08x", strings.Repeat("9e107d9d", 7), i)}
				if _, err := s.GetPR(ctx, k, store.Mode{}); err != nil {
					b.Error(err)
				}
			}
		}()
	}
	all.Wait()
}

// processorTime returns the processor time that this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
