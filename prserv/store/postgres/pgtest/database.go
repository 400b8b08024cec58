package pgtest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// shared is the cluster that the tests of a package share.
var shared struct {
	once     sync.Once
	cluster  *Cluster
	err      error
	database atomic.Int64 // how many have been made
}

// Main runs the tests of a package, and removes the cluster that they have
// shared. It returns the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.cluster != nil {
		shared.cluster.remove()
	}
	return code
}

// Shared returns the cluster that the tests of a package share.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	shared.once.Do(func() { shared.cluster, shared.err = newCluster(nil) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster
}

// Database makes a database for a test, and returns its URL.
func Database(t testing.TB) string {
	t.Helper()
	return Shared(t).Database(t)
}

// Database makes a database, and returns its URL.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprint("test", shared.database.Add(1))
	Execute(t, c.URL("postgres"), "CREATE DATABASE "+name)
	return c.URL(name)
}

// Connect opens a connection of the test's own.
func Connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// Execute runs statements.
func Execute(t testing.TB, url string, statements ...string) {
	t.Helper()
	conn := Connect(t, url)
	defer conn.Close(context.Background())
	for _, sql := range statements {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// Pool opens connections of the test's own.
func Pool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
