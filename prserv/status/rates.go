package status

import (
	"context"
	"sync"
	"time"

	"prserver/prserv"
)

// keptMinutes is how many minutes are remembered.
const keptMinutes = 60

// totals are what a server has done since it began.
type totals struct{ calls, values, failed uint64 }

func (t totals) minus(other totals) totals {
	return totals{t.calls - other.calls, t.values - other.values, t.failed - other.failed}
}

// minute says what a server did in a minute.
type minute struct {
	Begun  time.Time `json:"begun"`
	Calls  uint64    `json:"calls"`
	Values uint64    `json:"values"` // that were given out for the first time, or imported
	Failed uint64    `json:"failed"` // calls without what was asked for
}

// rates remember the last minutes. They read the counters once a minute, so a call
// costs nothing more.
type rates struct {
	mu      sync.Mutex
	minutes ring[minute]
	begun   time.Time // when the minute that lasts has begun
	before  totals    // at that time
}

// tick ends a minute.
func (r *rates) tick(now time.Time, t totals) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.minutes.add(r.lasting(t))
	r.begun, r.before = now, t
}

func (r *rates) lasting(t totals) minute {
	d := t.minus(r.before)
	return minute{r.begun.UTC().Truncate(time.Second), d.calls, d.values, d.failed}
}

// hour returns the minutes of the last hour, the newest first: that which lasts.
func (r *rates) hour(now time.Time, t totals) []minute {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := append([]minute{r.lasting(t)}, r.minutes.newest()...)
	for i, m := range all {
		if now.Sub(m.Begun) > keptMinutes*time.Minute {
			return all[:i]
		}
	}
	return all
}

// watch ends the minutes until ctx ends.
func (s *Status) watch(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			s.rates.tick(now, s.figures.totals())
		case <-ctx.Done():
			return
		}
	}
}

// totals sums up the counters.
func (f *figures) totals() totals {
	t := totals{values: f.given.Get() + f.imported.Get()}
	for _, m := range f.methods {
		for generation := range m.calls {
			for outcome, counter := range m.calls[generation] {
				if counter == nil {
					continue
				}
				n := counter.Get()
				t.calls += n
				if prserv.Outcome(outcome) != prserv.Answered {
					t.failed += n
				}
			}
		}
	}
	return t
}

// calls returns how many calls there were of each generation that has made any.
func (f *figures) calls() []generationCalls {
	of := [len(generationNames)]uint64{}
	for _, m := range f.methods {
		for generation := range m.calls {
			for _, counter := range m.calls[generation] {
				if counter != nil {
					of[generation] += counter.Get()
				}
			}
		}
	}
	all := []generationCalls{}
	for _, generation := range []int{1, 2, 3, 0} {
		if of[generation] > 0 {
			all = append(all, generationCalls{generationNames[generation], of[generation]})
		}
	}
	return all
}

// generationCalls are the calls of a generation.
type generationCalls struct {
	Generation string `json:"generation"` // 1, 2, 3, or 2-3 where the calls do not tell
	Calls      uint64 `json:"calls"`
}
