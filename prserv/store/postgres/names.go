package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
)

// names are the version and pkgarch of each group, as SQL. They take as little
// memory as they can: a map of strings takes more than four times that.
type names struct {
	ids  []int64  // of the groups, in ascending order
	ends []uint32 // where the text of each ends
	text []byte   // see appendNames
}

const (
	sqlNamesSize = `SELECT count(*), coalesce(sum(octet_length(version) + octet_length(pkgarch)), 0)::bigint FROM prgroup`
	sqlNames     = `SELECT id, version, pkgarch FROM prgroup ORDER BY id`
)

// readNames returns nil where the names would take more bytes than most.
func readNames(ctx context.Context, tx pgx.Tx, most int64) (*names, error) {
	const punctuation, numbers = 6, 12
	var count, size int64
	if err := tx.QueryRow(ctx, sqlNamesSize).Scan(&count, &size); err != nil {
		return nil, err
	}
	size += count * punctuation
	if size+count*numbers > most {
		return nil, nil
	}
	n := &names{ids: make([]int64, 0, count), ends: make([]uint32, 0, count), text: make([]byte, 0, size)}
	err := walk(ctx, tx, sqlNames, nil, func(r row) error {
		n.text = appendNames(n.text, r[1], r[2])
		n.ids, n.ends = append(n.ids, r.number(0)), append(n.ends, uint32(len(n.text)))
		return nil
	})
	return n, err
}

// of returns the text of a group, or nil if there is no such group.
func (n *names) of(id int64) []byte {
	i, known := slices.BinarySearch(n.ids, id)
	switch {
	case !known:
		return nil
	case i == 0:
		return n.text[:n.ends[0]]
	}
	return n.text[n.ends[i-1]:n.ends[i]]
}

// appendNames appends a version and pkgarch as the first columns of a row.
func appendNames(dst, version, pkgarch []byte) []byte {
	dst = append(store.AppendText(dst, version), ',')
	return append(store.AppendText(dst, pkgarch), ',')
}
