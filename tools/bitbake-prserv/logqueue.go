package main

import (
	"io"
	"os"
	"sync/atomic"
	"time"
)

const (
	// maxQueued is how many lines of the log wait for a slow reader; a line
	// has some kilobytes at most.
	maxQueued = 512
	// flushTimeout is how long the end waits for the reader. It has to fit
	// into the two seconds in which the server ends.
	flushTimeout = 250 * time.Millisecond
)

// lineWriter writes lines of a log without ever waiting for a reader.
type lineWriter interface {
	io.Writer
	// flush waits until all is written, for [flushTimeout] at most. Nothing
	// may be written afterwards.
	flush()
}

// newLineWriter returns a writer to a file. One that is not regular (a pipe, a
// terminal, a socket) can block for as long as nobody reads it, so a queue is
// put before it. A regular file gets each line at once: none is lost in a
// crash. The lost function writes a line that says how many others were lost.
func newLineWriter(f *os.File, lost func(w io.Writer, lines int64)) lineWriter {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return direct{f}
	}
	q := &queue{out: f, lost: lost, lines: make(chan []byte, maxQueued), written: make(chan struct{})}
	go q.loop()
	return q
}

// direct is a regular file.
type direct struct{ *os.File }

func (direct) flush() {}

// queue writes lines from a goroutine of its own, and drops those for which it
// has no room.
type queue struct {
	out     io.Writer
	lost    func(w io.Writer, lines int64)
	lines   chan []byte
	dropped atomic.Int64
	written chan struct{} // closed when all is written after flush
}

// Write never fails and never blocks.
func (q *queue) Write(line []byte) (int, error) {
	select {
	case q.lines <- append([]byte(nil), line...):
	default:
		q.dropped.Add(1)
	}
	return len(line), nil
}

func (q *queue) loop() {
	defer close(q.written)
	for line := range q.lines {
		q.out.Write(line) // nobody can be told where the log cannot be written
		if len(q.lines) > 0 {
			continue // what waits is older than what was lost
		}
		if n := q.dropped.Swap(0); n > 0 {
			q.lost(q.out, n)
		}
	}
}

func (q *queue) flush() {
	close(q.lines)
	select {
	case <-q.written:
	case <-time.After(flushTimeout):
	}
}
