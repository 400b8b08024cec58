package access

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// hour is how long what was told once is not told again.
	hour = time.Hour
	// maxTold is how many refusals are told apart. Beyond them all are told as
	// one, so that nobody fills the memory or the log from many addresses.
	maxTold = 1024
	// forgetEvery is how often, at most, it is looked what may be forgotten.
	forgetEvery = time.Minute
)

// Hourly tells which refusals are to be told: the first of an address and reason
// within an hour. The zero Hourly has told none.
type Hourly struct {
	mu     sync.Mutex
	told   map[refusal]time.Time // when it was told; guarded by mu
	forgot time.Time             // when it was looked what may be forgotten; guarded by mu
}

// refusal is what is told once.
type refusal struct {
	addr   netip.Addr // zero for all addresses that are not told apart
	reason string
}

// First tells whether the refusal of an address is to be told, and whether it
// stands for those of all addresses beyond the 1,024 that are told apart.
func (h *Hourly) First(addr netip.Addr, reason string, now time.Time) (first, others bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.told == nil {
		h.told = map[refusal]time.Time{}
	}
	r := refusal{addr, reason}
	if _, ok := h.told[r]; !ok && len(h.told) >= maxTold {
		h.forget(now)
		if len(h.told) >= maxTold {
			r, others = refusal{reason: reason}, true
		}
	}
	if at, ok := h.told[r]; ok && now.Sub(at) < hour {
		return false, others
	}
	h.told[r] = now
	return true, others
}

// forget forgets what was told an hour ago. It must be called with mu held.
func (h *Hourly) forget(now time.Time) {
	if now.Sub(h.forgot) < forgetEvery {
		return
	}
	h.forgot = now
	for r, at := range h.told {
		if now.Sub(at) >= hour {
			delete(h.told, r)
		}
	}
}
