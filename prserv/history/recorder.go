package history

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"prserver/prserv/dbfile"
	"prserver/prserv/store"
)

const (
	// Rows is how many events a history keeps, unless it is told otherwise: about
	// 180 MB.
	Rows = 1_000_000
	// maxWaiting is how many events wait for the disk. What comes above that is
	// counted and lost: the service goes on.
	maxWaiting = 65536
	// maxWaitingBytes is how many bytes they may have, for clients may send long
	// keys.
	maxWaitingBytes = 64 << 20
	// writeEvery is how long an event waits until it is written, and how long the
	// next attempt waits after one that has failed.
	writeEvery = time.Second
	// writeFrom is from how many on they are written at once.
	writeFrom = 16384
	// handover is how long another server may have the file before that is said:
	// one that ends may write its last events while the next one starts.
	handover = 5 * time.Second
	// tellEvery is how often the log is told at most that something is wrong.
	tellEvery = time.Minute
	// closePatience is how long closing waits for the disk.
	closePatience = 5 * time.Second
)

// Options are those of a [Recorder].
type Options struct {
	Rows int          // how many events are kept; 0 is [Rows]
	Log  *slog.Logger // is told when the history stops, and when it goes on
}

// Recorder writes a history. It is a [store.Observer], and must be closed.
type Recorder struct {
	name    string
	options Options

	mu      sync.Mutex
	waiting []event // guarded by mu, as all until closing
	taken   int     // how many events are being written, or tried to
	held    int     // bytes of both
	written int64
	dropped int64
	trouble error // why the last attempt has failed, or nil

	wake      chan struct{} // many events wait
	closing   chan struct{}
	done      chan struct{}
	closeOnce sync.Once
	closeErr  error
	fileErr   error // of closing the file; set when done is closed

	// What follows is the goroutine's own.
	file    *file     // nil while it is not open
	batch   []event   // what is being written
	failing time.Time // since when attempts fail; zero if they do not
	told    bool      // whether the log was told that they do
	toldAt  time.Time // when it was last told that something is wrong
	missing int64     // what was dropped when it was last told how much
}

// event is a change that is to be written.
type event struct {
	at     int64 // milliseconds since 1970
	change store.Change
}

// bytes returns how much of it is as long as its client wants.
func (e *event) bytes() int {
	c := &e.change
	n := len(c.Key.Version) + len(c.Key.Pkgarch) + len(c.Key.Checksum)
	for _, v := range []store.Value{c.Value, c.Before} {
		if r, ok := v.(store.Revision); ok {
			n += 8 * len(r)
		}
	}
	return n
}

// Open begins a history, and adds to the file if there is one. It does not wait
// for the file: as long as that cannot be opened or written, events wait, see
// [Recorder.State], and it is tried again. The error tells that the path of the
// file cannot be found out.
func Open(file string, o Options) (*Recorder, error) {
	name, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("finding the path of the history %s: %w", file, err)
	}
	if o.Rows == 0 {
		o.Rows = Rows
	}
	r := &Recorder{name: name, options: o, wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{})}
	go r.loop()
	return r, nil
}

