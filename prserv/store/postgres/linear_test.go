package postgres_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"prserver/prserv/client"
	"prserver/prserv/linear"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres/pgtest"
)

// stored reads what is stored, as [linear.Stored] says.
func stored(t *testing.T, url string) linear.Stored {
	t.Helper()
	pool := pgtest.Pool(t, url)
	return func(ctx context.Context, version string) (found []client.Row, err error) {
		rows, err := pool.Query(ctx, `SELECT g.pkgarch, w.checksum, max(w.value[1]) FROM prvalue AS w JOIN prgroup AS g ON g.id = w.group_id
			WHERE g.version = $1 AND cardinality(w.value) = 1 GROUP BY g.pkgarch, w.checksum`, version)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var row client.Row
			if err := rows.Scan(&row.Pkgarch, &row.Checksum, &row.Value); err != nil {
				return nil, err
			}
			found = append(found, row)
		}
		return found, rows.Err()
	}
}

// several are stores of one database, of which each call asks the next one.
type several struct {
	stores      []linear.Store
	generations bool // some clients ask for revisions
	calls       atomic.Int64
}

func (s *several) next() linear.Store {
	return s.stores[int(s.calls.Add(1))%len(s.stores)]
}

func (s *several) GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error) {
	if !s.generations || rand.IntN(2) == 0 {
		return s.next().GetPR(ctx, version, pkgarch, checksum)
	}
	return linear.Newer{Store: s.next()}.GetPR(ctx, version, pkgarch, checksum)
}

func (s *several) ImportOne(ctx context.Context, version, pkgarch, checksum string, value int64) (int64, error) {
	return s.next().ImportOne(ctx, version, pkgarch, checksum, value)
}

func (s *several) Export(ctx context.Context, f store.Filter, columns bool) (*client.Exported, error) {
	return s.next().Export(ctx, f, columns)
}

// TestLinearizable asks whether what 32 callers at a time were answered by three
// servers is what one caller after the other could have been answered by one.
func TestLinearizable(t *testing.T) {
	checkLinear(t, false, linear.Histories(os.Getenv("PRSERV_LONG") != "", 2500))
}

// TestLinearizableGenerations is TestLinearizable with clients of all
// generations.
func TestLinearizableGenerations(t *testing.T) {
	checkLinear(t, true, linear.Histories(os.Getenv("PRSERV_LONG") != "", 2500))
}

func checkLinear(t *testing.T, generations bool, n int) {
	t.Helper()
	url := pgtest.Database(t)
	s := &several{generations: generations}
	for range 3 {
		s.stores = append(s.stores, linear.Store{Store: open(t, url)})
	}
	if err := linear.Check(t.Context(), s, stored(t, url), n); err != nil {
		t.Error(err)
	}
	wantNoDeadlock(t)
}

// wantNoDeadlock wants PostgreSQL not to have ended a deadlock: servers that lock in
// one order have none. It would pass, and cost its calls a second each.
func wantNoDeadlock(t *testing.T) {
	t.Helper()
	if strings.Contains(pgtest.Shared(t).Log(), "deadlock detected") {
		t.Error("servers were in a deadlock; the log of PostgreSQL tells where")
	}
}
