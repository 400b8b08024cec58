package postgres_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

// askAll asks for the value of checksums at the same time, each of them of one of
// the stores, and returns the values in the order in which they were asked for.
func askAll(t *testing.T, stores []*postgres.Store, checksums []string) []int64 {
	t.Helper()
	values := make([]int64, len(checksums))
	var all sync.WaitGroup
	for i, checksum := range checksums {
		all.Add(1)
		go func() {
			defer all.Done()
			v, err := stores[i%len(stores)].GetPR(t.Context(), key("v", "all", checksum), store.Mode{})
			if err != nil {
				t.Errorf("%s: %v", checksum, err)
				return
			}
			values[i] = v.(int64)
		}()
	}
	all.Wait()
	return values
}

// TestRaiseTogether has many checksums of one package raised at once: no number is
// given twice, and none is left out.
func TestRaiseTogether(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	wantPR(t, s, key("v", "all", "first"), 0)
	var checksums []string
	var want []int64
	for i := range 200 {
		checksums = append(checksums, fmt.Sprint("c", i))
		want = append(want, int64(i+1))
	}
	got := askAll(t, []*postgres.Store{s}, checksums)
	conn := pgtest.Connect(t, url)
	for i, checksum := range checksums {
		var v int64
		row := conn.QueryRow(t.Context(), "SELECT value[1] FROM prvalue WHERE checksum = $1", checksum)
		if err := row.Scan(&v); err != nil || v != got[i] {
			t.Errorf("%s was given %d; %d is stored, %v", checksum, got[i], v, err)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("200 checksums were given %v; want 1 to 200", got)
	}
}

// TestRaiseLeavesOneValue has servers raise the same checksums at the same time,
// as long as older values are not kept: each has one row.
func TestRaiseLeavesOneValue(t *testing.T) {
	url := pgtest.Database(t)
	stores := []*postgres.Store{open(t, url), open(t, url), open(t, url)}
	for range 50 {
		checksums := make([]string, 32)
		for i := range checksums {
			checksums[i] = fmt.Sprint("c", rand.IntN(6))
		}
		askAll(t, stores, checksums)
	}
	var twice int
	if err := pgtest.Connect(t, url).QueryRow(t.Context(), `SELECT count(*) FROM (SELECT FROM prvalue GROUP BY group_id, checksum HAVING count(*) > 1) AS q`).Scan(&twice); err != nil {
		t.Fatal(err)
	}
	if twice > 0 {
		t.Errorf("%d checksums have several values", twice)
	}
}

// TestRaiseAfterChangesByHand has somebody change the tables while a server has
// hints of them.
func TestRaiseAfterChangesByHand(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	for i, checksum := range []string{"a", "b", "c"} {
		wantPR(t, s, key("v", "all", checksum), int64(i))
	}
	pgtest.Execute(t, url, "UPDATE prgroup SET greatest = '{1}', holder = 'b'")
	wantPR(t, s, key("v", "all", "a"), 2) // c has that as well: prserv-tool check tells
	pgtest.Execute(t, url, "UPDATE prgroup SET greatest = '{0}', holder = 'x'")
	wantPR(t, s, key("v", "all", "b"), 1) // the number after 0, which it has
	pgtest.Execute(t, url, "UPDATE prgroup SET greatest = '{7}', holder = NULL")
	wantPR(t, s, key("v", "all", "c"), 8)
	pgtest.Execute(t, url, "DELETE FROM prgroup; DELETE FROM prvalue")
	wantPR(t, s, key("v", "all", "d"), 0)
}

// TestRaiseToTheLast asks for more numbers at once than are left.
func TestRaiseToTheLast(t *testing.T) {
	s := open(t, pgtest.Database(t))
	if _, err := s.ImportOne(t.Context(), key("v", "all", "a"), int64(math.MaxInt64-2)); err != nil {
		t.Fatal(err)
	}
	var given atomic.Int64
	var all sync.WaitGroup
	for i := range 32 {
		all.Add(1)
		go func() {
			defer all.Done()
			_, err := s.GetPR(t.Context(), key("v", "all", fmt.Sprint("c", i)), store.Mode{})
			switch {
			case err == nil:
				given.Add(1)
			case !errors.Is(err, store.ErrNoNext):
				t.Errorf("got %v; want %v", err, store.ErrNoNext)
			}
		}()
	}
	all.Wait()
	if _, err := s.GetPR(t.Context(), key("v", "all", "alone"), store.Mode{}); !errors.Is(err, store.ErrNoNext) {
		t.Errorf("got %v; want %v", err, store.ErrNoNext)
	}
	if n := given.Load(); n != 2 {
		t.Errorf("%d numbers were given above 2^63-3; want 2", n)
	}
}
