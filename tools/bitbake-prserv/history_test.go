package main

import (
	"context"
	"fmt"
	"os"

	"prserver/prserv/history"
)

// historian prints the history in a file, as far as it is the same each time.
func historian() {
	err := history.Read(context.Background(), os.Args[1], history.Filter{}, func(e history.Event) error {
		if e.Client == "" || e.Time.IsZero() {
			fmt.Println("nobody, or no time")
		}
		fmt.Printf("%d %s %s %s %s %s after %q\n", e.Generation, e.Method, e.Version, e.Pkgarch, e.Checksum, e.Value, e.Before)
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
}
