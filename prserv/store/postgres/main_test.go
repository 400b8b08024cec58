package postgres_test

import (
	"os"
	"testing"

	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// open opens a database until the test ends.
func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	return openMode(t, url, false)
}

// openReadOnly is open for a server that only reads.
func openReadOnly(t testing.TB, url string) *postgres.Store {
	t.Helper()
	return openMode(t, url, true)
}

func openMode(t testing.TB, url string, readOnly bool) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, readOnly)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
