package storetest

import (
	"fmt"
	"sync"
	"testing"

	"prserver/prserv/store"
)

// together calls f n times at once, with 0 to n-1, and waits for all of them.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			f(i)
		}()
	}
	all.Wait()
}

// testConcurrently gives every new checksum a value of its own, and leaves none
// out.
func testConcurrently(t *testing.T, db Database) {
	const clients, each = 32, 8
	s := db.Open(t)
	var mu sync.Mutex
	given := map[string][]string{} // guarded by mu
	together(clients, func(client int) {
		for i := range each {
			checksum := fmt.Sprintf("%d-%d", client, i)
			v, err := s.GetPR(t.Context(), key("v", "all", checksum), old)
			if err != nil {
				t.Errorf("%s: got %v, %v", checksum, v, err)
				return
			}
			mu.Lock()
			given[fmt.Sprint(v)] = append(given[fmt.Sprint(v)], checksum)
			mu.Unlock()
		}
	})
	for n := range clients * each {
		if got := given[fmt.Sprint(n)]; len(got) != 1 {
			t.Errorf("value %d was given to %d checksums: %v", n, len(got), got)
		}
	}
	wantPR(t, s, newer, "one more", fmt.Sprint(clients*each))
	err := s.Export(t.Context(), store.Filter{Revisions: true, History: true}, func(r store.Row) error {
		if got := given[r.Value.(string)]; r.Checksum != "one more" && (len(got) != 1 || r.Checksum != got[0]) {
			t.Errorf("stored %v for %s, which was given to %v", r.Value, r.Checksum, got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// testGenerationsConcurrently lets clients of all generations ask for the same new
// checksums of several packages at once: each package counts without a gap, and
// no value is given twice.
func testGenerationsConcurrently(t *testing.T, db Database) {
	const clients, each, packages = 24, 12, 3
	s := db.Open(t)
	var mu sync.Mutex
	given := [packages]map[string]string{} // who has a value; guarded by mu
	for i := range given {
		given[i] = map[string]string{}
	}
	together(clients, func(client int) {
		m := []store.Mode{old, newer, history}[client%3]
		for i := range each {
			of := (client + i) % packages
			checksum := fmt.Sprint(client/3, "-", i)
			v, err := s.GetPR(t.Context(), key(fmt.Sprint("v", of), "all", checksum), m)
			if err != nil {
				t.Errorf("%s: got %v, %v", checksum, v, err)
				return
			}
			mu.Lock()
			if other, ok := given[of][fmt.Sprint(v)]; ok && other != checksum {
				t.Errorf("package %d: value %v was given to %s and %s", of, v, other, checksum)
			}
			given[of][fmt.Sprint(v)] = checksum
			mu.Unlock()
		}
	})
	for of, values := range given {
		for n := range len(values) {
			if _, ok := values[fmt.Sprint(n)]; !ok {
				t.Errorf("package %d: value %d was left out of %d", of, n, len(values))
			}
		}
	}
}
