package history_test

import (
	"net"
	"path/filepath"
	"testing"

	"prserver/prserv/history"
	"prserver/prserv/store"
)

// TestRefused notes refusals, of which the first of an hour counts.
func TestRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	r := record(t, file, history.Options{})
	r.Committed(given("make-1", 0))
	refusal := store.Refusal{
		Asker: store.Asker{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 8), Port: 4711}, Generation: 2, Method: "import-one"},
		Key:   store.Key{Version: "make-1", Pkgarch: "all", Checksum: "a"}, Reason: "allow-import", First: true,
	}
	r.Refused(refusal)
	refusal.First = false
	r.Refused(refusal)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	events := read(t, file, history.Filter{})
	if len(events) != 2 {
		t.Fatalf("got %+v, want two events", events)
	}
	want := history.Event{ID: 2, Time: events[1].Time, Client: "192.0.2.8", Generation: 2, Method: "import-one",
		Version: "make-1", Pkgarch: "all", Checksum: "a", Value: "refused: allow-import"}
	if events[1] != want {
		t.Errorf("got %+v, want %+v", events[1], want)
	}
	if events[0].Refused() != "" || events[1].Refused() != "allow-import" {
		t.Errorf("refused by %q and %q", events[0].Refused(), events[1].Refused())
	}
}
