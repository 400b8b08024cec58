package sqlite_test

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"prserver/prserv/linear"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// TestLinearizable asks whether what 32 callers at a time were answered is what
// one caller after the other could have been answered.
func TestLinearizable(t *testing.T) {
	file := prservtest.NewFile(t)
	if err := linear.Check(t.Context(), linear.Store{Store: prservtest.Open(t, file)}, linear.File(prservtest.Outside(t, file)), linear.Histories(os.Getenv("PRSERV_LONG") != "", 5000)); err != nil {
		t.Error(err)
	}
}

// TestLinearizableBesideAnotherWriter makes the store forget what it remembers,
// again and again.
func TestLinearizableBesideAnotherWriter(t *testing.T) {
	file := prservtest.NewFile(t)
	s := linear.Store{Store: prservtest.Open(t, file)}
	defer writeFromOutside(t, file)()
	if err := linear.Check(t.Context(), s, linear.File(prservtest.Outside(t, file)), linear.Histories(os.Getenv("PRSERV_LONG") != "", 2500)); err != nil {
		t.Error(err)
	}
}

// writeFromOutside writes to the file as another program does, until the
// function that it returns is called.
func writeFromOutside(t *testing.T, file string) (stop func()) {
	t.Helper()
	db := prservtest.Outside(t, file)
	prservtest.Execute(t, db, "PRAGMA busy_timeout = 20000", "PRAGMA synchronous = OFF")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(2 * time.Millisecond) // the others need the file as well
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if _, err := db.Exec("INSERT OR REPLACE INTO "+store.NohistTable+" VALUES ('outside', 'all', 'a', ?)", i); err != nil {
				t.Errorf("the other writer: %v", err)
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// mixed asks as clients of all generations.
type mixed struct{ linear.Store }

// GetPR implements [linear.Service].
func (m mixed) GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error) {
	if rand.IntN(2) == 0 {
		return m.Store.GetPR(ctx, version, pkgarch, checksum)
	}
	return linear.Newer(m).GetPR(ctx, version, pkgarch, checksum)
}

// TestLinearizableGenerations is TestLinearizable with clients of all
// generations, whose values go to two tables.
func TestLinearizableGenerations(t *testing.T) {
	file := prservtest.NewFile(t)
	s := mixed{linear.Store{Store: prservtest.Open(t, file)}}
	if err := linear.Check(t.Context(), s, linear.File(prservtest.Outside(t, file)), linear.Histories(os.Getenv("PRSERV_LONG") != "", 5000)); err != nil {
		t.Error(err)
	}
}
