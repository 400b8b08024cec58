package status_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"prserver/prserv"
	"prserver/prserv/client"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// BenchmarkObserved compares the processor time of known values, of client and
// server together, with a status and without. Both servers take turns, so that
// whatever else the machine does is the same for both. It reports how much more
// a call costs with a status, in percent.
func BenchmarkObserved(b *testing.B) {
	for _, lines := range []bool{false, true} {
		b.Run(map[bool]string{false: "xmlrpc", true: "jsonlines"}[lines], func(b *testing.B) {
			plain := prservtest.ServeConfig(b, prservtest.NewFile(b), prserv.Config{})
			observed, _ := serve(b)
			var took [2]time.Duration
			asks := [2]func(int){askFrom(b, plain, lines), askFrom(b, observed, lines)}
			asks[0](10)
			asks[1](10)
			const atOnce = 200
			b.ResetTimer()
			for i := 0; i < b.N; i += atOnce {
				for turn := range 2 {
					which := (turn + i/atOnce) % 2
					begun := processorTime(b)
					asks[which](atOnce)
					took[which] += processorTime(b) - begun
				}
			}
			calls := (b.N + atOnce - 1) / atOnce * atOnce
			b.ReportMetric(float64(took[0].Nanoseconds())/float64(calls), "ns-plain/op")
			b.ReportMetric(float64(took[1].Nanoseconds())/float64(calls), "ns-observed/op")
			b.ReportMetric(100*(float64(took[1])/float64(took[0])-1), "%more")
		})
	}
}

// askFrom returns a function that asks a server n times for the same value.
func askFrom(b *testing.B, s *prservtest.Server, lines bool) func(n int) {
	ask := func() error {
		_, err := s.Client().GetPR(b.Context(), "make-4.1-r0", "core2-64", "9e107d9d")
		return err
	}
	if lines {
		c := client.NewJSONLines(s.Addr, client.Timeout)
		b.Cleanup(c.Close)
		ask = func() error {
			_, err := c.GetPR(b.Context(), "make-4.1-r0", "core2-64", "9e107d9d", nil)
			return err
		}
	}
	if _, err := s.DB.GetPR(b.Context(), store.Key{Version: "make-4.1-r0", Pkgarch: "core2-64", Checksum: "9e107d9d"}, store.Mode{}); err != nil {
		b.Fatal(err)
	}
	return func(n int) {
		for range n {
			if err := ask(); err != nil {
				b.Fatal(fmt.Errorf("asking: %w", err))
			}
		}
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
