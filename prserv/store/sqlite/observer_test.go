package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/storetest"
)

// TestObserverOfFailure tells of a transaction that stores nothing.
func TestObserverOfFailure(t *testing.T) {
	file := prservtest.NewFile(t)
	s := open(t, file, false)
	told := &storetest.Commits{}
	s.Observe(told)
	if err := s.Ready(); err != nil {
		t.Errorf("a good file is not ready: %v", err)
	}
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	s.GetPR(t.Context(), store.Key{Version: "v", Pkgarch: "a", Checksum: "c"}, store.Mode{})
	got := told.Take()
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
