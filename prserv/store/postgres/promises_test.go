package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

// asked is a call and what it was answered.
type asked struct {
	key        store.Key
	value      int64
	start, end time.Time
}

// load is 32 callers who ask several stores, and remember what they were
// answered.
type load struct {
	t      *testing.T
	stores []*postgres.Store
	stop   chan struct{}
	all    sync.WaitGroup

	mu      sync.Mutex
	answers []asked // guarded by mu
}

// startLoad starts the callers, until finish is called.
func startLoad(t *testing.T, stores ...*postgres.Store) *load {
	t.Helper()
	l := &load{t: t, stores: stores, stop: make(chan struct{})}
	for caller := range 32 {
		l.all.Add(1)
		go func() {
			defer l.all.Done()
			l.call(caller)
		}()
	}
	return l
}

func (l *load) call(caller int) {
	for i := 0; ; i++ {
		select {
		case <-l.stop:
			return
		default:
		}
		k := key(fmt.Sprint("v", rand.IntN(8)), "all", fmt.Sprint("c", rand.IntN(6)))
		if rand.IntN(4) == 0 {
			k.Checksum = fmt.Sprint("new ", caller, " ", i)
		}
		m := store.Mode{Revisions: rand.IntN(3) == 0}
		a := asked{key: k, start: time.Now()}
		v, err := l.stores[rand.IntN(len(l.stores))].GetPR(context.Background(), k, m)
		a.end = time.Now()
		if err != nil {
			l.t.Errorf("%v: %v", k, err)
			return
		}
		if r, ok := v.(store.Revision); ok {
			a.value = r[0]
		} else {
			a.value = v.(int64)
		}
		l.mu.Lock()
		l.answers = append(l.answers, a)
		l.mu.Unlock()
	}
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.answers)
}

// wait waits until so many more calls have been answered.
func (l *load) wait(more int) {
	l.t.Helper()
	enough := l.count() + more
	prservtest.WaitFor(l.t, fmt.Sprint(more, " answers"), func() bool { return l.count() >= enough || l.t.Failed() })
}

// finish ends the callers and holds what they were answered against what every
// server promises: no value is given to two checksums; whoever asks after an
// answer was given gets none that is lower; and all of it is stored at a URL.
func (l *load) finish(url string) {
	l.t.Helper()
	close(l.stop)
	l.all.Wait()
	type value struct {
		version string
		n       int64
	}
	holders := map[value]string{}
	groups := map[string][]asked{}
	longest := time.Duration(0)
	for _, a := range l.answers {
		v := value{a.key.Version, a.value}
		if other, ok := holders[v]; ok && other != a.key.Checksum {
			l.t.Errorf("%s: %d was given to %s and %s", a.key.Version, a.value, other, a.key.Checksum)
		}
		holders[v] = a.key.Checksum
		groups[a.key.Version] = append(groups[a.key.Version], a)
		longest = max(longest, a.end.Sub(a.start))
	}
	for version, answers := range groups {
		byEnd := slices.Clone(answers)
		slices.SortFunc(byEnd, func(a, b asked) int { return a.end.Compare(b.end) })
		slices.SortFunc(answers, func(a, b asked) int { return a.start.Compare(b.start) })
		greatest, ended := int64(-1), 0
		for _, a := range answers {
			for ; ended < len(byEnd) && byEnd[ended].end.Before(a.start); ended++ {
				greatest = max(greatest, byEnd[ended].value)
			}
			if a.value < greatest {
				l.t.Errorf("%s: %s got %d after somebody had got %d", version, a.key.Checksum, a.value, greatest)
			}
		}
	}
	storedValues := map[value]string{}
	rows, err := pgtest.Connect(l.t, url).Query(l.t.Context(),
		`SELECT g.version, w.checksum, w.value[1] FROM prvalue AS w JOIN prgroup AS g ON g.id = w.group_id`)
	if err != nil {
		l.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v value
		var checksum string
		if err := rows.Scan(&v.version, &checksum, &v.n); err != nil {
			l.t.Fatal(err)
		}
		storedValues[v] = checksum
	}
	if err := rows.Err(); err != nil {
		l.t.Fatal(err)
	}
	for v, checksum := range holders {
		if storedValues[v] != checksum {
			l.t.Errorf("%s: %d was given to %s, and is stored for %q", v.version, v.n, checksum, storedValues[v])
		}
	}
	l.t.Logf("%d answers, the longest call took %v", len(l.answers), longest.Round(time.Millisecond))
}
