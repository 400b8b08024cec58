package postgres

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// watchEvery is how often it is looked whether PostgreSQL is away.
	watchEvery = 250 * time.Millisecond
	// firstGrace is how long PostgreSQL may be away before the log tells of it. If
	// it goes away again and again, without having been there for a time of calm,
	// that grows by graceGrowth up to calm, so that the log does not fill. What it
	// does not tell of is counted.
	firstGrace  = 500 * time.Millisecond
	graceGrowth = 4
	calm        = time.Minute
)

// Watch lets the log tell when PostgreSQL does not answer, and when it does again,
// until stop is called. It asks nothing: every connection knows how it is doing.
func (s *Store) Watch(log *slog.Logger) (stop func()) {
	log = log.With("file", s.name)
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		var o outages
		for {
			select {
			case <-ended:
				return
			case now := <-ticker.C:
				o.look(log, now, s.away())
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(ended)
		running.Wait()
	})
}

// away says that PostgreSQL does not answer, why, and what becomes of calls; it is
// empty if it does answer, as far as that is known.
func (s *Store) away() string {
	err := s.trouble()
	switch {
	case err == nil:
		return ""
	case passes(err):
		return fmt.Sprintf("PostgreSQL does not answer (%s): calls wait", reason(err))
	}
	return s.state().Error() + "; calls fail until then"
}

// outages are the times in which PostgreSQL does not answer.
type outages struct {
	since time.Time     // when the last one began; zero if it is over
	told  bool          // the log has told of it
	ended time.Time     // when the last one that is over has ended
	grace time.Duration // how long one may last before the log tells
	short int           // how many the log has not told of
	first time.Time     // when the first of these has ended
}

// look takes note of what [Store.away] says at a time, and tells the log what is to
// be told of it.
func (o *outages) look(log *slog.Logger, now time.Time, away string) {
	if away == "" {
		o.end(log, now)
		return
	}
	if o.since.IsZero() {
		o.since, o.told = now, false
		if o.grace == 0 || now.Sub(o.ended) > calm {
			o.grace, o.short = firstGrace, 0
		}
	}
	if !o.told && now.Sub(o.since) >= o.grace {
		o.told = true
		o.grace = min(graceGrowth*o.grace, calm)
		log.Error(away)
	}
}

func (o *outages) end(log *slog.Logger, now time.Time) {
	switch {
	case o.since.IsZero():
		return
	case o.told:
		log.Warn("PostgreSQL answers again, after " + now.Sub(o.since).Round(watchEvery).String())
	case o.short == 0:
		o.short, o.first = 1, now
	default:
		o.short++
		if during := now.Sub(o.first); during >= calm {
			log.Warn(fmt.Sprintf("PostgreSQL was away for short times: %d within %v", o.short, during.Round(time.Second)))
			o.short = 0
		}
	}
	o.since, o.ended = time.Time{}, now
}
