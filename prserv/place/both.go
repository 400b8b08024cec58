package place

import (
	"context"
	"fmt"

	"prserver/prserv/store"
)

// A file or dump may have both tables of PR values. Our server keeps them in
// step, so that each BitBake's server, given the file, goes on above all values:
// whole numbers are in both, texts such as 3.1 in that of BitBake 2.10 only, and
// a row of the other one reserves the next whole number. That row is no value
// of anybody.

const (
	// isWhole is the condition of texts that write a whole number.
	isWhole = "CAST(CAST(value AS INTEGER) AS TEXT) = value"
	// isReserved is the condition of rows that reserve a number.
	isReserved = "checksum = '" + store.Reserved + "'"
	// raiseWholes brings the whole numbers of the second table to the first.
	raiseWholes = `INSERT INTO %[1]s SELECT version, pkgarch, checksum, max(CAST(value AS INTEGER)) FROM %[2]s
		WHERE ` + isWhole + ` GROUP BY version, pkgarch, checksum
		ON CONFLICT DO UPDATE SET value = excluded.value WHERE excluded.value > value`
	// reserve makes the first table go on above what only the second has.
	reserve = `INSERT INTO %[1]s SELECT version, pkgarch, '` + store.Reserved + `', CAST(greatest AS INTEGER) + 1 FROM
			(SELECT version, pkgarch, max(value COLLATE revision) AS greatest FROM %[2]s GROUP BY version, pkgarch) AS p
		WHERE greatest LIKE '%%.%%' AND NOT EXISTS (SELECT 1 FROM %[1]s AS w
			WHERE w.version = p.version AND w.pkgarch = p.pkgarch AND w.value > CAST(greatest AS INTEGER))
		ON CONFLICT DO UPDATE SET value = excluded.value`
)

// keepStep brings a table of whole numbers in step with one of BitBake 2.10,
// which has all its values.
func (s *scratch) keepStep(ctx context.Context, wholes, revisions string) error {
	for _, statement := range []string{raiseWholes, reserve} {
		if _, err := s.exec(ctx, fmt.Sprintf(statement, wholes, revisions)); err != nil {
			return err
		}
	}
	return nil
}

// givenOnly removes the rows that reserve a number from a table of the scratch
// database which has the rows of both tables.
func (s *scratch) givenOnly(ctx context.Context, t *table) error {
	n, err := s.exec(ctx, "DELETE FROM "+t.from+" WHERE "+isReserved)
	t.rows -= n
	return err
}

// narrowed returns the rows of both tables as those of the older one, if that can
// hold them all: whole numbers, one for each checksum.
func (s *scratch) narrowed(ctx context.Context, t *table) (*table, error) {
	if !t.mixed {
		return t, nil
	}
	tooWide, err := s.number(ctx, "SELECT EXISTS (SELECT 1 FROM "+t.from+" WHERE NOT "+isWhole+
		") OR EXISTS (SELECT 1 FROM "+t.from+" GROUP BY version, pkgarch, checksum HAVING count(*) > 1)")
	if err != nil || tooWide != 0 {
		return t, err
	}
	out := *t
	out.generation, out.mixed, out.keyed = generation1, false, false
	out.from = "(SELECT version, pkgarch, checksum, CAST(value AS INTEGER) AS value FROM " + t.from + ")"
	return &out, nil
}
