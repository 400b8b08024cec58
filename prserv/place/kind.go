package place

import (
	"context"
	"fmt"
)

// kind reads and writes the places of one [Kind], and knows what only those
// can have or do.
type kind interface {
	// read makes a table of the rows of a place, known to the scratch database
	// under a name.
	read(ctx context.Context, w *Work, s *scratch, p Place, name string, o readOptions) (*table, error)
	// refuse returns an error if nothing can be copied to a place with these
	// options. Source and destination are the same if toItself.
	refuse(dst Place, o CopyOptions, toItself bool) error
	// write brings rows to a place, and lowers no value there.
	write(ctx context.Context, w *Work, s *scratch, in *table, dst Place, o CopyOptions) (Copied, error)
	// raiseTwins gives twins numbers of their own: see [Work.RaiseTwins].
	raiseTwins(ctx context.Context, w *Work, s *scratch, p Place) (Raised, error)
	// check finds what is wrong with a place besides its single rows. If it is
	// not sound, its rows are not worth looking at.
	check(ctx context.Context, c *checker, t *table) (sound bool, err error)
	// removal says how a user removes a row.
	removal() string
}

// narrower is a kind of places of which a destination needs only a part.
type narrower interface {
	// narrow makes a table of that part of src, which was read under a name. It
	// tells how many rows the destination is as good without.
	narrow(ctx context.Context, w *Work, s *scratch, src, dst Place, name string, o CopyOptions) (part *table, kept int64, err error)
}

// kinds are the kinds of places.
var kinds = map[Kind]kind{Server: serverKind{}, Database: databaseKind{}, SQL: dumpKind{}, Inc: incKind{}, PostgreSQL: postgresKind{},
	Feed: feedKind{"a package feed, which is only read"}, History: historyKind{"a history, which only a server writes"}}

// read makes a table of the rows of a place, known to the scratch database
// under a name.
func (w *Work) read(ctx context.Context, s *scratch, p Place, name string, o readOptions) (*table, error) {
	return kinds[p.Kind].read(ctx, w, s, p, name, o)
}

// readOptions are how to read a place.
type readOptions struct {
	// lenient takes rows that no PR server issues, where a text has any.
	lenient bool
	// detached lets go of a file at the end, so that it can be written.
	detached bool
}

// What several kinds refuse.

func refuseGeneration(dst Place, o CopyOptions) error {
	if o.Generation == 0 {
		return nil
	}
	return fmt.Errorf("%s has no generation, only database files and dumps have one", dst)
}

func refuseAll(dst Place, o CopyOptions) error {
	if !o.All {
		return nil
	}
	return fmt.Errorf("%s gets every row anyway; --all is for .inc and .conf files", dst)
}

func refuseReplace(dst Place, o CopyOptions) error {
	if !o.Replace {
		return nil
	}
	return fmt.Errorf("%s cannot be replaced: its numbers could go back; name a new file", dst)
}

func refuseItself(dst Place, toItself bool) error {
	if !toItself {
		return nil
	}
	return fmt.Errorf("%s cannot be copied to itself", dst)
}

// onlyRead is what the kinds have in common that nothing is copied to: what a place
// is.
type onlyRead string

func (o onlyRead) refuse(dst Place, _ CopyOptions, _ bool) error {
	return fmt.Errorf("%s is %s; name a server or a file", dst, string(o))
}

func (o onlyRead) write(_ context.Context, _ *Work, _ *scratch, _ *table, dst Place, c CopyOptions) (Copied, error) {
	return Copied{}, o.refuse(dst, c, false)
}

func (o onlyRead) raiseTwins(_ context.Context, _ *Work, _ *scratch, p Place) (Raised, error) {
	return Raised{}, o.refuse(p, CopyOptions{}, false)
}

func (onlyRead) check(context.Context, *checker, *table) (sound bool, err error) { return true, nil }
