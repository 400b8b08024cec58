package place

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"prserver/prserv/store/sqlite/query"
)

// Difference is a row that two places do not share.
type Difference struct {
	Version, Pkgarch, Checksum string
	A, B                       string // its value here and there, "" if there is none
}

// Compared counts how the keys of two places differ.
type Compared struct {
	OnlyA, OnlyB int64 // in one of the places
	Other, Same  int64 // in both, with other values or the same
}

// Diff calls each with every difference of two places, in the order of the
// key, and returns its first error. A file of BitBake 2.10 and later may have
// several values of one checksum; they come as one, with commas between. With a
// feed only the greatest values of each version and pkgarch are compared, and
// checksums are the names of the binary packages.
func (w *Work) Diff(ctx context.Context, a, b Place, each func(Difference) error) (Compared, error) {
	if a == b && a.Name == standard {
		return Compared{}, fmt.Errorf("only one of the places can be standard input")
	}
	s, err := openScratch(ctx)
	if err != nil {
		return Compared{}, err
	}
	defer s.close()
	var tables [2]*table
	for i, p := range []Place{a, b} {
		if tables[i], err = w.read(ctx, s, p, []string{"a", "b"}[i], readOptions{}); err != nil {
			return Compared{}, err
		}
	}
	if err := s.compareAsFeeds(ctx, &tables); err != nil {
		return Compared{}, err
	}
	var sides [2]*keys
	for i, p := range []Place{a, b} {
		t := tables[i]
		rows, err := s.open(ctx, t.byKey(""))
		if err != nil {
			return Compared{}, fileError(p, "reading", err)
		}
		defer rows.Close()
		sides[i] = &keys{t: t, rows: rows}
	}
	c, err := w.compare(ctx, sides[0], sides[1], each)
	if err == nil {
		err = s.settle()
	}
	return c, err
}

// compare walks two places side by side.
func (w *Work) compare(ctx context.Context, a, b *keys, each func(Difference) error) (c Compared, err error) {
	what, rows := "comparing "+a.t.place.String()+" with "+b.t.place.String(), max(a.t.rows, b.t.rows)
	ra, errA := a.next(ctx)
	rb, errB := b.next(ctx)
	err = cmp.Or(errA, errB)
	for n := int64(0); err == nil && (ra != nil || rb != nil); n++ {
		if n%tellEvery == 0 {
			w.progress(Progress{what, n, float64(n) / float64(rows)})
		}
		order := compareKeys(ra, rb)
		switch {
		case order < 0:
			c.OnlyA++
			err = each(Difference{ra.Version, ra.Pkgarch, ra.Checksum, ra.Value, ""})
		case order > 0:
			c.OnlyB++
			err = each(Difference{rb.Version, rb.Pkgarch, rb.Checksum, "", rb.Value})
		case ra.Value != rb.Value:
			c.Other++
			err = each(Difference{ra.Version, ra.Pkgarch, ra.Checksum, ra.Value, rb.Value})
		default:
			c.Same++
		}
		if err == nil && order <= 0 {
			ra, err = a.next(ctx)
		}
		if err == nil && order >= 0 {
			rb, err = b.next(ctx)
		}
	}
	return c, err
}

// compareKeys compares the keys of two rows as SQLite orders texts. A nil row
// is behind every other.
func compareKeys(a, b *Row) int {
	switch {
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Or(strings.Compare(a.Version, b.Version), strings.Compare(a.Pkgarch, b.Pkgarch), strings.Compare(a.Checksum, b.Checksum))
}

// keys are the keys of a table in their order, each with all its values.
type keys struct {
	t    *table
	rows *query.Rows
	read *Row // the row behind the last key, if it has been read
}

// next returns the next key, or nil at the end.
func (k *keys) next(ctx context.Context) (*Row, error) {
	key := k.read
	k.read = nil
	for {
		columns, err := k.rows.Next(ctx)
		if err != nil {
			return nil, fileError(k.t.place, "reading", err)
		}
		if columns == nil {
			return key, nil
		}
		row, err := rowOf(columns)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.t.place, err)
		}
		switch {
		case key == nil:
			key = &row
		case compareKeys(key, &row) != 0:
			k.read = &row
			return key, nil
		default:
			key.Value += "," + row.Value
		}
	}
}
