package history_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
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

// processorTime returns the processor time that this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
