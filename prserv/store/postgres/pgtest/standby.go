package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby makes a copy of a cluster that follows it, until the test ends.
func (c *Cluster) Standby(t testing.TB) *Cluster {
	t.Helper()
	s, err := newFolder(fastFolder())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Remove)
	err = s.run("pg_basebackup", "--pgdata="+s.data(), "--dbname="+c.URL("postgres"), "--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--wal-method=stream")
	if err == nil {
		err = s.configure()
	}
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Promote makes a standby the primary.
func (c *Cluster) Promote(t testing.TB) {
	t.Helper()
	Execute(t, c.URL("postgres"), "SELECT pg_promote()")
}

// Configure changes settings of a cluster that runs, or of one that does not.
func (c *Cluster) Configure(t testing.TB, settings ...string) {
	t.Helper()
	if err := c.configure(settings...); err != nil {
		t.Fatal(err)
	}
}

// WaitForRow waits until a query has a row.
func WaitForRow(t testing.TB, url, query string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, url)
		var n int
		if err == nil {
			err = conn.QueryRow(ctx, "SELECT count(*) FROM ("+query+") AS q").Scan(&n)
			conn.Close(ctx)
		}
		if n > 0 {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("waited in vain for a row of %s: %v", query, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
