package sqlite_test

import (
	"context"
	"errors"
	"io"
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
	if got := export(t, s, store.Filter{}); len(got) != 1 || got[0][2] != "b" {
		t.Errorf("exported %v, want b alone", got)
	}
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
