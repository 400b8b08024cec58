package history_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// BenchmarkNewValues gives out new values, 64 at a time, with a history and
// without, in turns. It reports how many values a second there are with it, in
// percent of those without.
func BenchmarkNewValues(b *testing.B) {
	plain, kept := prservtest.Open(b, prservtest.NewFile(b)), prservtest.Open(b, prservtest.NewFile(b))
	r, err := history.Open(filepath.Join(b.TempDir(), "history"), history.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	kept.Observe(r)
	var next atomic.Int64
	give := func(s *sqlite.Store) time.Duration {
		begun := time.Now()
		prservtest.Together(64, func(int) {
			for range 32 {
				k := store.Key{Version: fmt.Sprintf("v%d", next.Add(1)%5000), Pkgarch: "all", Checksum: fmt.Sprint(next.Add(1))}
				if _, err := s.GetPR(b.Context(), k, store.Mode{}); err != nil {
					b.Error(err)
				}
			}
		})
		return time.Since(begun)
	}
	var took [2]time.Duration
	for b.Loop() {
		took[0] += give(plain)
		took[1] += give(kept)
	}
	_, dropped := r.Counts()
	b.ReportMetric(100*float64(took[0])/float64(took[1]), "%throughput")
	b.ReportMetric(float64(dropped), "dropped")
}
