package postgres_test

import (
	"testing"

	"prserver/prserv/store"
	"prserver/prserv/store/postgres/pgtest"
	"prserver/prserv/store/storetest"
)

// TestStore runs the tests that every store has to pass.
func TestStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Database {
		url := pgtest.Database(t)
		return func(t testing.TB) store.Store { return open(t, url) }
	})
}
