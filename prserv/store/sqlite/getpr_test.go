package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// key makes a key of its parts.
func key(version, pkgarch, checksum string) store.Key {
	return store.Key{Version: version, Pkgarch: pkgarch, Checksum: checksum}
}

func getPR(t *testing.T, s *sqlite.Store, version, pkgarch, checksum string, want store.Value) {
	t.Helper()
	got, err := s.GetPR(t.Context(), key(version, pkgarch, checksum), store.Mode{})
	if err != nil || got != want {
		t.Errorf("GetPR(%v, %v, %v): got %v (%T), %v; want %v", version, pkgarch, checksum, got, got, err, want)
	}
}

func importOne(t *testing.T, s *sqlite.Store, version, pkgarch, checksum string, value, want store.Value) {
	t.Helper()
	got, err := s.ImportOne(t.Context(), key(version, pkgarch, checksum), value)
	if err != nil || got != want {
		t.Errorf("ImportOne(%v, %v, %v, %v): got %v (%T), %v; want %v", version, pkgarch, checksum, value, got, got, err, want)
	}
}

// TestGetPR counts in no-history mode.
func TestGetPR(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	getPR(t, s, "v", "all", "a", int64(0))
	getPR(t, s, "v", "all", "a", int64(0)) // known, and the greatest
	getPR(t, s, "v", "all", "b", int64(1))
	getPR(t, s, "v", "all", "b", int64(1))
	getPR(t, s, "v", "all", "a", int64(2)) // known, but not the greatest: replaced
	getPR(t, s, "v", "all", "b", int64(3))
	getPR(t, s, "v", "arm", "a", int64(0)) // each pkgarch and each version counts for itself
	getPR(t, s, "w", "all", "a", int64(0))
	getPR(t, s, "v", "all", "b", int64(3))
	// What was replaced has gone to the end, where dump_db has it, too.
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "a", int64(2)), prservtest.Row("v", "all", "b", int64(3)),
		prservtest.Row("v", "arm", "a", int64(0)), prservtest.Row("w", "all", "a", int64(0)))
	getPR(t, s, "v", "all", "a", int64(4))
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "b", int64(3)),
		prservtest.Row("v", "arm", "a", int64(0)), prservtest.Row("w", "all", "a", int64(0)), prservtest.Row("v", "all", "a", int64(4)))
}

// TestGetPRAfterImport goes on from what was imported.
func TestGetPRAfterImport(t *testing.T) {
	s := prservtest.Open(t, prservtest.NewFile(t))
	importOne(t, s, "v", "all", "a", int64(7), int64(7))
	importOne(t, s, "v", "all", "b", int64(7), int64(7))
	getPR(t, s, "v", "all", "a", int64(7)) // both are the greatest
	getPR(t, s, "v", "all", "b", int64(7))
	getPR(t, s, "v", "all", "c", int64(8))
	getPR(t, s, "v", "all", "a", int64(9))
	importOne(t, s, "n", "all", "a", int64(-5), int64(-5))
	getPR(t, s, "n", "all", "b", int64(-4))
	importOne(t, s, "g", "all", "a", int64(1)<<40, int64(1)<<40)
	getPR(t, s, "g", "all", "b", int64(1)<<40+1)
}

func TestImportOneNeverLowers(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	for _, step := range []struct{ value, want int64 }{{5, 5}, {3, 5}, {5, 5}, {8, 8}, {0, 8}, {-1, 8}, {9, 9}} {
		importOne(t, s, "v", "all", "a", step.value, step.want)
	}
	importOne(t, s, "v", "all", "b", int64(2), int64(2)) // another checksum may be lower
	// A raised row stays where it was.
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "a", int64(9)), prservtest.Row("v", "all", "b", int64(2)))
	getPR(t, s, "v", "all", "b", int64(10))
}

// TestImportOneIncomparable answers nil where the stored value cannot be
// compared with the given one.
func TestImportOneIncomparable(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	importOne(t, s, "v", "all", "a", nil, nil)
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "a", nil))
	importOne(t, s, "v", "all", "a", int64(1), nil) // NULL is not less than 1
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "a", nil))
	getPR(t, s, "v", "all", "b", int64(0))
}

// TestKinds stores what is no integer as SQLite's column has it.
func TestKinds(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	importOne(t, s, "v", "all", "text", "12", int64(12))
	importOne(t, s, "v", "all", "word", "twelve", "twelve")
	importOne(t, s, "v", "all", "real", 2.5, 2.5)
	importOne(t, s, "v", "all", "whole", 3.0, int64(3))
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "text", int64(12)), prservtest.Row("v", "all", "word", "twelve"),
		prservtest.Row("v", "all", "real", 2.5), prservtest.Row("v", "all", "whole", int64(3)))
}

