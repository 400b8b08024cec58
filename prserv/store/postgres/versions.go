package postgres

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// sqlVersions finds the versions of a range, of which a group each has another
// pkgarch.
const sqlVersions = `SELECT DISTINCT version FROM prgroup
	WHERE version >= $1 AND version < $2 ORDER BY version LIMIT $3`

// Versions returns the versions that have values, from from on and below below:
// the first ones in the order of bytes, limit at most.
func (s *Store) Versions(ctx context.Context, from, below string, limit int) (versions []string, err error) {
	defer s.nameDatabase(&err)
	if checkTexts(from) != nil {
		return nil, nil // none can have been stored
	}
	// At or above it, and a text that PostgreSQL takes.
	most := strings.ReplaceAll(strings.ToValidUTF8(below, string(utf8.MaxRune)), "\x00", "\x01")
	handed := false
	err = s.snapshot(ctx, &handed, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sqlVersions, from, most, limit)
		if err != nil {
			return err
		}
		versions, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return slices.DeleteFunc(versions, func(v string) bool { return v >= below }), err
}
