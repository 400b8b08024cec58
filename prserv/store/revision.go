package store

import (
	"slices"
	"strconv"
	"strings"
)

// Revision is a PR value of generation 3: whole numbers, which texts write
// with dots between, such as 9, 10 or 3.1.0. An empty one is no value.
type Revision []int64

// maxDigits is how many digits the numbers of a revision may have, so that
// there is a next one. Only whole values may have all that SQLite stores.
const maxDigits = 18

// maxPart is the greatest number with so many digits.
const maxPart = 1e18 - 1

// ParseRevision reads a revision. The second result is false if text is none.
func ParseRevision(text string) (Revision, bool) {
	var r Revision
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.ParseInt(part, 10, 64)
		// Only a whole number can be less than 0, as somebody may import it.
		if err != nil || part[0] == '+' || part[0] == '-' && part != text ||
			len(part) > maxDigits && text != strconv.FormatInt(n, 10) {
			return nil, false
		}
		r = append(r, n)
	}
	return r, true
}

// RevisionOf turns a stored value, a whole number or a text, into a revision. The
// second result is false if it is none.
func RevisionOf(v Value) (Revision, bool) {
	switch v := v.(type) {
	case int64:
		return Revision{v}, true
	case string:
		return ParseRevision(v)
	}
	return nil, false
}

// Compare compares revisions number by number: 9 < 10 < 10.0 < 10.1. An empty
// one is less than any other.
func (r Revision) Compare(other Revision) int { return slices.Compare(r, other) }

// String writes the revision with dots.
func (r Revision) String() string { return string(r.Append(nil)) }

// Append appends what [Revision.String] returns.
func (r Revision) Append(dst []byte) []byte {
	for i, n := range r {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = strconv.AppendInt(dst, n, 10)
	}
	return dst
}