func export(t *testing.T, s *sqlite.Store, f store.Filter) [][]any {
	t.Helper()
	var out [][]any
	err := s.Export(t.Context(), f, func(r store.Row) error {
		out = append(out, []any{r.Version, r.Pkgarch, r.Checksum, r.Value})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestExport has the greatest values only, all of them.
func TestExport(t *testing.T) {
	s := prservtest.Open(t, prservtest.NewFile(t))
	for _, r := range [][]any{
		prservtest.Row("v", "all", "b", int64(7)), prservtest.Row("v", "all", "a", int64(7)), prservtest.Row("v", "all", "c", int64(6)),
		prservtest.Row("v", "arm", "a", int64(1)), prservtest.Row("u", "arm", "a", int64(0)), prservtest.Row("", "arm", "a", int64(9)),
		prservtest.Row("n", "all", "a", nil),
	} {
		if _, err := s.ImportOne(t.Context(), key(r[0].(string), r[1].(string), r[2].(string)), r[3]); err != nil {
			t.Fatal(err)
		}
	}
	text := func(s string) *string { return &s }
	ea := prservtest.Row("", "arm", "a", int64(9))
	ua, va, vb, vr := prservtest.Row("u", "arm", "a", int64(0)), prservtest.Row("v", "all", "a", int64(7)), prservtest.Row("v", "all", "b", int64(7)), prservtest.Row("v", "arm", "a", int64(1))
	for _, test := range []struct {
		about  string
		filter store.Filter
		want   [][]any
	}{
		{"all but nil", store.Filter{}, [][]any{ea, ua, va, vb, vr}},
		{"version", store.Filter{Version: text("v")}, [][]any{va, vb, vr}},
		{"pkgarch", store.Filter{Pkgarch: text("arm")}, [][]any{ea, ua, vr}},
		{"checksum", store.Filter{Checksum: text("a")}, [][]any{ea, ua, va, vr}},
		{"all three", store.Filter{Version: text("v"), Pkgarch: text("all"), Checksum: text("b")}, [][]any{vb}},
		{"a checksum that is not the greatest", store.Filter{Checksum: text("c")}, nil},
		{"another case", store.Filter{Version: text("V")}, nil},
		{"no pattern", store.Filter{Version: text("%")}, nil},
		{"no SQL", store.Filter{Version: text("' OR 1=1 --")}, nil},
		{"the empty version", store.Filter{Version: text("")}, [][]any{ea}},
	} {
		if got := export(t, s, test.filter); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\n got  %v\n want %v", test.about, got, test.want)
		}
	}
}

// TestGetPRConcurrently gives every new checksum a value of its own, and
// leaves none out.
func TestGetPRConcurrently(t *testing.T) {
	const clients, each = 32, 8
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	var mu sync.Mutex
	given := map[int64][]string{} // guarded by mu
	prservtest.Together(clients, func(client int) {
		for i := range each {
			checksum := fmt.Sprintf("%d-%d", client, i)
			v, err := s.GetPR(t.Context(), key("v", "all", checksum), store.Mode{})
			n, ok := v.(int64)
			if err != nil || !ok {
				t.Errorf("%s: got %v, %v", checksum, v, err)
				return
			}
			mu.Lock()
			given[n] = append(given[n], checksum)
			mu.Unlock()
		}
	})
	for n := range int64(clients * each) {
		if len(given[n]) != 1 {
			t.Errorf("value %d was given to %d checksums: %v", n, len(given[n]), given[n])
		}
	}
	for _, r := range prservtest.Rows(t, file) {
		if checksum := r[2].(string); !slices.Equal(given[r[3].(int64)], []string{checksum}) {
			t.Errorf("stored %v for %s, answered otherwise", r[3], checksum)
		}
	}
}

// TestSameKeyConcurrently lets many calls find out that a key is new before
// the first of them can store it: they share one value.
func TestSameKeyConcurrently(t *testing.T) {
	const clients = 16
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	getPR(t, s, "v", "all", "before", int64(0))
	before := s.Writers()
	unlock := prservtest.LockFile(t, file)
	var values [clients]any
	var errs [clients]error
	done := make(chan struct{})
	go func() {
		defer close(done)
		prservtest.Together(clients, func(i int) { values[i], errs[i] = s.GetPR(t.Context(), key("v", "all", "new"), store.Mode{}) })
	}()
	prservtest.WaitFor(t, "every call to find that its key is new", func() bool { return s.Writers() >= before+clients })
	unlock()
	<-done
	for i := range clients {
		if values[i] != int64(1) || errs[i] != nil {
			t.Errorf("call %d: got %v, %v; want 1", i, values[i], errs[i])
		}
	}
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "before", int64(0)), prservtest.Row("v", "all", "new", int64(1)))
}

// TestReadersDoNotWait answers known keys while the file is locked.
func TestReadersDoNotWait(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	getPR(t, s, "v", "all", "a", int64(0))
	unlock := prservtest.LockFile(t, file)
	getPR(t, s, "v", "all", "a", int64(0))
	if got := export(t, s, store.Filter{}); len(got) != 1 {
		t.Errorf("exported %v, want one row", got)
	}
	if err := s.Dump(t.Context(), io.Discard); err != nil {
		t.Errorf("Dump: %v", err)
	}
	unlock()
}

// TestCancelledCalls end with their context, and leave nothing behind.
func TestCancelledCalls(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	getPR(t, s, "v", "all", "a", int64(0))
	before := s.Writers()
	unlock := prservtest.LockFile(t, file)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { _, err := s.GetPR(ctx, key("v", "all", "b"), store.Mode{}); ended <- err }()
	go func() { _, err := s.ImportOne(ctx, key("v", "all", "c"), int64(9)); ended <- err }()
	prservtest.WaitFor(t, "the calls to wait for the lock", func() bool { return s.Writers() >= before+2 })
	cancel()
	const soon = 5 * time.Second // a call waits for a lock for twenty
	timeout := time.After(soon)
	for range 2 {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("a cancelled call succeeded while the file was locked")
			}
		case <-timeout:
			t.Fatalf("a cancelled call goes on for %v", soon)
		}
	}
	unlock()
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "a", int64(0)))
	getPR(t, s, "v", "all", "d", int64(1))
	if _, err := s.GetPR(ctx, key("v", "all", "a"), store.Mode{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a known key with an ended context: got %v, want context.Canceled", err)
	}
}
