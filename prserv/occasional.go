package prserv

import (
	"sync"
	"time"
)

// maxOccasions is how many keys are remembered. When there are more, all are
// forgotten, so that nobody fills the memory by coming from many addresses.
const maxOccasions = 1024

// occasional tells when something is due again that is to be said now and then
// only, for each key.
type occasional struct {
	every time.Duration

	mu   sync.Mutex
	last map[string]time.Time // guarded by mu
}

func newOccasional(every time.Duration) *occasional {
	return &occasional{every: every, last: map[string]time.Time{}}
}

// isDue tells whether a key has not been due for long enough.
func (o *occasional) isDue(key string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if last, ok := o.last[key]; ok && now.Sub(last) < o.every {
		return false
	}
	if len(o.last) >= maxOccasions {
		clear(o.last)
	}
	o.last[key] = now
	return true
}
