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
		return storetest.Database{
			Open:     func(t testing.TB) store.Store { return open(t, url) },
			ReadOnly: func(t testing.TB) store.Store { return openReadOnly(t, url) },
		}
	})
}
