package postgres_test

import (
	"errors"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres/pgtest"
)

// TestExportBegun loses the connection of an export, and of a dump, of which a part
// has left. It fails: made again, it would have rows twice.
func TestExportBegun(t *testing.T) {
	url := pgtest.Database(t)
	p := pgtest.NewProxy(t, pgtest.Shared(t).Addr())
	s := open(t, p.URL(url))
	// More than the sockets hold.
	pgtest.Execute(t, url, `INSERT INTO prgroup (version, pkgarch, greatest, holder)
		SELECT 'v' || n, repeat('long', 50), '{0}', 'c' FROM generate_series(1, 100000) AS n`,
		"INSERT INTO prvalue (group_id, checksum, value) SELECT id, holder, greatest FROM prgroup", "ANALYZE")
	rows := map[store.Value]bool{}
	err := s.Export(t.Context(), store.Filter{}, func(r store.Row) error {
		if rows[r.Version] {
			t.Fatalf("%v came twice", r.Version)
		}
		if rows[r.Version] = true; len(rows) == 1 {
			p.Cut()
		}
		return nil
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("the export has %d rows, %v", len(rows), err)
	}
	w := &cutting{cut: p.Cut}
	if err := s.Dump(t.Context(), w); !errors.Is(err, store.ErrUnavailable) || w.begun != 1 {
		t.Errorf("the dump has begun %d times, %v", w.begun, err)
	}
}

// cutting cuts the connection at the first write, and counts how often a dump begins.
type cutting struct {
	cut   func()
	begun int
}

func (c *cutting) Write(p []byte) (int, error) {
	if string(p[:min(len(p), 5)]) == "BEGIN" {
		c.begun++
		c.cut()
	}
	return len(p), nil
}

// TestExportAgain ends the session of an export of which nothing has left. It is
// made again.
func TestExportAgain(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	wantPR(t, s, key("v", "all", "a"), 0)
	admin := pgtest.Connect(t, url)
	if _, err := admin.Exec(t.Context(), "BEGIN; LOCK TABLE prgroup IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	done, rows := make(chan error, 1), 0
	go func() {
		done <- s.Export(t.Context(), store.Filter{}, func(store.Row) error { rows++; return nil })
	}()
	prservtest.WaitFor(t, "the export to wait", func() bool {
		var ended bool
		err := admin.QueryRow(t.Context(), `SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l
			WHERE NOT granted AND relation = 'prgroup'::regclass`).Scan(&ended)
		return err == nil && ended
	})
	if _, err := admin.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || rows != 1 {
		t.Errorf("%d rows, %v", rows, err)
	}
}
