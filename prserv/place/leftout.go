package place

import (
	"context"
	"database/sql/driver"
	"fmt"
	"hash/maphash"
	"strings"

	"prserver/prserv/store"
)

// leftOut are rows of a place that are left out, because they are no PR values. Each
// is told once, also where it stands in both tables.
type leftOut struct {
	place Place
	warn  func(string, ...any)
	told  map[uint64]bool // sums of the rows
	n     int64
}

var seed = maphash.MakeSeed()

// add counts a row, and names the first ones.
func (l *leftOut) add(row []driver.Value) {
	sum := maphash.String(seed, fmt.Sprintf("%q %v", row[:columns-1], row[columns-1])) // 7 in one table is "7" in the other
	if l.told[sum] {
		return
	}
	if l.told == nil {
		l.told = map[uint64]bool{}
	}
	l.told[sum] = true
	if l.n++; l.n <= maxProblems {
		l.warn("%s: the row %s is left out: it is no PR value", l.place, shown(row))
	}
}

// tell tells how many rows were left out, if not all of them were named.
func (l *leftOut) tell() {
	if l.n > maxProblems {
		l.warn("%s: rows left out, because they are no PR values: %d", l.place, l.n)
	}
}

// hasZero is the condition of rows with a zero byte in a text. Any client of BitBake
// 1.52 and later can store one, and no dump over XML-RPC has it whole.
const hasZero = "(instr(version, char(0)) OR instr(pkgarch, char(0)) OR instr(checksum, char(0)))"

// isZeroAlone tells whether nothing but a zero byte keeps a row from being one that a
// PR server could have issued.
func isZeroAlone(row store.Row, of *generation) bool {
	for _, v := range []*store.Value{&row.Version, &row.Pkgarch, &row.Checksum} {
		if text, ok := (*v).(string); ok {
			*v = strings.ReplaceAll(text, "\x00", "")
		}
	}
	return checkRow(row, of) == nil
}

// withoutZeros returns a table without the rows that have a zero byte, which are
// named. It returns an error if the table has other rows that cannot be moved.
func (w *Work) withoutZeros(ctx context.Context, s *scratch, t *table, left *leftOut) (*table, error) {
	n := int64(0)
	err := s.walkTable(ctx, t, "SELECT version, pkgarch, checksum, value FROM "+t.from+" WHERE "+t.generation.badRows(), nil,
		func(row []driver.Value) error {
			if !isZeroAlone(store.Row{Version: row[0], Pkgarch: row[1], Checksum: row[2], Value: row[3]}, t.generation) {
				return fmt.Errorf("%s: the row %s: %w", t.place, shown(row), errBadRow)
			}
			n++
			left.add(row)
			return nil
		})
	if err != nil || n == 0 {
		return t, err
	}
	out := *t
	out.from, out.rows, out.keyed = "(SELECT version, pkgarch, checksum, value FROM "+t.from+" WHERE NOT "+hasZero+")", t.rows-n, false
	return &out, nil
}
