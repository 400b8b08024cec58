package status

import "time"

// Minute ends a minute, in which so much happened, at a time.
func (s *Status) Minute(now time.Time, calls, values, failed uint64) {
	s.rates.mu.Lock()
	before := s.rates.before
	s.rates.mu.Unlock()
	s.rates.tick(now, totals{before.calls + calls, before.values + values, before.failed + failed})
}

// Begin sets when the first minute has begun.
func (s *Status) Begin(at time.Time) { s.begun, s.rates.begun = at, at }

// Counted makes the minute that lasts begin with what the counters have.
func (s *Status) Counted() { s.rates.before = s.figures.totals() }

func init() {
	patience = time.Minute                           // however busy the machine is
	time.Local = time.FixedZone("here", 5*3600+1800) // what is not UTC shows
}
