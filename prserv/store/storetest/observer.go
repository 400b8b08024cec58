package storetest

import (
	"net"
	"slices"
	"sync"
	"testing"

	"prserver/prserv/store"
)

// Commits collects what an observer is told.
type Commits struct {
	mu  sync.Mutex
	all []store.Commit
}

// Committed implements [store.Observer].
func (c *Commits) Committed(commit store.Commit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	commit.Changes = slices.Clone(commit.Changes)
	c.all = append(c.all, commit)
}

// Take returns what has been told since the last call.
func (c *Commits) Take() []store.Commit {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.all
	c.all = nil
	return all
}

// testObserver makes every kind of change, each in a transaction of its own.
func testObserver(t *testing.T, db Database) {
	s := db.Open(t)
	told := &Commits{}
	s.(interface{ Observe(store.Observer) }).Observe(told)
	asker := store.Asker{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7)}, Generation: 3, Method: "get-pr"}
	ctx := store.WithAsker(t.Context(), asker)
	get := func(m store.Mode) func(store.Key) error {
		return func(k store.Key) error { _, err := s.GetPR(ctx, k, m); return err }
	}
	whole, parts := get(store.Mode{}), get(store.Mode{Revisions: true})
	published := get(store.Mode{Revisions: true, Upstream: &store.Published{Greatest: store.Revision{40}}})
	imports := func(v store.Value) func(store.Key) error {
		return func(k store.Key) error { _, err := s.ImportOne(ctx, k, v); return err }
	}
	for _, test := range []struct {
		what          string
		checksum      string
		do            func(store.Key) error
		value, before store.Value // nil: nothing is stored
	}{
		{"the first", "a", whole, int64(0), nil},
		{"another", "b", whole, int64(1), int64(0)},
		{"the same again", "b", whole, nil, nil},
		{"one that comes back", "a", whole, int64(2), int64(1)},
		{"an import", "c", imports(int64(9)), int64(9), int64(2)},
		{"an import that is known", "c", imports(int64(9)), nil, nil},
		{"an import below", "d", imports(int64(5)), int64(5), int64(9)},
		{"a revision", "e", parts, int64(10), int64(9)},
		{"another revision", "i", parts, int64(11), int64(10)},
		{"one by an upstream", "f", published, store.Revision{40, 0}, store.Revision{11}},
		{"a whole one above it", "g", whole, int64(41), store.Revision{40, 0}},
		{"an imported revision", "h", imports(store.Revision{50, 1}), store.Revision{50, 1}, store.Revision{41}},
		{"an imported revision above it", "h", imports(store.Revision{50, 3}), store.Revision{50, 3}, store.Revision{50, 1}},
		{"one between", "h", imports(store.Revision{50, 2}), store.Revision{50, 2}, store.Revision{50, 3}},
		{"one between that is known", "h", imports(store.Revision{50, 2}), nil, nil},
	} {
		k := store.Key{Version: "make-4.1-r0", Pkgarch: "all", Checksum: test.checksum}
		if err := test.do(k); err != nil {
			t.Fatalf("%s: %v", test.what, err)
		}
		var got []store.Change
		for _, c := range told.Take() {
			if c.Err != nil || c.Calls != 1 || c.Sync <= 0 {
				t.Errorf("%s: told %+v, want one call, and a time", test.what, c)
			}
			got = append(got, c.Changes...)
		}
		if test.value == nil {
			if len(got) > 0 {
				t.Errorf("%s: told of %+v, want nothing", test.what, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Key != k || got[0].Asker != asker || !same(got[0].Value, test.value) || !same(got[0].Before, test.before) {
			t.Errorf("%s: told of %+v, want %v after %v", test.what, got, test.value, test.before)
		}
	}
}

func same(a, b store.Value) bool {
	if r, ok := a.(store.Revision); ok {
		s, ok := b.(store.Revision)
		return ok && slices.Equal(r, s)
	}
	_, other := b.(store.Revision)
	return !other && a == b
}
