package history_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"prserver/prserv/history"
	"prserver/prserv/store"
)

// TestReadPackage reads the events of a package, the newest first.
func TestReadPackage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	r, err := history.Open(file, history.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	versions := []string{"bash", "bash-5-r0", "AUTOINC-bash-5", "AUTOINC-bash", "bash-completion-2-r0", "bas-1", "bash.", "basher-1-r0", "AUTOINC-basher"}
	for _, version := range versions {
		r.Committed(store.Commit{Changes: []store.Change{{Key: store.Key{Version: version}, Value: store.Revision{3, 1}, Before: int64(4),
			Asker: store.Asker{Method: "import-one"}}}})
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int][]string{
		10: {"bash-completion-2-r0", "AUTOINC-bash", "AUTOINC-bash-5", "bash-5-r0", "bash"},
		1:  {"bash-completion-2-r0"},
	} {
		var got []string
		err := history.ReadPackage(t.Context(), file, "bash", limit, func(e history.Event) error {
			if !e.Imported() || !e.Backwards() {
				t.Errorf("%+v was not imported, or not backwards", e)
			}
			got = append(got, e.Version)
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d events: %q, %v; want %q", limit, got, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := history.ReadPackage(ctx, file, "bash", 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
}
