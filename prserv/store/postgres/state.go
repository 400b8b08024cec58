package postgres

import (
	"strconv"
	"sync"

	"prserver/prserv/store"
)

// group is a version and a pkgarch, among whose checksums values are unique.
type group struct{ version, pkgarch string }

func groupOf(k store.Key) group { return group{k.Version, k.Pkgarch} }

// span is the least and the greatest of some values; both are empty if there are
// none.
type span struct{ first, last store.Revision }

// add adds a value.
func (s *span) add(r store.Revision) {
	if len(s.first) == 0 || r.Compare(s.first) < 0 {
		s.first = r
	}
	if r.Compare(s.last) > 0 {
		s.last = r
	}
}

// values are what a checksum has: all values, and those that are whole numbers.
type values struct{ all, whole span }

// of returns the values that count in a mode.
func (v values) of(m store.Mode) span {
	if m.Revisions {
		return v.all
	}
	return v.whole
}

func (v *values) add(r store.Revision) {
	v.all.add(r)
	if len(r) == 1 {
		v.whole.add(r)
	}
}

// valueOf turns a revision into the value that a mode asks for; none is nil.
func valueOf(r store.Revision, m store.Mode) store.Value {
	if len(r) == 0 {
		return nil
	}
	if n, ok := r.Whole(); ok && !m.Revisions {
		return n
	}
	return r
}

// literal writes a revision as PostgreSQL reads an array.
func literal(r store.Revision) string {
	text := append(make([]byte, 0, 24), '{')
	for i, n := range r {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(append(text, '}'))
}

// maxHints is how many groups hints are kept of. When there are more, all are
// forgotten.
const maxHints = 32768

// hints remember who was last seen to have the greatest value of a group. They
// choose who is asked first, and never what is answered: another server may have
// given out a value since.
type hints struct {
	mu      sync.Mutex
	holders map[group]string // guarded by mu; "" is somebody
}

// get returns who was last seen to have the greatest value, if anybody was.
func (h *hints) get(of group) (holder string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.holders[of]
}

// has tells whether a group was seen to be there.
func (h *hints) has(of group) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, seen := h.holders[of]
	return seen
}

func (h *hints) set(of group, holder string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.holders) >= maxHints {
		clear(h.holders)
	}
	h.holders[of] = holder
}

func (h *hints) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.holders)
}
