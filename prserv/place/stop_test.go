package place

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// endsAt is a context that ends when it is asked for the nth time.
type endsAt struct {
	context.Context
	left   atomic.Int64
	cancel context.CancelFunc
	beside bool // ends it a little later, so in the middle of what asked
}

func newEndsAt(t *testing.T, n int64, beside bool) *endsAt {
	ctx, cancel := context.WithCancel(t.Context())
	c := &endsAt{Context: ctx, cancel: cancel, beside: beside}
	c.left.Store(n)
	t.Cleanup(cancel)
	return c
}

func (c *endsAt) ask() {
	switch {
	case c.left.Add(-1) != 0:
	case c.beside:
		go c.cancel()
	default:
		c.cancel()
	}
}

func (c *endsAt) Err() error            { c.ask(); return c.Context.Err() }
func (c *endsAt) Done() <-chan struct{} { c.ask(); return c.Context.Done() }

// TestInterrupted ends copies wherever they ask whether they are to end: their
// destination is as it was, or whole.
func TestInterrupted(t *testing.T) {
	t.Parallel() // it waits for the disk
	const rows, never = 2000, 1 << 60
	src := manyRows(t, "src.sql", rows)
	db := Place{Database, filepath.Join(t.TempDir(), "src.db")}
	asked := newEndsAt(t, never, false)
	if _, err := (&Work{}).Copy(asked, src, db, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	asks := never - asked.left.Load()
	old := []Row{{"v", "p", "c", "3"}}
	copied := listed(t, db, ListOptions{})
	merged := append(slices.Clone(old), copied...)
	slices.SortFunc(merged, compareRows)
	random := rand.New(rand.NewPCG(8, 8))
	ends := map[bool]int{}
	for i := range 80 {
		at := 1 + random.Int64N(asks)
		switch i {
		case 0:
			at = 1
		case 1:
			at = never
		}
		from := []Place{src, db}[random.IntN(2)]
		kind := []Kind{Database, SQL, Inc}[i%3]
		var dst Place
		var before []Row
		if random.IntN(2) == 0 {
			dst = Place{kind, filepath.Join(t.TempDir(), "new")}
		} else {
			dst, before = makePlace(t, kind, generation1, old), old
		}
		_, err := (&Work{}).Copy(newEndsAt(t, at, i%2 == 0), from, dst, CopyOptions{All: kind == Inc})
		ends[err == nil]++
		about := fmt.Sprintf("%v to kind %d, ended at %d of %d, %v", from, kind, at, asks, err)
		want := before
		switch {
		case err == nil && before == nil:
			want = copied
		case err == nil:
			want = merged
		case !errors.Is(err, context.Canceled):
			t.Errorf("%s: want what ended it", about)
		case before == nil:
			prservtest.WantFolder(t, about, filepath.Dir(dst.Name))
			continue
		}
		prservtest.WantFolder(t, about, filepath.Dir(dst.Name), filepath.Base(dst.Name))
		if got := listed(t, dst, ListOptions{}); !slices.Equal(got, want) {
			t.Errorf("%s: %d rows, want %d", about, len(got), len(want))
		}
	}
	if ends[true] == 0 || ends[false] == 0 {
		t.Errorf("%d copies were whole and %d interrupted, want some of both", ends[true], ends[false])
	}
}

// TestInterruptedWait ends what waits for standard input, or for a server.
func TestInterruptedWait(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	defer in.Close()
	io.WriteString(out, begin+make1)
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	w := &Work{Stdin: in, Progress: func(Progress) { once.Do(cancel) }}
	dst := Place{Database, filepath.Join(t.TempDir(), "a.db")}
	if _, err := w.Copy(ctx, Place{SQL, standard}, dst, CopyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	prservtest.WantFolder(t, "interrupted", filepath.Dir(dst.Name))
}

// TestInterruptedPipe ends what waits for somebody to write to a pipe.
func TestInterruptedPipe(t *testing.T) {
	for _, kind := range []Kind{SQL, Inc} {
		pipe := Place{kind, filepath.Join(t.TempDir(), "pipe")}
		if err := unix.Mkfifo(pipe.Name, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := (&Work{}).List(ctx, pipe, ListOptions{}, nil)
		prservtest.WantOneLine(t, "interrupted", err, "reading "+pipe.Name)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want %v", err, context.DeadlineExceeded)
		}
		if end, err := os.OpenFile(pipe.Name, os.O_WRONLY|unix.O_NONBLOCK, 0); err == nil { // who waits, need not any more
			end.Close()
		}
	}
}

// failing is where nothing can be written to.
type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after -= len(p); f.after < 0 {
		return 0, errStop
	}
	return len(p), nil
}

func TestNoRoom(t *testing.T) {
	src := manyRows(t, "src.sql", 5000)
	for _, kind := range []Kind{SQL, Inc} {
		for _, after := range []int{0, 300_000} {
			from := src
			if kind == SQL {
				from = Place{Database, filepath.Join(t.TempDir(), "a.db")}
				if _, err := (&Work{}).Copy(t.Context(), src, from, CopyOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			_, err := (&Work{Stdout: &failing{after}}).Copy(t.Context(), from, Place{kind, standard}, CopyOptions{All: kind == Inc})
			prservtest.WantOneLine(t, "no room", err, "writing standard")
			if !errors.Is(err, errStop) {
				t.Errorf("%v, want %v", err, errStop)
			}
		}
	}
}

// TestProgress never goes back, and stays within 0 and 1.
func TestProgress(t *testing.T) {
	src := manyRows(t, "src.sql", 20_000)
	for _, kind := range []Kind{Database, SQL, Inc} {
		var mu sync.Mutex // another goroutine watches SQLite
		last := map[string]Progress{}
		w := &Work{Progress: func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			if before := last[p.What]; p.Part > 1 || p.Part < 0 && p.Part != -1 || p.Part < before.Part || p.Rows < before.Rows {
				t.Errorf("%+v after %+v", p, before)
			}
			last[p.What] = p
		}}
		if _, err := w.Copy(t.Context(), src, Place{kind, filepath.Join(t.TempDir(), "a")}, CopyOptions{}); err != nil {
			t.Error(err)
		}
		if len(last) == 0 {
			t.Errorf("to kind %d: nothing was told", kind)
		}
	}
}

// TestMemory copies and compares many rows in little memory.
func TestMemory(t *testing.T) {
	if !isLong() {
		t.Skip("copies 300,000 rows several times: only with PRSERV_LONG=1")
	}
	const n = 300_000
	bound := 64 << 20
	if isRace() {
		bound *= 2 // the detector keeps several bytes for each one in use
	}
	src := manyRows(t, "src.sql", n)
	folder := t.TempDir()
	db, db3 := Place{Database, folder + "/a.db"}, Place{Database, folder + "/b.db"}
	sql, inc := Place{SQL, folder + "/a.sql"}, Place{Inc, folder + "/a.inc"}
	same := func(a, b Place) func() error {
		return func() error {
			c, err := (&Work{}).Diff(t.Context(), a, b, func(d Difference) error { return fmt.Errorf("%v", d) })
			if err == nil && c.Same != n {
				err = fmt.Errorf("%+v", c)
			}
			return err
		}
	}
	copied := func(a, b Place, o CopyOptions) func() error {
		return func() error { _, err := (&Work{}).Copy(t.Context(), a, b, o); return err }
	}
	for _, step := range []struct {
		about string
		do    func() error
	}{
		{"sql to file", copied(src, db, CopyOptions{})},
		{"file to file", copied(db, db3, CopyOptions{Generation: store.Generation3})},
		{"file to sql", copied(db, sql, CopyOptions{})},
		{"file to inc", copied(db, inc, CopyOptions{All: true})},
		{"file into file", copied(db, db3, CopyOptions{})},
		{"file into sql", copied(db, sql, CopyOptions{})},
		{"file and file", same(db, db3)},
		{"sql and inc", same(sql, inc)},
		{"list", func() error {
			return (&Work{}).List(t.Context(), db3, ListOptions{Greatest: true}, func(Row) error { return nil })
		}},
		{"check", func() error {
			_, err := (&Work{}).Check(t.Context(), db3, func(Problem) error { return nil })
			return err
		}},
	} {
		runtime.GC()
		resetPeak(t)
		before := peak(t)
		begun := time.Now()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.about, err)
		}
		grown := peak(t) - before
		t.Logf("%s: %d MiB more, %v", step.about, grown>>20, time.Since(begun).Round(time.Millisecond))
		if grown > bound {
			t.Errorf("%s: %d MiB more memory, want at most %d", step.about, grown>>20, bound>>20)
		}
	}
}

// isRace tells whether the race detector is in this program.
func isRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// resetPeak makes the memory of now the most that this process has had.
func resetPeak(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skipf("no way to measure memory: %v", err)
	}
}

// peak is the most memory that this process has had.
func peak(t *testing.T) int {
	t.Helper()
	for line := range strings.Lines(prservtest.ReadFile(t, "/proc/self/status")) {
		var kib int
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	t.Fatal("/proc/self/status has no VmHWM")
	return 0
}
