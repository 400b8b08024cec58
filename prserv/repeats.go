package prserv

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	// maxDetails is how many different records of one trouble are written
	// before the rest is only counted.
	maxDetails = 16
	// maxTroubles is how many troubles are told apart. Beyond them all are
	// counted as one, so that nobody fills the memory or the log by coming
	// from many addresses.
	maxTroubles = 1024
	// firstCount and lastCount are when it is told how often a trouble has come
	// again. The time between doubles as long as it lasts.
	firstCount = time.Minute
	lastCount  = time.Hour
)

// repeats is a log handler that counts what comes again, instead of writing it.
// A trouble is what has the same message and comes from the same address, that
// of the attribute "client". The other attributes say what is particular: a
// trouble is written with up to [maxDetails] different ones.
type repeats struct {
	slog.Handler
	troubles *troubles
}

// troubles are what has been written lately.
type troubles struct {
	next slog.Handler // writes the counts
	seed maphash.Seed

	mu   sync.Mutex
	last map[troubleKey]*trouble // guarded by mu
}

type troubleKey struct{ message, client string }

// otherTroubles stands for all beyond [maxTroubles].
var otherTroubles = troubleKey{message: "trouble with many clients"}

// trouble is one of them. Its fields are guarded by troubles.mu.
type trouble struct {
	level   slog.Level
	every   time.Duration
	timer   *time.Timer         // calls [troubles.tell]
	details map[uint64]struct{} // hashes of what has been written
	more    int                 // how often it has come without being written
}

func newRepeats(next slog.Handler) *repeats {
	return &repeats{next, &troubles{next: next, seed: maphash.MakeSeed(), last: map[troubleKey]*trouble{}}}
}

// Handle writes a record, or counts it.
func (h *repeats) Handle(ctx context.Context, r slog.Record) error {
	key, details := h.troubles.read(r)
	if h.troubles.isRepeated(key, r.Level, details) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func (h *repeats) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &repeats{h.Handler.WithAttrs(attrs), h.troubles}
}

func (h *repeats) WithGroup(name string) slog.Handler {
	return &repeats{h.Handler.WithGroup(name), h.troubles}
}

// read returns the trouble that a record is about, and a hash of its details.
func (ts *troubles) read(r slog.Record) (troubleKey, uint64) {
	key := troubleKey{message: r.Message}
	var details maphash.Hash
	details.SetSeed(ts.seed)
	r.Attrs(func(a slog.Attr) bool {
		text := a.Value.Resolve().String()
		if a.Key == "client" {
			key.client = hostOf(text)
			return true
		}
		details.WriteString(a.Key + "\x00" + text + "\x00")
		return true
	})
	return key, details.Sum64()
}

// isRepeated counts a record, and tells whether it is not to be written.
func (ts *troubles) isRepeated(key troubleKey, level slog.Level, details uint64) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, ok := ts.last[key]
	if !ok && len(ts.last) >= maxTroubles {
		key = otherTroubles
		t, ok = ts.last[key]
	}
	if !ok {
		t = &trouble{level: level, every: firstCount, details: map[uint64]struct{}{}}
		t.timer = time.AfterFunc(t.every, func() { ts.tell(key) })
		ts.last[key] = t
	}
	if _, ok := t.details[details]; ok || len(t.details) >= maxDetails {
		t.more++
		return true
	}
	t.details[details] = struct{}{}
	return false
}

// tell writes how often a trouble has come again, and forgets it if it has not.
func (ts *troubles) tell(key troubleKey) {
	ts.mu.Lock()
	t, ok := ts.last[key]
	if !ok {
		ts.mu.Unlock()
		return
	}
	more, every := t.more, t.every
	if more == 0 {
		delete(ts.last, key)
	} else {
		clear(t.details)
		t.more = 0
		t.every = min(2*t.every, lastCount)
		t.timer.Reset(t.every)
	}
	ts.mu.Unlock()
	if more > 0 {
		ts.write(key, t.level, more, every)
	}
}

// end writes the counts that are still to be told, and forgets all.
func (ts *troubles) end() {
	ts.mu.Lock()
	last := ts.last
	ts.last = map[troubleKey]*trouble{}
	ts.mu.Unlock()
	for key, t := range last {
		// Nobody else has it any more, but for a timer that finds it gone.
		t.timer.Stop()
		if t.more > 0 {
			ts.write(key, t.level, t.more, t.every)
		}
	}
}

func (ts *troubles) write(key troubleKey, level slog.Level, more int, during time.Duration) {
	r := slog.NewRecord(time.Now(), level, fmt.Sprintf("%s: %d more like this within %v", key.message, more, during), 0)
	if key.client != "" {
		r.Add("client", key.client)
	}
	ts.next.Handle(context.Background(), r)
}

// hostOf returns an address without its port.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
