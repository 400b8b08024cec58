package history_test

import (
	"database/sql"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// read returns the events of a file.
func read(t *testing.T, file string, f history.Filter) []history.Event {
	t.Helper()
	var events []history.Event
	err := history.Read(t.Context(), file, f, func(e history.Event) error {
		events = append(events, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func record(t *testing.T, file string, o history.Options) *history.Recorder {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r, err := history.Open(file, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// given is a transaction that has given values to a version.
func given(version string, values ...int64) store.Commit {
	var c store.Commit
	for _, v := range values {
		c.Changes = append(c.Changes, store.Change{
			Asker: store.Asker{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711}, Generation: 1, Method: "getPR"},
			Key:   store.Key{Version: version, Pkgarch: "all", Checksum: strconv.FormatInt(v, 10)}, Value: v,
		})
	}
	return c
}

// TestHistory writes to a history, opens it again, and reads it.
func TestHistory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "history")
	r := record(t, file, history.Options{})
	r.Committed(given("make-1", 0, 1))
	r.Committed(store.Commit{Changes: []store.Change{{Key: store.Key{Version: "bash-5"},
		Value: store.Revision{3, 1}, Before: store.Revision{3}}}})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	record(t, file, history.Options{}).Close()
	events := read(t, file, history.Filter{})
	if len(events) != 3 {
		t.Fatalf("got %+v, want three events", events)
	}
	want := history.Event{ID: 2, Time: events[1].Time, Client: "192.0.2.7", Generation: 1, Method: "getPR",
		Version: "make-1", Pkgarch: "all", Checksum: "1", Value: "1"}
	if events[1] != want || time.Since(want.Time) > time.Hour {
		t.Errorf("got %+v, want %+v", events[1], want)
	}
	if events[1].Time.Location() != time.UTC {
		t.Errorf("the time is %v, want it in UTC", events[1].Time)
	}
	if e := events[2]; e.Value != "3.1" || e.Before != "3" || e.Client != "" {
		t.Errorf("got %+v, want 3.1 after 3 from nobody", e)
	}
	for _, test := range []struct {
		filter history.Filter
		want   []int64
	}{
		{history.Filter{}, []int64{1, 2, 3}},
		{history.Filter{Version: "make-*"}, []int64{1, 2}},
		{history.Filter{Version: "make"}, nil},
		{history.Filter{NewestFirst: true}, []int64{3, 2, 1}},
		{history.Filter{After: 1}, []int64{2, 3}},
		{history.Filter{Before: 3, NewestFirst: true}, []int64{2, 1}},
		{history.Filter{After: 1, Before: 3}, []int64{2}},
		{history.Filter{Since: time.Now().Add(-time.Hour)}, []int64{1, 2, 3}},
		{history.Filter{Since: time.Now().Add(time.Hour)}, nil},
	} {
		var got []int64
		for _, e := range read(t, file, test.filter) {
			got = append(got, e.ID)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%+v: got the events %d, want %d", test.filter, got, test.want)
		}
	}
}

// TestBound forgets the oldest events, and does not grow.
func TestBound(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "history")
	var size int64
	for round := range 6 {
		r := record(t, file, history.Options{Rows: 1000})
		var values []int64
		for i := range 2000 {
			values = append(values, int64(round*2000+i))
		}
		r.Committed(given("v", values...))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		events := read(t, file, history.Filter{})
		if len(events) != 1000 || events[999].Value != strconv.Itoa(round*2000+1999) {
			t.Fatalf("round %d: %d events, want the last 1000", round, len(events))
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if round == 1 {
			size = info.Size()
		} else if round > 1 && info.Size() > size+size/2 {
			t.Errorf("round %d: the file has %d bytes, after %d", round, info.Size(), size)
		}
	}
}

// TestDrop has more events than may wait for the disk.
func TestDrop(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "history")
	unlock := lock(t, file)
	r := record(t, file, history.Options{})
	for range 7 {
		r.Committed(given("v", make([]int64, 10000)...))
	}
	if s := r.State(); s.Waiting+int(s.Dropped) != 70000 || s.Dropped != 70000-65536 || s.Written != 0 {
		t.Errorf("while nothing can be written: %+v", s)
	}
	unlock()
	prservtest.WaitFor(t, "the events", func() bool { return r.State().Waiting == 0 })
	r.Committed(given("v", 1))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if s := r.State(); s.Written != 65537 || s.Dropped != 70000-65536 || s.Trouble != nil {
		t.Errorf("at the end: %+v", s)
	}
	if n := len(read(t, file, history.Filter{})); n != 65537 {
		t.Errorf("the file has %d events, want 65537", n)
	}
}

// TestLongKeys has keys so long that few events may wait for the disk.
func TestLongKeys(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "history")
	unlock := lock(t, file)
	r := record(t, file, history.Options{})
	long := strings.Repeat("é", 32<<10)
	c := store.Commit{Changes: make([]store.Change, 1000)}
	for i := range c.Changes {
		c.Changes[i] = store.Change{Key: store.Key{Version: long, Pkgarch: long, Checksum: long}, Value: int64(i)}
	}
	for range 8 {
		r.Committed(c)
	}
	const kept = 10 << 10 // bytes of a key
	if s := r.State(); s.Waiting+int(s.Dropped) != 8000 || s.Waiting*kept < 63<<20 || s.Waiting*kept > 65<<20 {
		t.Errorf("while nothing can be written: %+v", s)
	}
	unlock()
	prservtest.WaitFor(t, "the events", func() bool { return r.State().Waiting == 0 })
	dropped := r.State().Dropped
	r.Committed(c)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if s := r.State(); s.Written+dropped != 9000 || s.Dropped != dropped {
		t.Errorf("at the end: %+v", s)
	}
	e := read(t, file, history.Filter{NewestFirst: true})[0]
	if e.Version != long[:8<<10] || e.Pkgarch != long[:1<<10] || e.Checksum != long[:1<<10] || e.Value != "999" {
		t.Errorf("kept are %d, %d and %d bytes, and the value %s", len(e.Version), len(e.Pkgarch), len(e.Checksum), e.Value)
	}
}

// TestLogShrinks lets somebody read for long, so that the log grows, and looks at it
// afterwards.
func TestLogShrinks(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "history")
	r := record(t, file, history.Options{})
	r.Committed(given("v", 1))
	prservtest.WaitFor(t, "the event", func() bool { return r.State().Written == 1 })
	size := func() int64 {
		info, err := os.Stat(file + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	errStop := errors.New("stop")
	err := history.Read(t.Context(), file, history.Filter{}, func(history.Event) error {
		r.Committed(given(strings.Repeat("long", 2048), make([]int64, 4000)...))
		prservtest.WaitFor(t, "the events", func() bool { return r.State().Waiting == 0 })
		return errStop
	})
	if before := size(); !errors.Is(err, errStop) || before < 24<<20 {
		t.Fatalf("%v, and the log has %d bytes, so nothing is to be seen", err, before)
	}
	prservtest.WaitFor(t, "the log to shrink", func() bool {
		r.Committed(given("v", 2))
		return size() <= 9<<20
	})
}

// lock makes a history, and keeps everybody from writing it until unlock is
// called.
func lock(t *testing.T, file string) (unlock func()) {
	t.Helper()
	if err := record(t, file, history.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	return prservtest.LockFile(t, file)
}

// TestLockedUntilTheEnd closes a history that could not be written until then, with
// events that are tried to be written, and others behind them.
func TestLockedUntilTheEnd(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "history")
	unlock := lock(t, file)
	r := record(t, file, history.Options{})
	r.Committed(given("v", 1))
	prservtest.WaitFor(t, "an attempt", func() bool { return r.State().Trouble != nil })
	r.Committed(given("v", 2))
	unlock()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if n, s := len(read(t, file, history.Filter{})), r.State(); n != 2 || s.Dropped != 0 || s.Waiting != 0 {
		t.Errorf("%d events, want 2; %+v", n, s)
	}
}

// TestTrouble opens files that cannot be written, each of which becomes writable
// later. Nothing is lost meanwhile.
func TestTrouble(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	join := func(name string) string { return filepath.Join(dir, name) }
	database := prservtest.NewFile(t)
	prservtest.Make(t, database)
	prservtest.WriteFile(t, join("text"), strings.Repeat("text", 1000))
	do := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	other := record(t, join("taken"), history.Options{})
	prservtest.WaitFor(t, "the other server", func() bool { _, err := os.Stat(join("taken-wal")); return err == nil })
	for _, test := range []struct {
		file, want string
		mend       func()
	}{
		{database, "it is no history of PR values; remove it, or name another file with --history", func() { do(os.Remove(database)) }},
		{join("text"), "file is not a database; remove it, or name another file with --history", func() { do(os.Remove(join("text"))) }},
		{join("none/past"), "no such file or directory; make it writable, or ", func() { do(os.Mkdir(join("none"), 0o777)) }},
		{dir, "it is no file; make it writable, or ", nil},
		{join("taken"), "another process has locked it; end that, or name another", func() { do(other.Close()) }},
		{join("locked"), "database is locked; end that, or name another", lock(t, join("locked"))},
	} {
		log := &prservtest.Log{}
		r := record(t, test.file, history.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
		r.Committed(given("v", 1))
		prservtest.WaitFor(t, test.want, func() bool { err := r.State().Trouble; return err != nil && strings.Contains(err.Error(), test.want) })
		if test.mend != nil {
			test.mend()
			prservtest.WaitFor(t, "the event", func() bool { return r.State().Written == 1 })
			if err := r.State().Trouble; err != nil {
				t.Errorf("%s: afterwards: %v", test.file, err)
			}
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: %v", test.file, err)
		}
		said := log.String()
		if test.mend == nil {
			if s := r.State(); !strings.Contains(said, test.file+" ends; events missing at the end: 1") || s.Dropped != 1 || s.Waiting != 0 {
				t.Errorf("%s: the log has %q", test.file, said)
			}
			continue
		}
		if n := len(read(t, test.file, history.Filter{})); n != 1 {
			t.Errorf("%s has %d events, want 1", test.file, n)
		}
		if want := strings.Contains(test.file, "taken"); !want && !(strings.Contains(said, "The history stops") && strings.Contains(said, "goes on; events missing: 0")) {
			t.Errorf("%s: the log has %q", test.file, said)
		} else if want && said != "" { // it is another server's last moment
			t.Errorf("%s: the log has %q, want nothing", test.file, said)
		}
	}
}

// TestHalfWritten begins where a server was killed in the middle of a change, with
// the journal from which that is undone.
func TestHalfWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	r := record(t, file, history.Options{})
	r.Committed(given("a", 0, 1))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range []string{"PRAGMA journal_mode = DELETE", "PRAGMA cache_size = 1", "BEGIN",
		"CREATE TABLE other (x)", "INSERT INTO other WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT randomblob(1000) FROM n"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	killed := filepath.Join(t.TempDir(), "killed")
	for _, end := range []string{"", "-journal"} {
		data, err := os.ReadFile(file + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(killed+end, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r = record(t, killed, history.Options{})
	r.Committed(given("b", 0))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if events := read(t, killed, history.Filter{}); len(events) != 3 {
		t.Errorf("the history has %d events, want 3", len(events))
	}
}

// TestRemoved removes the file and all that belongs to it, or only the file, or
// moves it, while a server writes it. It goes on in a new one, and the one that
// was moved is whole.
func TestRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "history")
	log := &prservtest.Log{}
	r := record(t, file, history.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	wait := func(written int64) {
		t.Helper()
		prservtest.WaitFor(t, "the event", func() bool { return r.State().Written == written })
	}
	r.Committed(given("first", 1))
	wait(1)
	moved := filepath.Join(t.TempDir(), "moved")
	for i, names := range [][]string{{"", "-wal", "-shm"}, {""}, nil} {
		if names == nil {
			if err := os.Rename(file, moved); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range names {
			if err := os.Remove(file + name); err != nil {
				t.Fatal(err)
			}
		}
		r.Committed(given("next", 1))
		wait(int64(i + 2))
		if events := read(t, file, history.Filter{}); len(events) != 1 || events[0].Version != "next" {
			t.Errorf("the new file has %+v", events)
		}
		if n := strings.Count(log.String(), "has been removed or replaced"); n != i+1 || strings.Contains(log.String(), "stops") {
			t.Errorf("the log has %q", log)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if events := read(t, moved, history.Filter{}); len(events) != 1 {
		t.Errorf("the moved file has %+v", events)
	}
	if names := prservtest.Files(t, file); len(names) != 1 {
		t.Errorf("left are %q", names)
	}
	if open := prservtest.Descriptors(t, dir); len(open) > 0 {
		t.Errorf("still open are %q", open)
	}
}

// TestNoHistory reads files that are something else.
func TestNoHistory(t *testing.T) {
	t.Parallel()
	database := prservtest.NewFile(t)
	prservtest.Make(t, database)
	text := filepath.Join(t.TempDir(), "text")
	prservtest.WriteFile(t, text, strings.Repeat("text", 1000))
	for _, file := range []string{database, text, filepath.Join(text, "none")} {
		err := history.Read(t.Context(), file, history.Filter{}, nil)
		if err == nil || (file == database) != errors.Is(err, history.ErrNone) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
