package main

import (
	"slices"
	"time"
)

// results are the figures of a load. The names in JSON must not change: other
// programs read them. _us are microseconds.
type results struct {
	Calls          int     `json:"calls"` // those that got a value
	Errors         int     `json:"errors"`
	FirstError     string  `json:"first_error,omitempty"`
	CallsPerSecond float64 `json:"calls_per_second"`
	P50            float64 `json:"p50_us"`
	P99            float64 `json:"p99_us"`
	P999           float64 `json:"p999_us"`
	Max            float64 `json:"max_us"`
	// CPUPerCall is the server's CPU time, 0 if unknown.
	CPUPerCall float64 `json:"cpu_us_per_call"`
}

// collect makes the results of what the clients have recorded. took is the time
// measured, cpu the server's CPU time in it.
func collect(clients []*caller, took, cpu time.Duration) *results {
	r := &results{}
	var all []time.Duration
	for _, c := range clients {
		all = append(all, c.latencies...)
		r.Errors += c.errors
		if c.first != nil && r.FirstError == "" {
			r.FirstError = c.first.Error()
		}
	}
	slices.Sort(all)
	r.Calls = len(all)
	r.CallsPerSecond = float64(len(all)) / took.Seconds()
	if len(all) == 0 {
		return r
	}
	// at returns a percentile, in thousandths.
	at := func(thousandths int) float64 {
		return microseconds(all[(thousandths*len(all)+999)/1000-1])
	}
	r.P50, r.P99, r.P999, r.Max = at(500), at(990), at(999), at(1000)
	r.CPUPerCall = microseconds(cpu) / float64(len(all))
	return r
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// to returns r divided by other, or nil if either has no calls.
func (r *results) to(other *results) *ratio {
	if r.Calls == 0 || other.Calls == 0 {
		return nil
	}
	return &ratio{
		r.CallsPerSecond / other.CallsPerSecond,
		r.P50 / other.P50, r.P99 / other.P99, r.P999 / other.P999, r.Max / other.Max,
		quotient(r.CPUPerCall, other.CPUPerCall),
	}
}

// ratio is how the results of one server compare to those of another.
type ratio struct {
	CallsPerSecond float64 `json:"calls_per_second"`
	P50            float64 `json:"p50"`
	P99            float64 `json:"p99"`
	P999           float64 `json:"p999"`
	Max            float64 `json:"max"`
	CPUPerCall     float64 `json:"cpu_per_call"` // 0 if unknown
}

// quotient returns a / b, or 0 if either is 0, which means unknown.
func quotient(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
