package sqlite_test

import (
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/storetest"
)

// TestStore runs the tests that every store has to pass.
func TestStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Database {
		file := prservtest.NewFile(t)
		return storetest.Database{
			Open:     func(t testing.TB) store.Store { return open(t, file, false) },
			ReadOnly: func(t testing.TB) store.Store { return open(t, file, true) },
		}
	})
}
