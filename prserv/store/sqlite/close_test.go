package sqlite_test

import (
	"context"
	"errors"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// TestCloseBesideACall closes a store while a call has a connection of it: the
// call is answered, and Close waits for it.
func TestCloseBesideACall(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	getPR(t, s, "v", "all", "a", int64(0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = prservtest.Open(t, file) // remembers nothing, so the call has to read
	reached, open := s.HoldReads()
	defer open()
	answered, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		v, err := s.GetPR(t.Context(), key("v", "all", "a"), store.Mode{})
		if v != int64(0) {
			err = errors.Join(err, errors.New("another value"))
		}
		answered <- err
	}()
	prservtest.WaitFor(t, "the call to have a connection", func() bool { return len(reached) > 0 })
	go func() { closed <- s.Close() }()
	prservtest.WaitFor(t, "the store to be closing", s.IsClosing)
	if v, err := s.GetPR(t.Context(), key("v", "all", "b"), store.Mode{}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a call beside Close: got %v, %v, want ErrClosed", v, err)
	}
	if len(closed) > 0 {
		t.Errorf("closed beside a call: %v", <-closed)
	}
	open()
	if err := <-answered; err != nil {
		t.Errorf("the call: %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
}

// TestWalkAfterInterrupt lets a context interrupt an export: the connection is
// good for the next one.
func TestWalkAfterInterrupt(t *testing.T) {
	s := prservtest.Open(t, prservtest.OddFile(t))
	for range 100 { // more than there are connections
		ctx, cancel := context.WithCancel(t.Context())
		rows := 0
		err := s.Export(ctx, store.Filter{}, func(store.Row) error {
			if rows++; rows == 2 {
				cancel()
			}
			return nil
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("an export whose context has ended: %v after %d rows", err, rows)
		}
	}
	if got := export(t, s, store.Filter{}); len(got) < 1000 {
		t.Errorf("exported %d rows", len(got))
	}
}
