package place

import (
	"context"
	"database/sql/driver"
	"strings"
)

// ListOptions choose the rows to list: those that match all patterns. In a
// pattern * stands for any text and ? for any character; an empty one matches
// every row.
type ListOptions struct {
	Version, Pkgarch, Checksum string
	// Greatest lists only rows that hold the greatest value of their version
	// and pkgarch.
	Greatest bool
}

// List calls each with the rows of a place, in the order of the key, and
// returns its first error.
func (w *Work) List(ctx context.Context, p Place, o ListOptions, each func(Row) error) error {
	s, err := openScratch(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	t, err := w.read(ctx, s, p, "listed", readOptions{})
	if err != nil {
		return err
	}
	if o.Greatest {
		t = t.highest()
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
	if err := s.walkByKey(ctx, t, where, args, each); err != nil {
		return err
	}
	return s.settle()
}
