package history

import (
	"strings"

	"prserver/prserv/store"
)

// refusedBy begins the value of an event that gave none. The rest of it is the
// option that has refused the call.
const refusedBy = "refused: "

// Refused notes a call that was refused. Whoever is refused may call as often as
// it likes: the first one of an hour is enough. It waits for nothing.
func (r *Recorder) Refused(of store.Refusal) {
	if of.First {
		r.Committed(store.Commit{Changes: []store.Change{{Asker: of.Asker, Key: of.Key, Value: refusedBy + of.Reason}}})
	}
}

// Refused returns the option that has refused a call, such as allow-import; empty
// for an event that gave a value.
func (e Event) Refused() string {
	if by, ok := strings.CutPrefix(e.Value, refusedBy); ok {
		return by
	}
	return ""
}