// Committed implements [store.Observer]. It waits for nothing.
func (r *Recorder) Committed(c store.Commit) {
	if len(c.Changes) == 0 {
		return
	}
	at := time.Now().UnixMilli()
	r.mu.Lock()
	for i := range c.Changes {
		if r.taken+len(r.waiting) >= maxWaiting || r.held >= maxWaitingBytes {
			r.dropped += int64(len(c.Changes) - i)
			break
		}
		e := event{at, c.Changes[i]}
		e.change.Key = keep(e.change.Key)
		r.waiting = append(r.waiting, e)
		r.held += e.bytes()
	}
	isMuch := len(r.waiting) >= writeFrom && r.taken == 0
	r.mu.Unlock()
	if isMuch {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// State is how a history is doing.
type State struct {
	Written int64 // events since it was opened
	Dropped int64 // events that were lost since then, because too many waited for the disk
	Waiting int   // events that are yet to be written
	Trouble error // why the file cannot be written now, and what to do; nil if it can
}

// State returns how the history is doing.
func (r *Recorder) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return State{Written: r.written, Dropped: r.dropped, Waiting: r.taken + len(r.waiting), Trouble: r.trouble}
}

// File returns the path of the file.
func (r *Recorder) File() string { return r.name }

// Close writes what waits, and closes the file. Where its disk takes longer than
// five seconds, the rest is lost. Close may be called more than once, and for no
// recorder.
func (r *Recorder) Close() error {
	if r == nil {
		return nil
	}
	r.closeOnce.Do(func() {
		close(r.closing)
		select {
		case <-r.done:
			r.closeErr = r.fileErr
		case <-time.After(closePatience):
			r.closeErr = fmt.Errorf("writing the history %s: its disk does not answer; its last events may be missing", r.name)
		}
	})
	return r.closeErr
}

// loop writes what comes, until the recorder is closed.
func (r *Recorder) loop() {
	defer close(r.done)
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	r.write() // so that trouble is known from the start
	for {
		select {
		case <-tick.C:
		case <-r.wake:
			if !r.failing.IsZero() {
				continue // the next attempt is the tick's
			}
		case <-r.closing:
			r.write()
			if s := r.State(); s.Waiting > 0 && s.Trouble == nil { // they came after those
				r.write()
			}
			r.end()
			return
		}
		r.write()
	}
}

// write writes what waits. What cannot be written waits on.
func (r *Recorder) write() {
	r.mu.Lock()
	if len(r.batch) == 0 {
		r.batch, r.waiting = r.waiting, r.batch
	}
	r.taken = len(r.batch)
	r.mu.Unlock()
	if len(r.batch) == 0 && r.file != nil {
		return
	}
	err := r.attempt()
	r.mu.Lock()
	r.trouble = err
	if err == nil {
		r.written += int64(len(r.batch))
		r.taken = 0
		for i := range r.batch {
			r.held -= r.batch[i].bytes()
		}
	}
	r.mu.Unlock()
	if err == nil {
		clear(r.batch) // so that their texts can be freed
		if cap(r.batch) > 4*len(r.batch)+1024 {
			r.batch = nil // the load has ended
		}
		r.batch = r.batch[:0]
	}
	r.tell(err)
}

// attempt opens the file, if it is not, and writes the batch.
func (r *Recorder) attempt() (err error) {
	defer func() {
		if err != nil && r.file != nil {
			r.file.close() // the next attempt looks at it anew
			r.file = nil
		}
	}()
	if r.file != nil && !r.file.isThere() {
		r.options.Log.Warn(fmt.Sprintf("The history %s has been removed or replaced; it goes on in the file of that name", r.name))
		r.file.close()
		r.file = nil
	}
	if r.file == nil {
		if r.file, err = openToWrite(r.name); err != nil {
			return fmt.Errorf("opening the history %s: %w%s", r.name, err, advice(err))
		}
	}
	if len(r.batch) == 0 {
		return nil
	}
	if err := r.file.write(r.batch, r.options.Rows); err != nil {
		return fmt.Errorf("writing the history %s: %w%s", r.name, err, advice(err))
	}
	return nil
}

// tell tells the log when trouble begins and when it is over, and how many
// events are missing.
func (r *Recorder) tell(err error) {
	if err != nil {
		if r.failing.IsZero() {
			r.failing = time.Now()
		}
		isUsual := errors.Is(err, dbfile.ErrTaken) && time.Since(r.failing) < handover
		if !r.told && !isUsual && time.Since(r.toldAt) > tellEvery {
			r.told, r.toldAt = true, time.Now()
			r.options.Log.Error(fmt.Sprintf("The history stops, and values are given out as before: %v", err))
		}
		return
	}
	dropped := r.State().Dropped
	missing := dropped - r.missing
	switch {
	case r.told:
		r.options.Log.Warn(fmt.Sprintf("The history %s goes on; events missing: %d", r.name, missing))
	case missing > 0 && time.Since(r.toldAt) > tellEvery:
		r.toldAt = time.Now()
		r.options.Log.Warn(fmt.Sprintf("The history %s cannot keep up; events missing: %d", r.name, missing))
	default:
		missing = 0
	}
	r.failing, r.told, r.missing = time.Time{}, false, r.missing+missing
}

// end closes the file. What is not written is lost.
func (r *Recorder) end() {
	r.mu.Lock()
	lost := r.taken + len(r.waiting)
	r.dropped += int64(lost)
	r.taken, r.waiting = 0, nil
	r.mu.Unlock()
	if lost > 0 {
		r.options.Log.Error(fmt.Sprintf("The history %s ends; events missing at the end: %d", r.name, lost))
	}
	if r.file != nil {
		r.fileErr = r.file.close()
	}
}

// advice says what to do where a history cannot be opened or written.
func advice(err error) string {
	switch {
	case errors.Is(err, dbfile.ErrTaken), errors.Is(err, store.ErrBusy):
		return "; end that, or name another file with --history"
	case errors.Is(err, store.ErrFull):
		return "; free some space there"
	case errors.Is(err, ErrNone), errors.Is(err, store.ErrDamaged):
		return "; remove it, or name another file with --history"
	}
	return "; make it writable, or name another file with --history"
}
