package sqlite

import "sync"

// maxGroups is how many groups are remembered: some ten megabytes of them.
// When there are more, all are forgotten.
const maxGroups = 32768

// maxRemembered is how long a key may be to be remembered; BitBake's are far
// below it.
const maxRemembered = 512

// group is a version and a pkgarch, among whose checksums values are unique.
type group struct{ version, pkgarch string }

// top is the greatest value of a group.
type top struct {
	value int64
	// known is false where the value is not, or is no integer: those that may
	// stand in a value column too, SQLite has to compare.
	known bool
	// checksum has the value; empty where that is not known. Others may have
	// it as well, if they were imported.
	checksum string
}

// holds tells whether a checksum is known to have the value.
func (t top) holds(checksum string) bool {
	return t.known && t.checksum != "" && t.checksum == checksum
}

// greatest remembers the greatest value of groups. Without it every getPR
// would look at all checksums of its group: the table has no index that
// includes the value, and a file with one would not dump as the reference's.
//
// What is remembered is never older than what anybody can read in the file:
// whoever has seen a new value there must not be answered as if it were not.
// So a group is forgotten before a value of it is committed, and learned when
// that is over.
type greatest struct {
	mu         sync.Mutex
	tops       map[group]top // guarded by mu; known ones only
	changes    uint64        // how often the file has changed; guarded by mu
	committing bool          // it may change at any moment; guarded by mu
}

func newGreatest() *greatest { return &greatest{tops: map[group]top{}} }

// get returns what is remembered of a group, and a ticket to learn more with.
func (g *greatest) get(of group) (t top, ticket uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tops[of], g.changes
}

// learn remembers what was read from the file, unless the file has changed
// since the ticket was given.
func (g *greatest) learn(of group, t top, ticket uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ticket == g.changes && !g.committing {
		g.set(of, t)
	}
}

// set must be called with mu held.
func (g *greatest) set(of group, t top) {
	if len(of.version)+len(of.pkgarch)+len(t.checksum) > maxRemembered {
		delete(g.tops, of)
		return
	}
	if len(g.tops) >= maxGroups {
		clear(g.tops)
	}
	g.tops[of] = t
}

// commit runs the commit of a transaction that has seen these groups, and
// takes over what it has seen.
func (g *greatest) commit(seen map[group]top, commit func() error) error {
	g.mu.Lock()
	for of := range seen {
		delete(g.tops, of)
	}
	g.committing = true
	g.mu.Unlock()

	err := commit()

	g.mu.Lock()
	defer g.mu.Unlock()
	g.committing = false
	g.changes++
	if err != nil {
		return err
	}
	for of, t := range seen {
		if t.known {
			g.set(of, t)
		}
	}
	return nil
}

// forget forgets everything: somebody else has written to the file.
func (g *greatest) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes++
	clear(g.tops)
}
