package history_test

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
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
	want := history.Event{Time: events[1].Time, Client: "192.0.2.7", Generation: 1, Method: "getPR",
		Version: "make-1", Pkgarch: "all", Checksum: "1", Value: "1"}
	if events[1] != want || time.Since(want.Time) > time.Hour {
		t.Errorf("got %+v, want %+v", events[1], want)
	}
	if e := events[2]; e.Value != "3.1" || e.Before != "3" || e.Client != "" {
		t.Errorf("got %+v, want 3.1 after 3 from nobody", e)
	}
	for _, test := range []struct {
		filter history.Filter
		want   int
	}{
		{history.Filter{Version: "make-*"}, 2},
		{history.Filter{Version: "make"}, 0},
		{history.Filter{Last: 1}, 1},
		{history.Filter{Since: time.Now().Add(-time.Hour)}, 3},
		{history.Filter{Since: time.Now().Add(time.Hour)}, 0},
	} {
		if got := read(t, file, test.filter); len(got) != test.want {
			t.Errorf("%+v: got %d events, want %d", test.filter, len(got), test.want)
		}
	}
}

// TestBound forgets the oldest events, and does not grow.
func TestBound(t *testing.T) {
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
	r := record(t, filepath.Join(t.TempDir(), "history"), history.Options{})
	c := given("v", make([]int64, 70000)...)
	r.Committed(c)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if written, dropped := r.Counts(); written != 0 || dropped != 70000 {
		t.Errorf("%d were written and %d lost, want all lost", written, dropped)
	}
}

// TestFailure breaks the history under a server, which goes on.
func TestFailure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	log := &prservtest.Log{}
	r := record(t, file, history.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	db := prservtest.Outside(t, file)
	prservtest.Execute(t, db, "ALTER TABLE history RENAME TO moved")
	wait := func(words string) {
		t.Helper()
		prservtest.WaitFor(t, words, func() bool { return strings.Contains(log.String(), words) })
	}
	for range 2 {
		before := func() int64 { _, dropped := r.Counts(); return dropped }()
		r.Committed(given("v", 1))
		prservtest.WaitFor(t, "the loss", func() bool { _, dropped := r.Counts(); return dropped == before+1 })
	}
	wait("The history stops")
	prservtest.Execute(t, db, "ALTER TABLE moved RENAME TO history")
	r.Committed(given("v", 3))
	wait("goes on; 2 events are missing")
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("%d lines in the log, want 2:\n%s", n, log)
	}
}

// TestNoHistory opens files that are something else.
func TestNoHistory(t *testing.T) {
	database := prservtest.NewFile(t)
	prservtest.Make(t, database)
	text := filepath.Join(t.TempDir(), "text")
	prservtest.WriteFile(t, text, strings.Repeat("text", 1000))
	for _, file := range []string{database, text, filepath.Join(text, "none")} {
		if _, err := history.Open(file, history.Options{Log: slog.New(slog.DiscardHandler)}); err == nil {
			t.Errorf("%s was opened", file)
		} else if file == database && !errors.Is(err, history.ErrNone) {
			t.Errorf("%s: %v, want ErrNone", file, err)
		}
		if err := history.Read(t.Context(), file, history.Filter{}, nil); err == nil {
			t.Errorf("%s was read", file)
		}
	}
}
