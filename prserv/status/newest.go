package status

import (
	"net/http"
	"sync"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/store"
)

const (
	// keptValues is how many of the newest values are remembered.
	keptValues = 100
	// maxName is how many bytes of a version are remembered, and from how many on
	// it has no page: a browser would have to send it.
	maxName = history.MaxVersion
	// maxDetail is the same for any other text of a client.
	maxDetail = history.MaxText
)

// newest are the values that were stored last. They are there without a history.
type newest struct {
	mu   sync.Mutex
	ring ring[history.Event] // guarded by mu
}

// add remembers the changes of a transaction. The last ones suffice.
func (n *newest) add(at time.Time, changes []store.Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range changes[max(0, len(changes)-keptValues):] {
		n.ring.add(history.EventOf(at, c))
	}
}

// events returns them, the newest first.
func (n *newest) events() []history.Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ring.newest()
}

// serveValues answers the newest values, the newest first.
func (s *Status) serveValues(w http.ResponseWriter, _ *http.Request) {
	answer(w, struct {
		Values []history.Event `json:"values"`
	}{s.newest.events()})
}
