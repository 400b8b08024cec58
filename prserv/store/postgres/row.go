package postgres

import (
	"encoding/binary"
	"errors"
	"slices"

	"prserver/prserv/store"
)

// row is a row of a query, column by column in PostgreSQL's binary form; nil is
// NULL. pgx's own way, through reflection, costs more than all else that is done
// with a row.
type row [][]byte

// number returns a bigint.
func (r row) number(i int) int64 { return int64(binary.BigEndian.Uint64(r[i])) }

// isTrue tells whether a boolean is true, and not NULL.
func (r row) isTrue(i int) bool { return len(r[i]) == 1 && r[i][0] == 1 }

// text returns a text.
func (r row) text(i int) string { return string(r[i]) }

var errNoRevision = errors.New("a value in the database is no list of numbers")

// revisions reads columns of type bigint[], from the given one on. NULL is an
// empty revision.
func (r row) revisions(from int, to ...*store.Revision) error {
	for i, to := range to {
		var err error
		if *to, err = parseArray(r[from+i]); err != nil {
			return err
		}
	}
	return nil
}

// parseArray reads the binary form of an array: the number of dimensions, a flag
// and the type; for each dimension, its length and lower bound; and for each
// number, its length and itself.
func parseArray(data []byte) (store.Revision, error) { return appendArray(nil, data) }

// appendArray does so, and appends the numbers.
func appendArray(r store.Revision, data []byte) (store.Revision, error) {
	const head, dimension, element = 12, 8, 12
	if data == nil || len(data) == head && binary.BigEndian.Uint32(data) == 0 {
		return r, nil
	}
	if len(data) < head+dimension || binary.BigEndian.Uint32(data) != 1 {
		return nil, errNoRevision
	}
	n := int(binary.BigEndian.Uint32(data[head:]))
	data = data[head+dimension:]
	if len(data) != n*element { // shorter where a number is NULL
		return nil, errNoRevision
	}
	r = slices.Grow(r, n)
	for i := range n {
		r = append(r, int64(binary.BigEndian.Uint64(data[i*element+4:])))
	}
	return r, nil
}
