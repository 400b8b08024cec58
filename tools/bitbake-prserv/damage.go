package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"prserver/prserv/place"
)

// maxChecked is the size of a database file up to which damage is looked for
// when a server starts, which takes about a second at this size.
const maxChecked = 256 << 20

// tellOfDamage looks for damage in the database file beside a server that has
// it open, and writes a line to the log if there is some. The server goes on:
// most values can be answered. Stop ends that, and must be called before the
// server closes the file.
func tellOfDamage(ctx context.Context, log *slog.Logger, file string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if info, err := os.Stat(file); err != nil || info.Size() > maxChecked {
			return
		}
		if found := place.Damage(ctx, file); found != "" {
			log.Error(fmt.Sprintf("The database %[1]s is damaged (%[2]s), so values may be missing; prserv-tool check %[1]s says what to do", file, found))
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
