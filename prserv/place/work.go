package place

import (
	"fmt"
	"io"
	"time"
)

// Work copies, compares, lists, checks and mends places. Its errors are one line
// and name the place, and for a text also the number of the line. When its
// context ends, files that were to be written stay as they were.
type Work struct {
	Stdin  io.Reader // what the place "-" is read from
	Stdout io.Writer // what the place "-" is written to
	// Feeds says how to read places of the kind [Feed].
	Feeds FeedOptions
	// Progress is told now and then how far long work has come. It may be nil.
	Progress func(Progress)
	// Warn is given a line about everything that is left out, or that needs a
	// second look. It may be nil.
	Warn func(line string)
	// Process finds the process of this machine that listens at an address, 0 if
	// there is none that can be seen. It may be nil.
	Process func(addr string) (pid int)
}

// FeedOptions say what to read of a feed.
type FeedOptions struct {
	AllPackages bool // packages that OpenEmbedded has not made, too
	History     bool // the git history of a buildhistory, too
}

// Progress is how far long work has come.
type Progress struct {
	What string  // what is being done, for example "reading old.sql"
	Rows int64   // how many rows of it are done
	Part float64 // how much of it is done, from 0 to 1, or -1 if nobody knows
}

// tellEvery is how many rows are read or written between two reports of
// progress.
const tellEvery = 1000

// progress tells how far the work has come.
func (w *Work) progress(p Progress) {
	if w.Progress != nil {
		w.Progress(p)
	}
}

// warn tells about something that is left out.
func (w *Work) warn(format string, args ...any) {
	if w.Warn != nil {
		w.Warn(fmt.Sprintf(format, args...))
	}
}

// watch reports progress while one long statement runs, and once more at its
// end. It asks part for how much is done. The function that it returns ends
// that.
func (w *Work) watch(what string, rows int64, part func() float64) (end func()) {
	if w.Progress == nil {
		return func() {}
	}
	tell := func() {
		p := min(part(), 1)
		w.Progress(Progress{what, int64(max(p, 0) * float64(rows)), p})
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				tell()
				return
			case <-tick.C:
				tell()
			}
		}
	}()
	return func() { close(done); <-ended }
}

// unknownPart is for work of which nobody knows how much is done.
func unknownPart() float64 { return -1 }
