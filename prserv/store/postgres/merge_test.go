package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

func contains(err error, text string) bool { return strings.Contains(err.Error(), text) }

// rowsToMerge returns what gives out rows one by one.
func rowsToMerge(rows ...store.Row) func() (*store.Row, error) {
	return func() (*store.Row, error) {
		if len(rows) == 0 {
			return nil, nil
		}
		row := rows[0]
		rows = rows[1:]
		return &row, nil
	}
}

// TestMergeBesideServers merges and raises twins while two servers give out
// values of the same packages. None of these is given out twice, and nobody gets
// a lower one than somebody had got before.
func TestMergeBesideServers(t *testing.T) {
	url := pgtest.Database(t)
	const packages, rounds = 3, 4
	stop := make(chan struct{})
	var asking sync.WaitGroup
	var mu sync.Mutex
	given := map[string]string{} // version and value -> checksum; guarded by mu
	servers := []*postgres.Store{open(t, url), open(t, url)}
	for caller := range 16 { // so that a transaction locks several packages
		s := servers[caller%2]
		asking.Add(1)
		go func() {
			defer asking.Done()
			last := map[string]int64{}
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				k := store.Key{Version: fmt.Sprint("v", n%packages), Pkgarch: "p", Checksum: fmt.Sprint(caller, "-", n)}
				v, err := s.GetPR(context.Background(), k, store.Mode{})
				if err != nil {
					t.Error(err)
					return
				}
				value := v.(int64)
				if value <= last[k.Version] && n >= packages {
					t.Errorf("%v got %d after %d", k, value, last[k.Version])
				}
				last[k.Version] = value
				mu.Lock()
				name := fmt.Sprint(k.Version, " ", value)
				if other, ok := given[name]; ok {
					t.Errorf("%s was given to %s and %s", name, other, k.Checksum)
				}
				given[name] = k.Checksum
				mu.Unlock()
			}
		}()
	}
	for round := range rounds {
		var rows []store.Row
		for v := range packages {
			above := fmt.Sprint((round + 1) * 1000)
			for _, checksum := range []string{"one", "two"} {
				rows = append(rows, store.Row{Version: fmt.Sprint("v", v), Pkgarch: "p", Checksum: fmt.Sprint(checksum, round), Value: above})
			}
		}
		// From the middle on, old values are kept.
		m := postgres.Merge{Next: rowsToMerge(rows...), Revisions: round >= rounds/2}
		if done, err := m.Into(t.Context(), url); err != nil || done.New != int64(len(rows)) {
			t.Errorf("round %d: %+v, %v", round, done, err)
		}
		if _, err := postgres.RaiseTwins(t.Context(), url, 1<<31-1); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	asking.Wait()
	s := snapshot(t, url)
	if !s.Revisions {
		t.Error("old values are not kept")
	}
	wantNoDeadlock(t)
	if err := s.Behind(t.Context(), func(b postgres.Behind) error { return fmt.Errorf("%+v", b) }); err != nil {
		t.Error(err)
	}
}

func snapshot(t *testing.T, url string) *postgres.Snapshot {
	t.Helper()
	s, err := postgres.OpenSnapshot(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestMergeWaits merges into a version whose row a server has locked.
func TestMergeWaits(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	if _, err := s.GetPR(t.Context(), store.Key{Version: "v", Pkgarch: "p", Checksum: "a"}, store.Mode{}); err != nil {
		t.Fatal(err)
	}
	conn := pgtest.Connect(t, url)
	if _, err := conn.Exec(t.Context(), "BEGIN; UPDATE prgroup SET greatest = '{7}', holder = 'b'; INSERT INTO prvalue SELECT id, 'b', '{7}' FROM prgroup"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		m := postgres.Merge{Next: rowsToMerge(store.Row{Version: "v", Pkgarch: "p", Checksum: "b", Value: "5"}, store.Row{Version: "v", Pkgarch: "p", Checksum: "c", Value: "6"})}
		merged, err := m.Into(context.Background(), url)
		if err == nil && merged != (postgres.Merged{New: 1}) {
			err = fmt.Errorf("%+v", merged)
		}
		done <- err
	}()
	watcher := pgtest.Connect(t, url)
	for waits := false; !waits; time.Sleep(time.Millisecond) {
		err := watcher.QueryRow(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = 'prserv-tool' AND wait_event_type = 'Lock')").Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	v, err := s.GetPR(t.Context(), store.Key{Version: "v", Pkgarch: "p", Checksum: "d"}, store.Mode{})
	if err != nil || v != int64(8) {
		t.Errorf("%v, %v; want 8", v, err)
	}
}

// TestKeepingOldWaits begins to keep old values once no server is about to delete
// one, whatever the package.
func TestKeepingOldWaits(t *testing.T) {
	for about, begin := range map[string]func(s *postgres.Store, url string) error{
		"a client of generation 3": func(s *postgres.Store, _ string) error {
			_, err := s.GetPR(context.Background(), key("w", "p", "a"), store.Mode{Revisions: true})
			return err
		},
		"a merge": func(_ *postgres.Store, url string) error {
			m := postgres.Merge{Revisions: true, Next: rowsToMerge(store.Row{Version: "w", Pkgarch: "p", Checksum: "a", Value: "0"})}
			_, err := m.Into(context.Background(), url)
			return err
		},
	} {
		url := pgtest.Database(t)
		s := open(t, url)
		wantPR(t, s, key("v", "p", "a"), 0)
		server, watcher := pgtest.Connect(t, url), pgtest.Connect(t, url)
		if _, err := server.Exec(t.Context(), "BEGIN; SELECT FROM prgroup FOR NO KEY UPDATE"); err != nil {
			t.Fatal(err)
		}
		done := make(answered, 1)
		go func() { done <- begin(s, url) }()
		done.wantNone(t, about, func() bool {
			var n int
			err := watcher.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%' AND datname = current_database()").Scan(&n)
			return err == nil && n > 0
		})
		if _, err := server.Exec(t.Context(), "COMMIT"); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("%s: %v", about, err)
		}
	}
}

// TestMergeFails leaves a database as it was.
func TestMergeFails(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	if _, err := s.GetPR(t.Context(), store.Key{Version: "v", Pkgarch: "p", Checksum: "a"}, store.Mode{}); err != nil {
		t.Fatal(err)
	}
	random, long := rand.New(rand.NewPCG(1, 2)), make([]byte, 9000) // which cannot be compressed
	for i := range long {
		long[i] = byte(' ' + random.IntN(95))
	}
	for about, rows := range map[string][]store.Row{
		"a long key": {{Version: "w", Pkgarch: "p", Checksum: "a", Value: "1"}, {Version: string(long), Pkgarch: "p", Checksum: "a", Value: "1"}},
		"no value":   {{Version: "w", Pkgarch: "p", Checksum: "a", Value: "1"}, {Version: "w", Pkgarch: "p", Checksum: "b", Value: "x"}},
	} {
		if _, err := (postgres.Merge{Next: rowsToMerge(rows...), Revisions: true}).Into(t.Context(), url); err == nil {
			t.Errorf("%s was stored", about)
		}
	}
	ctx, interrupt := context.WithCancel(t.Context())
	_, err := postgres.Merge{Next: func() (*store.Row, error) {
		interrupt()
		return nil, nil
	}}.Into(ctx, url)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	n := 0
	left := snapshot(t, url)
	err = left.Rows(t.Context(), func(store.Row) error { n++; return nil })
	if err != nil || n != 1 || left.Revisions {
		t.Errorf("%d rows, %v; old values are kept: %v", n, err, left.Revisions)
	}
}
