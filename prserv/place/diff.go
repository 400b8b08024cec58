package place

import (
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

// Compared is how two places differ.
type Compared struct {
	OnlyA, OnlyB, Other, Same int64
}

// Diff calls each with every difference of two places, in the order of the
// key. A file of BitBake 2.10 and later may have several values of one
// checksum; they come as one, with commas between.
func (w *Work) Diff(ctx context.Context, a, b Place, each func(Difference) error) (Compared, error) {
	if a == b && a.Name == standard {
		return Compared{}, fmt.Errorf("only one of the places can be standard input")
	}
	s, err := openScratch(ctx)
	if err != nil {
		return Compared{}, err
	}
	defer s.close()
	var sides [2]*keys
	for i, p := range []Place{a, b} {
		t, err := w.read(ctx, s, p, []string{"a", "b"}[i], readOptions{})
		if err != nil {
			return Compared{}, err
		}
		rows, err := s.open(ctx, t.byKey(""))
		if err != nil {
			return Compared{}, fileError(p, "reading", err)
		}
		defer rows.Close()
		sides[i] = &keys{t: t, rows: rows}
	}
	return w.compare(ctx, sides[0], sides[1], each)
}

// compare walks two places side by side.
func (w *Work) compare(ctx context.Context, a, b *keys, each func(Difference) error) (c Compared, err error) {
	ra, err := a.next(ctx)
	if err != nil {
		return c, err
	}
	rb, err := b.next(ctx)
	if err != nil {
		return c, err
	}
	for n := int64(0); ra != nil || rb != nil; n++ {
		if n%tellEvery == 0 {
			rows := max(a.t.rows, b.t.rows)
			w.progress(Progress{"comparing " + a.t.place.String() + " with " + b.t.place.String(), n, float64(n) / float64(rows)})
		}
		order := 0
		switch {
		case ra == nil:
			order = 1
		case rb == nil:
			order = -1
		default:
			order = compareKeys(ra, rb)
		}
		var d Difference
		switch {
		case order < 0:
			c.OnlyA++
			d = Difference{ra.Version, ra.Pkgarch, ra.Checksum, ra.Value, ""}
		case order > 0:
			c.OnlyB++
			d = Difference{rb.Version, rb.Pkgarch, rb.Checksum, "", rb.Value}
		case ra.Value != rb.Value:
			c.Other++
			d = Difference{ra.Version, ra.Pkgarch, ra.Checksum, ra.Value, rb.Value}
		default:
			c.Same++
		}
		if d != (Difference{}) {
			if err := each(d); err != nil {
				return c, err
			}
		}
		if order <= 0 {
			if ra, err = a.next(ctx); err != nil {
				return c, err
			}
		}
		if order >= 0 {
			if rb, err = b.next(ctx); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// compareKeys compares as SQLite orders texts.
func compareKeys(a, b *Row) int {
	if c := strings.Compare(a.Version, b.Version); c != 0 {
		return c
	}
	if c := strings.Compare(a.Pkgarch, b.Pkgarch); c != 0 {
		return c
	}
	return strings.Compare(a.Checksum, b.Checksum)
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
