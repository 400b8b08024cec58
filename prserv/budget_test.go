package prserv

import (
	"errors"
	"net"
	"testing"
	"time"

	"prserver/xmlrpc/spool"
)

// newcomer adds a client to cs that is in a phase since the start of the test.
func newcomer(t *testing.T, cs *clients, p spool.Phase, start time.Time) *client {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	c := cs.add(ours)
	c.begin(p, start)
	return c
}

// wantClosed checks which clients have been closed.
func wantClosed(t *testing.T, when string, names map[*client]string, want ...string) {
	t.Helper()
	closed := map[string]bool{}
	for c, name := range names {
		if c.closed {
			closed[name] = true
		}
	}
	for _, name := range want {
		if !closed[name] {
			t.Errorf("%s: %s is open", when, name)
		}
		delete(closed, name)
	}
	for name := range closed {
		t.Errorf("%s: %s is closed", when, name)
	}
}

// TestSlowestGoesFirst takes more than there is, again and again: whoever got on
// least in the last minute has to go, not whoever moved last.
func TestSlowestGoesFirst(t *testing.T) {
	start := time.Unix(0, 0)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	cs := newClients(10, maxFiles)
	cs.room[memory] = 600
	names := map[*client]string{}
	add := func(name string, p spool.Phase) *client {
		c := newcomer(t, cs, p, start)
		names[c] = name
		if err := cs.take(c, memory, 100, start); err != nil {
			t.Fatal(err)
		}
		return c
	}
	add("who stands still", spool.Sending)
	trickles, quick, stops := add("who trickles", spool.Sending), add("who is quick", spool.Sending), add("who stops", spool.Sending)
	add("who is answered", spool.Working)
	asks := add("who asks", spool.Reading)
	for i := range 120 {
		if i < 61 {
			stops.moved.add(1<<20, at(i))
		}
		if i < 118 {
			quick.moved.add(200<<10, at(i))
		}
		if i%10 == 9 {
			trickles.moved.add(64<<10, at(i)) // the last one a moment ago
		}
	}
	for _, want := range [][]string{
		{"who stands still"},
		{"who stands still", "who trickles"},
		{"who stands still", "who trickles", "who stops"},
		{"who stands still", "who trickles", "who stops", "who is quick"},
	} {
		if err := cs.take(asks, memory, 100, at(150)); err != nil {
			t.Fatal(err)
		}
		wantClosed(t, want[len(want)-1], names, want...)
	}
	if err := cs.take(asks, memory, 100, at(150)); !errors.Is(err, errNoRoom) {
		t.Errorf("beside clients that nobody waits for: %v, want no room", err)
	}
	if asks.TryHold(1) {
		t.Error("there is room where there is none")
	}
	if err := quick.Hold(1); !errors.Is(err, errDropped) {
		t.Errorf("who was closed takes more: %v", err)
	}
	asks.Enter(spool.Reading)
	if cs.held[memory] != 100 {
		t.Errorf("%d bytes are held after an answer, want the 100 of another", cs.held[memory])
	}
}

// TestFilesAreFew opens more files, and larger ones, than there may be.
func TestFilesAreFew(t *testing.T) {
	cs := newClients(10, 2)
	cs.room[stored] = 1000
	names := map[*client]string{}
	add := func(name string) *client {
		c := newcomer(t, cs, spool.Working, time.Now())
		names[c] = name
		return c
	}
	store := func(c *client, n int) {
		t.Helper()
		if err := c.Store(n); err != nil {
			t.Fatal(err)
		}
	}
	first := add("the first")
	store(first, 900)
	store(first, 900) // alone it may be as long as it is
	first.Enter(spool.Sending)
	second := add("the second")
	store(second, 600)
	wantClosed(t, "too long", names, "the first")
	third := add("the third")
	store(third, 300)
	if err := third.Store(300); !errors.Is(err, errNoRoom) {
		t.Errorf("beside one that is being answered: %v, want no room", err)
	}
	second.Enter(spool.Sending)
	fourth := add("the fourth")
	store(fourth, 10)
	wantClosed(t, "too many", names, "the first", "the second")
	for c := range names {
		cs.remove(c)
	}
	if cs.held != (amounts{}) {
		t.Errorf("nobody is there any more, and holds %v", cs.held)
	}
}

// TestFullServer looks whom a full server closes for a new client.
func TestFullServer(t *testing.T) {
	start := time.Unix(0, 0)
	for _, test := range []struct {
		name    string
		phases  []spool.Phase
		fetched []int // by each, in the last minute
		after   time.Duration
		closed  int // which, or -1
	}{
		{"all are answered", []spool.Phase{spool.Working, spool.Working}, []int{0, 0}, time.Hour, -1},
		{"one has just come", []spool.Phase{spool.Working, spool.Reading}, []int{0, 0}, idleGrace - 1, -1},
		{"one sends nothing", []spool.Phase{spool.Working, spool.Reading}, []int{0, 0}, idleGrace, 1},
		{"one has not fetched its answer yet", []spool.Phase{spool.Sending, spool.Working}, []int{0, 0}, window - 1, -1},
		{"one does not fetch its answer", []spool.Phase{spool.Sending, spool.Working}, []int{0, 0}, window, 0},
		{"one is slow", []spool.Phase{spool.Sending, spool.Sending}, []int{10 << 20, 1 << 19}, window, 1},
		{"none is slow", []spool.Phase{spool.Sending, spool.Sending}, []int{10 << 20, 10 << 20}, window, -1},
		{"one sends nothing, another is slow", []spool.Phase{spool.Sending, spool.Reading}, []int{0, 0}, window, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			cs := newClients(len(test.phases), maxFiles)
			if cs.isFull(start) {
				t.Error("an empty server is full")
			}
			var all []*client
			for i, p := range test.phases {
				c := newcomer(t, cs, p, start)
				c.moved.add(test.fetched[i], start.Add(test.after-time.Second))
				all = append(all, c)
			}
			for range 2 { // whoever is closed suffices
				if !cs.isFull(start.Add(test.after)) {
					t.Error("a full server has room")
				}
			}
			for i, c := range all {
				if c.closed != (i == test.closed) {
					t.Errorf("client %d: closed is %v", i, c.closed)
				}
			}
		})
	}
}
