package place

import (
	"context"
	"fmt"
)

// CopyOptions are how to copy.
type CopyOptions struct {
	// Generation is that of a new database file or dump, or of the table of an
	// existing file: 1 for BitBake up to 2.8, 3 for 2.10 and later, 0 for that
	// of what is copied or of what the file has, which may be both. An existing
	// file with values in both tables keeps them in step in any case.
	Generation int
	// All writes every row to an [Inc]. Without, it gets the greatest value of
	// each version and pkgarch, as oe-core writes it.
	All bool
	// Replace writes an existing [SQL] or [Inc] anew, instead of merging.
	Replace bool
	// Salvage takes what can be read of a damaged [Database] or [SQL].
	Salvage bool
}

// Copied is what a copy has done to the rows of its destination.
type Copied struct {
	New    int64 // had no value before
	Raised int64 // had a lower value
	Kept   int64 // had this value or a greater one
	// Left counts the rows of the source that the destination cannot hold, or
	// was not to get.
	Left int64
	// Lower counts those of them that an [Inc] was not to get, because they are
	// not the greatest of their version and pkgarch.
	Lower int64
	// NotWhole tells that what was salvaged may not be all that there was.
	NotWhole bool
}

// Copy brings the values of src to dst, and lowers none there. A destination
// that is a file is replaced as a whole at the end; a server gets row after
// row.
func (w *Work) Copy(ctx context.Context, src, dst Place, o CopyOptions) (Copied, error) {
	if o.Generation != 0 && generationBy(o.Generation) == nil {
		return Copied{}, fmt.Errorf("there is no generation %d of database files; it is 1, for BitBake up to 2.8, or 3, for 2.10 and later", o.Generation)
	}
	toItself := isSame(src, dst)
	if err := kinds[dst.Kind].refuse(dst, o, toItself); err != nil {
		return Copied{}, err
	}
	if toItself && o.Salvage {
		return Copied{}, fmt.Errorf("%s is not to be salvaged into itself; name another file", src)
	}
	if err := checkDestination(dst); err != nil {
		return Copied{}, err
	}
	s, err := openScratch(ctx)
	if err != nil {
		return Copied{}, err
	}
	defer s.close()
	var in *table
	whole := true
	if o.Salvage {
		in, whole, err = w.salvage(ctx, s, src, "src")
	} else {
		in, err = w.read(ctx, s, src, "src", readOptions{detached: toItself})
	}
	if err != nil {
		return Copied{}, err
	}
	unread := in.left
	var repeated, kept int64
	if of, ok := kinds[src.Kind].(narrower); ok {
		if in, kept, err = of.narrow(ctx, w, s, src, dst, "src", o); err != nil {
			return Copied{}, err
		}
	}
	if in.repeats && (src.Kind != SQL || dst.Kind == SQL) { // no other destination keeps what a dump repeats
		if in, repeated, err = w.dropRepeated(ctx, s, in); err != nil {
			return Copied{}, err
		}
	}
	if dst.Kind != Database && dst.Kind != SQL { // those can have both tables
		if in, err = s.narrowed(ctx, in); err != nil {
			return Copied{}, err
		}
	}
	copied, err := kinds[dst.Kind].write(ctx, w, s, in, dst, o)
	switch {
	case isDamaged(err) && in.attached:
		err = fmt.Errorf("%w; prserv-tool check tells whether it is %s that is damaged", err, src)
	case isDamaged(err):
		err = adviseCheck(err, dst)
	}
	copied.Left += repeated + unread
	copied.Kept += kept
	copied.NotWhole = !whole && err == nil
	return copied, err
}

// dropRepeated makes a table in which every key comes once, with the greatest
// of its values, and tells how many rows that leaves out.
func (w *Work) dropRepeated(ctx context.Context, s *scratch, t *table) (*table, int64, error) {
	out, err := s.distinct(ctx, "once", t)
	if err != nil {
		return nil, 0, err
	}
	left := t.rows - out.rows
	if left > 0 {
		w.warn("%s: rows that come twice were left out, and the greatest value stays: %d", t.place, left)
	}
	return out, left, nil
}
