package store

import "math"

// Mode says which value a GetPR returns. The zero Mode is that of generations 1
// and 2: a whole number.
type Mode struct {
	// Revisions asks for a [Revision], which clients of generation 3 do.
	Revisions bool
	// History asks for the least value that the checksum has, if it has one.
	// Only clients of generation 3 can.
	History bool
	// Peek stores nothing: a new key gets the value that a read-only store would
	// compute for it.
	Peek bool
	// Upstream is what another server has, whose values a new one is to follow.
	// Nil is no such server, or one that does not know the package.
	Upstream *Published
}

// Published is what an upstream server knows of a key.
type Published struct {
	Greatest Revision // of the version and pkgarch
	Value    Revision // of the checksum; empty if it does not know that
}

// ErrNoNext is returned where the greatest value is the last that there is.
var ErrNoNext = &Error{Reason: ErrTooBig, Text: "the greatest value of this version and pkgarch is the last one that can be stored"}

// Choose returns the value that a checksum gets, whose least and greatest values
// are these, where the greatest of its version and pkgarch is that; an empty
// revision is none. The value is to be stored unless it is first or last.
//
// Source: lib/prserv/serv.py:PRServerClient.handle_get_pr of BitBake 2.10, and
// lib/prserv/db.py:PRTable._get_value. Unlike there, no value is at or below
// the greatest.
func (m Mode) Choose(first, last, greatest Revision) (Revision, error) {
	if m.History && len(first) > 0 {
		return first, nil
	}
	known := len(last) > 0
	value := last
	if !known || last.Compare(greatest) < 0 {
		var err error
		if value, err = m.next(greatest); err != nil {
			return nil, err
		}
	}
	u := m.Upstream
	if u == nil || known && value.Compare(u.Greatest) >= 0 {
		return value, nil
	}
	followed, err := m.follow(u, known)
	if err != nil {
		return nil, err
	}
	if followed.Compare(greatest) > 0 {
		return followed, nil
	}
	return value, nil // the upstream is behind
}

// follow returns the value that a checksum gets by its upstream alone.
func (m Mode) follow(u *Published, known bool) (Revision, error) {
	same := u.Value
	if known && len(same) > 0 {
		same = u.Greatest
	}
	switch {
	case m.Revisions && len(same) > 0:
		return same, nil
	case m.Revisions:
		return append(u.Greatest[:len(u.Greatest):len(u.Greatest)], 0), nil
	case len(same) == 1:
		return same, nil
	}
	return u.Greatest.NextWhole()
}

// next returns the value after a greatest one.
func (m Mode) next(greatest Revision) (Revision, error) {
	if !m.Revisions {
		return greatest.NextWhole()
	}
	if len(greatest) == 0 {
		return Revision{0}, nil
	}
	last := len(greatest) - 1
	if n := greatest[last]; n == math.MaxInt64 || last > 0 && n >= maxPart {
		return nil, ErrNoNext
	}
	next := append(Revision(nil), greatest...)
	next[last]++
	return next, nil
}

// NextWhole returns the whole number after a revision; 0 after an empty one. The
// error is [ErrNoNext].
func (r Revision) NextWhole() (Revision, error) {
	switch {
	case len(r) == 0:
		return Revision{0}, nil
	case r[0] == math.MaxInt64:
		return nil, ErrNoNext
	}
	return Revision{r[0] + 1}, nil
}

// Whole returns the number of a revision that is one, and whether it is.
func (r Revision) Whole() (int64, bool) {
	if len(r) != 1 {
		return 0, false
	}
	return r[0], true
}
