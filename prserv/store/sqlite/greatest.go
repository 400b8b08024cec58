package sqlite

import (
	"sync"

	"prserver/prserv/store"
)

// maxGroups is how many groups are remembered: some ten megabytes of them.
// When there are more, all are forgotten.
const maxGroups = 32768

// maxRemembered is how long a key may be to be remembered; BitBake's are far
// below it.
const maxRemembered = 512

// group is a version and a pkgarch, among whose checksums values are unique.
type group struct{ version, pkgarch string }

func groupOf(k store.Key) group { return group{k.Version, k.Pkgarch} }

// maxTop bounds the values that are counted up here while there is one table
// only. What is greater is left to SQLite, which goes on with real numbers
// behind the last integer.
const maxTop = 1 << 62

// top is the greatest value of a group.
type top struct {
	value store.Revision // empty where the group has none
	// known is false where the value is not, is above maxTop or is no integer:
	// SQLite has to compare what else may stand in a value column.
	known bool
	// checksum has the value; empty where that is not known. Others may have
	// it as well, if they were imported.
	checksum string
}

// holds tells whether a checksum is known to have the value.
func (t top) holds(checksum string) bool {
	return t.known && t.checksum != "" && t.checksum == checksum
}

// answers tells whether the value is what a checksum gets that holds it.
func (t top) answers(m store.Mode) bool {
	_, whole := t.value.Whole()
	return (whole || m.Revisions) && !m.History && (m.Upstream == nil || t.value.Compare(m.Upstream.Greatest) >= 0)
}

// topCache remembers the greatest value of groups. Without it every getPR
// would look at all checksums of its group: the table has no index that
// includes the value, and a file with one would not dump as the reference's.
//
// What is remembered is never older than what anybody can read in the file:
// whoever has seen a new value there must not be answered as if it were not.
// So a group is forgotten before a value of it is committed, and learned when
// that is over.
type topCache struct {
	mu         sync.Mutex
	tops       map[group]top // guarded by mu; known ones only
	changes    uint64        // how often the file has changed; guarded by mu
	committing bool          // it may change at any moment; guarded by mu
}

func newTopCache() *topCache { return &topCache{tops: map[group]top{}} }

// get returns what is remembered of a group, and a ticket to learn more with.
func (c *topCache) get(of group) (t top, ticket uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tops[of], c.changes
}

// learn remembers what was read from the file, unless the file has changed
// since the ticket was given.
func (c *topCache) learn(of group, t top, ticket uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ticket == c.changes && !c.committing {
		c.set(of, t)
	}
}

// set must be called with mu held.
func (c *topCache) set(of group, t top) {
	if len(of.version)+len(of.pkgarch)+len(t.checksum) > maxRemembered {
		delete(c.tops, of)
		return
	}
	if len(c.tops) >= maxGroups {
		clear(c.tops)
	}
	c.tops[of] = t
}

// commit runs the commit of a transaction that has seen these groups, and
// takes over what it has seen.
func (c *topCache) commit(seen map[group]top, commit func() error) error {
	c.mu.Lock()
	for of := range seen {
		delete(c.tops, of)
	}
	c.committing = true
	c.mu.Unlock()

	err := commit()

	c.mu.Lock()
	defer c.mu.Unlock()
	c.committing = false
	c.changes++
	if err != nil {
		return err
	}
	for of, t := range seen {
		if t.known {
			c.set(of, t)
		}
	}
	return nil
}

// forget forgets everything: somebody else has written to the file.
func (c *topCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	clear(c.tops)
}
