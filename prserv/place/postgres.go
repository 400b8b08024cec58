package place

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/sqlite/query"
)

// postgresKind is the kind of [PostgreSQL].
type postgresKind struct{}

func (postgresKind) removal() string {
	return "remove the row from prvalue with psql, and where prgroup has its value as the greatest, set greatest there to that of the rows which are left, {} without any, and holder to NULL"
}

func (postgresKind) refuse(dst Place, o CopyOptions, toItself bool) error {
	var err error
	if o.Replace {
		err = fmt.Errorf("%s cannot be replaced: its numbers could go back; name a new database", dst)
	}
	return cmp.Or(refuseGeneration(dst, o), refuseAll(dst, o), err, refuseItself(dst, toItself))
}

// read reads all rows, as they are at one moment. Like a file, a database that
// keeps older values has those of both generations.
func (postgresKind) read(ctx context.Context, w *Work, s *scratch, p Place, name string, o readOptions) (*table, error) {
	from, err := postgres.OpenSnapshot(ctx, p.Name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", p, err)
	}
	defer from.Close()
	of := generation1
	if from.Revisions {
		of = generation3
	}
	t, err := s.stage(ctx, name, func(to *stager) (*generation, error) {
		var failed error
		err := from.Rows(ctx, func(row store.Row) error {
			if to.rows%tellEvery == 0 {
				w.progress(Progress{"reading " + p.String(), to.rows, unknownPart()})
			}
			if !o.lenient {
				failed = checkRow(row, of)
			}
			if failed == nil {
				failed = to.add(row)
			}
			return failed
		})
		switch {
		case failed != nil:
			err = fmt.Errorf("%s: %w", p, failed)
		case err != nil:
			err = fmt.Errorf("reading %s: %w", p, err)
		case to.rows == 0: // as a new file
			of = generation1
		}
		return of, err
	})
	if err != nil {
		return nil, err
	}
	t.place, t.mixed = p, of.revisions
	return t, nil
}

// write stores rows in one transaction. Servers may go on meanwhile.
func (postgresKind) write(ctx context.Context, w *Work, s *scratch, in *table, dst Place, _ CopyOptions) (Copied, error) {
	fail := func(err error) (Copied, error) { return Copied{}, err }
	all := in.rows
	if in.repeats {
		var err error
		if in, err = s.distinct(ctx, "merged", in); err != nil {
			return fail(err)
		}
	}
	rows, err := s.open(ctx, "SELECT version, pkgarch, checksum, CAST(value AS TEXT) FROM "+in.from)
	if err != nil {
		return fail(fileError(in.place, "reading", err))
	}
	defer rows.Close()
	out := &outgoing{Work: w, scratch: s, table: in, dst: dst, rows: rows}
	merge := postgres.Merge{Revisions: in.generation.revisions, Next: func() (*store.Row, error) { return out.next(ctx) }}
	merged, err := merge.Into(ctx, dst.Name)
	switch {
	case out.failed != nil:
		return fail(out.failed)
	case err != nil:
		return fail(fmt.Errorf("writing %s: %w", dst, err))
	}
	w.warnOfTwins(dst, merged.Twins)
	return Copied{New: merged.New, Raised: merged.Raised, Kept: all - merged.New - merged.Raised}, nil
}

// outgoing are rows that are being sent to a database.
type outgoing struct {
	*Work
	*scratch
	*table
	dst    Place
	rows   *query.Rows
	done   int64
	failed error // why the last row could not be had
}

// next returns the next row, or nil at the end.
func (o *outgoing) next(ctx context.Context) (*store.Row, error) {
	if o.done%tellEvery == 0 {
		o.progress(Progress{"writing " + o.dst.String(), o.done, float64(o.done) / float64(max(o.table.rows, 1))})
	}
	o.done++
	columns, err := o.rows.Next(ctx)
	switch {
	case err != nil:
		o.failed = fileError(o.place, "reading", err)
	case columns == nil:
		o.progress(Progress{"merging into " + o.dst.String(), o.table.rows, unknownPart()})
		o.failed = o.settle()
	default:
		row, err := rowOf(columns)
		if err == nil {
			return &store.Row{Version: row.Version, Pkgarch: row.Pkgarch, Checksum: row.Checksum, Value: row.Value}, nil
		}
		o.failed = fmt.Errorf("%s: %w", o.place, err)
	}
	return nil, o.failed
}

func (postgresKind) raiseTwins(ctx context.Context, _ *Work, _ *scratch, p Place) (Raised, error) {
	r, err := postgres.RaiseTwins(ctx, p.Name, maxWireValue)
	if err != nil {
		return Raised{}, fmt.Errorf("raising the twins of %s: %w", p, err)
	}
	return Raised(r), nil
}

// check finds out whether the two tables, which say the greatest values twice,
// say the same.
func (postgresKind) check(ctx context.Context, c *checker, _ *table) (sound bool, err error) {
	fail := func(err error) (bool, error) { return false, fmt.Errorf("reading %s: %w", c.place, err) }
	from, err := postgres.OpenSnapshot(ctx, c.place.Name)
	if err != nil {
		return fail(err)
	}
	defer from.Close()
	orphans, err := from.Orphans(ctx)
	if err != nil {
		return fail(err)
	}
	if orphans > 0 {
		err := c.problem("take them from the last backup with prserv-tool copy BACKUP "+shellWord(c.place.String()),
			"values in prvalue that have no version and pkgarch, because somebody has deleted rows of prgroup: %d", orphans)
		if err != nil {
			return false, err
		}
	}
	return true, c.behind(ctx, from)
}

// behind finds the versions whose numbers would be given out twice.
func (c *checker) behind(ctx context.Context, from *postgres.Snapshot) error {
	n := 0
	var told error
	err := from.Behind(ctx, func(b postgres.Behind) error {
		if n++; n > maxProblems {
			return nil
		}
		told = c.problem(fmt.Sprintf("run in psql: UPDATE prgroup SET greatest = '{%s}', holder = NULL WHERE id = %d",
			strings.ReplaceAll(b.Value.String(), ".", ","), b.Group),
			"prgroup says that %s is at %s, but prvalue has %s, so numbers would be given out twice",
			shown([]driver.Value{b.Version, b.Pkgarch}), b.Greatest, b.Value)
		return told
	})
	switch {
	case told != nil:
		return told
	case err != nil:
		return fmt.Errorf("reading %s: %w", c.place, err)
	case n > maxProblems:
		return c.problem("look again when these are right", "%d more versions are behind in the same way", n-maxProblems)
	}
	return nil
}
