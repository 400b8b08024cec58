package place

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
)

// ListOptions say which rows are to be listed: those that match all patterns,
// in which * stands for any text and ? for any character. An empty one matches
// every row.
type ListOptions struct {
	Version, Pkgarch, Checksum string
	// Greatest lists only rows that hold the greatest value of their version
	// and pkgarch.
	Greatest bool
}

// List calls each with the rows of a place, in the order of the key.
func (w *Work) List(ctx context.Context, p Place, o ListOptions, each func(Row) error) error {
	b, err := openBase(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	t, err := w.read(ctx, b, p, "listed", reading{})
	if err != nil {
		return err
	}
	if o.Greatest {
		t = t.greatest()
	}
	where, args := "WHERE true", []driver.Value{}
	for _, c := range []struct{ column, pattern string }{
		{"version", o.Version}, {"pkgarch", o.Pkgarch}, {"checksum", o.Checksum},
	} {
		if c.pattern != "" {
			where += " AND " + c.column + " GLOB ?"
			args = append(args, strings.ReplaceAll(c.pattern, "[", "[[]"))
		}
	}
	return b.ofTable(ctx, t, t.byKey(where), args, func(columns []driver.Value) error {
		row, err := rowOf(columns)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		return each(row)
	})
}
