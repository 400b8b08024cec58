package history

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"prserver/prserv/store"
)

const (
	// Rows is how many events a history keeps, unless it is told otherwise: about
	// 180 MB.
	Rows = 1_000_000
	// maxWaiting is how many events wait for the disk. What comes above that is
	// counted and lost: the service goes on.
	maxWaiting = 65536
	// writeEvery is how long an event waits until it is written.
	writeEvery = time.Second
	// writeFrom is from how many on they are written at once.
	writeFrom = 5000
)

// Options are those of a [Recorder].
type Options struct {
	Rows int          // how many events are kept; 0 is [Rows]
	Log  *slog.Logger // is told when the history stops, and when it goes on
}

// Recorder writes a history. It is a [store.Observer], and must be closed.
type Recorder struct {
	file    string
	options Options
	db      *sql.DB

	commits chan commit
	waiting atomic.Int64 // events that are not written yet
	dropped atomic.Int64
	written atomic.Int64
	failing bool // the last write has failed

	closing   chan struct{}
	done      chan struct{}
	closeOnce sync.Once
}

// commit is what one transaction has stored.
type commit struct {
	at      time.Time
	changes []store.Change
}

// Open opens a history to add to it, and makes it if there is none; its folder
// must exist. The error is [ErrNone] for a file that is something else.
func Open(file string, o Options) (*Recorder, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	if o.Rows == 0 {
		o.Rows = Rows
	}
	db, err := openToWrite(file)
	if err != nil {
		return nil, fmt.Errorf("opening the history %s: %w", file, err)
	}
	r := &Recorder{
		file: file, options: o, db: db, commits: make(chan commit, 1024),
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	go r.loop()
	return r, nil
}

// Committed implements [store.Observer]. It waits for nothing.
func (r *Recorder) Committed(c store.Commit) {
	n := int64(len(c.Changes))
	if n == 0 {
		return
	}
	if r.waiting.Add(n) <= maxWaiting {
		select {
		case r.commits <- commit{time.Now(), append([]store.Change(nil), c.Changes...)}:
			return
		default:
		}
	}
	r.waiting.Add(-n)
	r.dropped.Add(n)
}

// Counts returns how many events have been written, and how many were lost since
// the history was opened.
func (r *Recorder) Counts() (written, dropped int64) { return r.written.Load(), r.dropped.Load() }

// File returns the path of the file.
func (r *Recorder) File() string { return r.file }

// Close writes what waits, and closes the file. It may be called more than once,
// and for no recorder.
func (r *Recorder) Close() error {
	if r == nil {
		return nil
	}
	var err error
	r.closeOnce.Do(func() {
		close(r.closing)
		<-r.done
		// One file stays, which can be read without leaving anything beside it. It
		// fails where somebody is just reading.
		r.db.Exec("PRAGMA journal_mode = DELETE")
		err = r.db.Close()
	})
	return err
}

// loop writes what comes, until the recorder is closed.
func (r *Recorder) loop() {
	defer close(r.done)
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	var batch []commit
	events := 0
	write := func() {
		if events > 0 {
			r.write(batch, events)
			clear(batch)
			batch, events = batch[:0], 0
		}
	}
	for {
		select {
		case c := <-r.commits:
			batch = append(batch, c)
			if events += len(c.changes); events >= writeFrom {
				write()
			}
		case <-tick.C:
			write()
		case <-r.closing:
			for len(r.commits) > 0 {
				c := <-r.commits
				batch = append(batch, c)
				events += len(c.changes)
			}
			write()
			return
		}
	}
}

// write writes events in a transaction. If that fails, they are lost: a full disk
// stops the history, and not the service.
func (r *Recorder) write(batch []commit, events int) {
	err := r.transact(batch)
	r.waiting.Add(-int64(events))
	if err != nil {
		r.dropped.Add(int64(events))
	} else {
		r.written.Add(int64(events))
	}
	if failing := err != nil; failing != r.failing {
		r.failing = failing
		if failing {
			r.options.Log.Error(fmt.Sprintf("The history stops, and values are given out as before: writing %s: %v", r.file, err))
		} else {
			r.options.Log.Warn(fmt.Sprintf("The history %s goes on; %d events are missing", r.file, r.dropped.Load()))
		}
	}
}

func (r *Recorder) transact(batch []commit) (err error) {
	tx, err := r.db.Begin()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreDone(tx.Rollback()))
		}
	}()
	insert, err := tx.Prepare(sqlInsert)
	if err != nil {
		return err
	}
	for _, c := range batch {
		for i := range c.changes {
			change := &c.changes[i]
			_, err := insert.Exec(c.at.UnixMilli(), clientOf(change.Asker), change.Asker.Generation, change.Asker.Method,
				change.Key.Version, change.Key.Pkgarch, change.Key.Checksum, textOf(change.Value), textOf(change.Before))
			if err != nil {
				return err
			}
		}
	}
	if _, err := tx.Exec(sqlBound, r.options.Rows); err != nil {
		return err
	}
	return tx.Commit()
}

// ignoreDone makes nothing of the error that a transaction is over already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
