package main

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// fill fills a pipe, so that whoever writes to it waits.
func fill(t *testing.T, fd int) {
	t.Helper()
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for size := 4096; size > 0; {
		switch _, err := unix.Write(fd, make([]byte, size)); {
		case errors.Is(err, unix.EAGAIN):
			size /= 2
		case err != nil:
			t.Fatal(err)
		}
	}
}
