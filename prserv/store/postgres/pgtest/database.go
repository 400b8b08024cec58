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

// Tests are the tests of a package: a [testing.M].
type Tests interface{ Run() int }

// Main runs the tests of a package, and removes the cluster that they have
// shared. It returns the exit code.
func Main(m Tests) int {
	code := m.Run()
	if shared.cluster != nil {
		shared.cluster.Remove()
	}
	return code
}

// Shared returns the cluster that the tests of a package share.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	c, err := Running()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Running is [Shared] where there is no test at hand, as in a script.
func Running() (*Cluster, error) {
	shared.once.Do(func() { shared.cluster, shared.err = New(fastFolder()) })
	return shared.cluster, shared.err
}

// Database makes a database in the shared cluster, and returns its URL.
func Database(t testing.TB) string {
	t.Helper()
	return Shared(t).Database(t)
}

// NewDatabase is [Database] where there is no test at hand, as in a script.
func NewDatabase() (url string, err error) {
	c, err := Running()
	if err != nil {
		return "", err
	}
	return c.NewDatabase()
}

// Database makes a database, and returns its URL.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	url, err := c.NewDatabase()
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// NewDatabase is [Cluster.Database] where there is no test at hand.
func (c *Cluster) NewDatabase() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	name := fmt.Sprint("test", shared.database.Add(1))
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	return c.URL(name), err
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
