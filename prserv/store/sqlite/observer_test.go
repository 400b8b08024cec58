package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// commits collects what an observer is told.
type commits struct {
	mu  sync.Mutex
	all []store.Commit
}

func (c *commits) Committed(commit store.Commit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	commit.Changes = slices.Clone(commit.Changes)
	c.all = append(c.all, commit)
}

// take returns what has been told since the last call.
func (c *commits) take() []store.Commit {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.all
	c.all = nil
	return all
}

// TestObserver makes every kind of change, each in a transaction of its own.
func TestObserver(t *testing.T) {
	s := open(t, prservtest.NewFile(t), false)
	told := &commits{}
	s.Observe(told)
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
	} {
		k := store.Key{Version: "make-4.1-r0", Pkgarch: "all", Checksum: test.checksum}
		if err := test.do(k); err != nil {
			t.Fatalf("%s: %v", test.what, err)
		}
		var got []store.Change
		for _, c := range told.take() {
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

// TestObserverOfFailure tells of a transaction that stores nothing.
func TestObserverOfFailure(t *testing.T) {
	file := prservtest.NewFile(t)
	s := open(t, file, false)
	told := &commits{}
	s.Observe(told)
	if err := s.Ready(); err != nil {
		t.Errorf("a good file is not ready: %v", err)
	}
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	s.GetPR(t.Context(), store.Key{Version: "v", Pkgarch: "a", Checksum: "c"}, store.Mode{})
	got := told.take()
	if len(got) != 1 || !errors.Is(got[0].Err, store.ErrReplaced) || len(got[0].Changes) > 0 {
		t.Errorf("told %+v, want one failure and nothing stored", got)
	}
	if err := s.Ready(); !errors.Is(err, store.ErrReplaced) {
		t.Errorf("Ready: %v, want that the file is gone", err)
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(); err != nil {
		t.Errorf("Ready with the file in its place: %v", err)
	}
	s.Fail(&store.Error{Reason: store.ErrFull, Text: "full"})
	if err := s.Ready(); !errors.Is(err, store.ErrFull) || !strings.HasPrefix(err.Error(), "nothing was stored at ") {
		t.Errorf("Ready after a failure: %v", err)
	}
	if _, err := s.GetPR(t.Context(), store.Key{Version: "v", Pkgarch: "a", Checksum: "c"}, store.Mode{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(); err != nil {
		t.Errorf("Ready after a value was stored: %v", err)
	}
	s.Close()
	if err := s.Ready(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Ready of a closed store: %v", err)
	}
}

// TestReadyWhileLocked has another program lock the file, and the server itself
// read it.
func TestReadyWhileLocked(t *testing.T) {
	file := prservtest.NewFile(t)
	s := open(t, file, false)
	other := prservtest.OpenShell(t, file)
	for _, step := range []struct {
		sql    string
		locked bool
	}{{"BEGIN IMMEDIATE", true}, {"ROLLBACK", false}, {"BEGIN; SELECT * FROM sqlite_master", false}} {
		other.Run(t, step.sql)
		err := s.Ready()
		if want := fmt.Sprintf("locked by process %d;", other.PID); (err != nil) != step.locked ||
			step.locked && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Ready says %v", step.sql, err)
		}
	}
	if _, err := s.GetPR(t.Context(), store.Key{Version: "v", Pkgarch: "a", Checksum: "c"}, store.Mode{}); err != nil {
		t.Error(err)
	}
}

func TestAskerOf(t *testing.T) {
	if got := store.AskerOf(context.Background()); got != (store.Asker{}) {
		t.Errorf("an asker out of nowhere: %v", got)
	}
}
