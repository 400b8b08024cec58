package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// The first checksum of a version and pkgarch gets 0, the next one 1. The first
// one gets 2 when it comes back, so that numbers only go up.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := sqlite.Open(ctx, filepath.Join(dir, "prserv.sqlite3"), false)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	for _, checksum := range []string{"9e107d9d", "e4d909c2", "e4d909c2", "9e107d9d"} {
		value, err := s.GetPR(ctx, store.Key{Version: "busybox-1.36.1-r0", Pkgarch: "core2-64", Checksum: checksum}, store.Mode{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(checksum, value)
	}
	// Output:
	// 9e107d9d 0
	// e4d909c2 1
	// e4d909c2 1
	// 9e107d9d 2
}
