package prserv

import "sync"

// maxGroups is how many groups are remembered: ten megabytes of them. When
// there are more, all are forgotten.
const maxGroups = 32768

// group is a version and a pkgarch, among whose checksums values are unique.
type group struct{ version, pkgarch string }

// greatest remembers the greatest value of groups. Without it every getPR
// would look at all checksums of its group: the table has no index that
// includes the value, and a file with one would not dump as the reference's.
//
// Only integers are remembered; what else may stand in a value column,
// SQLite has to compare.
type greatest struct {
	mu      sync.Mutex
	values  map[group]int64 // guarded by mu
	changes uint64          // how often the file has changed; guarded by mu
}

func newGreatest() *greatest { return &greatest{values: map[group]int64{}} }

// get returns the greatest value of a group if it is known, and a ticket to
// tell it later if not.
func (g *greatest) get(of group) (value int64, known bool, ticket uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	value, known = g.values[of]
	return value, known, g.changes
}

// learn remembers what was read from the file, unless the file has changed
// since the ticket was given.
func (g *greatest) learn(of group, value int64, ticket uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ticket == g.changes {
		g.set(of, value)
	}
}

// set must be called with mu held.
func (g *greatest) set(of group, value int64) {
	if len(g.values) >= maxGroups {
		clear(g.values)
	}
	g.values[of] = value
}

// commit takes over what a transaction has seen, now that it is on disk.
func (g *greatest) commit(seen map[group]change) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes++
	for of, c := range seen {
		if c.known {
			g.set(of, c.value)
		} else {
			delete(g.values, of)
		}
	}
}

// forget forgets everything: somebody else has written to the file.
func (g *greatest) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes++
	clear(g.values)
}

// change is the greatest value that a group has in a transaction, if known.
type change struct {
	value int64
	known bool
}
