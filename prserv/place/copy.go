package place

import (
	"context"
	"errors"
	"fmt"
	"os"

	"prserver/prserv"
	"prserver/prserv/dbfile"
)

// CopyOptions are how to copy.
type CopyOptions struct {
	// Generation is that of a new database file or dump, or of the table of an
	// existing file: 1 for BitBake up to 2.8, 3 for 2.10 and later, 0 for that
	// of what is copied or of what the file has.
	Generation int
	// All writes every row to an [Inc]; without, it gets the greatest of each
	// version and pkgarch, as oe-core writes it.
	All bool
	// Replace writes an existing [SQL] or [Inc] anew, instead of merging.
	Replace bool
}

// Copied is what a copy has done to the rows of its destination.
type Copied struct {
	New    int64 // had no value before
	Raised int64 // had a lower value
	Kept   int64 // had this value or a greater one
	// Left counts the rows of the source that the destination cannot hold, or
	// was not to get.
	Left int64
}

// Copy brings the values of src to dst, and lowers none there. A destination
// that is a file becomes what it is to be at once; a server gets row after row.
func (w *Work) Copy(ctx context.Context, src, dst Place, o CopyOptions) (Copied, error) {
	switch {
	case o.Generation != 0 && schemas[o.Generation].name == "":
		return Copied{}, fmt.Errorf("there is no generation %d of database files; it is 1, for BitBake up to 2.8, or 3, for 2.10 and later", o.Generation)
	case o.Generation != 0 && dst.Kind != File && dst.Kind != SQL:
		return Copied{}, fmt.Errorf("%s has no generation, only database files and dumps have one", dst)
	case o.All && dst.Kind != Inc:
		return Copied{}, fmt.Errorf("%s gets every row anyway; --all is for .inc and .conf files", dst)
	case o.Replace && (dst.Kind == File || dst.Kind == Server):
		return Copied{}, fmt.Errorf("%s is not to be replaced: its numbers could go back; name a new file", dst)
	case dst.Kind != File && (src == dst || isSameFile(src, dst)):
		return Copied{}, fmt.Errorf("%s cannot be copied to itself", src)
	}
	if err := w.checkFolder(dst); err != nil {
		return Copied{}, err
	}
	b, err := openBase(ctx)
	if err != nil {
		return Copied{}, err
	}
	defer b.close()
	same := dst.Kind == File && isSameFile(src, dst)
	if same && o.Generation != revisions {
		return Copied{}, fmt.Errorf("%s cannot be copied to itself; name a new file, or with --generation 3 give it the table of BitBake 2.10", src)
	}
	in, err := w.read(ctx, b, src, "src", reading{detached: same})
	if err != nil {
		return Copied{}, err
	}
	if in.mixed && o.Generation == 0 && (dst.Kind == File || dst.Kind == SQL) {
		return Copied{}, bothGenerations(src.String())
	}
	in, twice, err := w.once(ctx, b, in, dst)
	if err != nil {
		return Copied{}, err
	}
	var c Copied
	switch dst.Kind {
	case File:
		c, err = w.copyToFile(ctx, b, in, dst, o.Generation)
	case Server:
		c, err = w.copyToServer(ctx, b, in, dst)
	default:
		c, err = w.copyToText(ctx, b, in, dst, o)
	}
	if isDamaged(err) && src.Kind == File {
		err = fmt.Errorf("%w; prserv-tool check tells whether it is %s that is damaged", err, src)
	}
	c.Left += twice
	return c, err
}

// bothGenerations is the error of a place, in the words of a sentence, of which
// nobody but the user knows what it is for. With the wrong generation all
// numbers begin at 0 again.
func bothGenerations(place string) error {
	return fmt.Errorf("%s has values in both tables, %s of BitBake up to 2.8 and %s of 2.10 and later; "+
		"say with --generation 1 or --generation 3 which of them is to be written", place, prserv.Table, revisionTable)
}

// once makes a table without what comes twice, where a place allows that and
// the destination does not see to it, and tells how many rows that leaves out.
func (w *Work) once(ctx context.Context, b *base, t *table, dst Place) (*table, int64, error) {
	if t.keyed || t.place.Kind != File && (t.place.Kind != SQL || dst.Kind != SQL) {
		return t, 0, nil
	}
	out, n, err := b.distinct(ctx, "once", t)
	if err != nil {
		return nil, 0, err
	}
	left := t.rows - n
	if left > 0 {
		w.warn("rows of %s that come twice, of which the greatest value stays: %d", t.place, left)
	}
	return out, left, nil
}

// checkFolder finds out before long work whether a destination can be made.
func (w *Work) checkFolder(dst Place) error {
	if dst.Kind == Server || dst.Name == standard {
		return nil
	}
	if info, err := os.Stat(dst.Name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("writing %s: it is no file", dst)
	}
	r, err := dbfile.Replace(dst.Name)
	if err != nil {
		return err
	}
	r.Abandon()
	return nil
}

func isSameFile(a, b Place) bool {
	if a.Kind == Server || b.Kind == Server || a.Name == standard || b.Name == standard {
		return false
	}
	ia, errA := os.Stat(a.Name)
	ib, errB := os.Stat(b.Name)
	return errA == nil && errB == nil && os.SameFile(ia, ib)
}

// existing returns the file that a destination is, or nil.
func existing(p Place) (os.FileInfo, error) {
	if p.Name == standard {
		return nil, nil
	}
	info, err := os.Stat(p.Name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("writing %s: %w", p, dbfile.Reason(err))
	}
	return info, nil
}

// convert makes a table what a generation can hold, if it is of another one.
func (w *Work) convert(ctx context.Context, b *base, t *table, generation int) (out *table, left int64, err error) {
	switch {
	case t.generation == generation:
		return t, 0, nil
	case generation == revisions:
		out := *t
		out.generation, out.keyed = revisions, false
		out.from = "(SELECT version, pkgarch, checksum, CAST(value AS TEXT) AS value FROM " + t.from + ")"
		return &out, 0, nil
	}
	out = &table{place: t.place, from: "main.wholes", generation: whole}
	// Of a checksum's values the greatest whole number is kept. Where the
	// greatest value of a version and pkgarch is none, such as 3.1, the next
	// one takes its place, 4: with 3 the numbers would go back.
	_, err = b.exec(ctx, `CREATE TABLE main.wholes (version, pkgarch, checksum, value, PRIMARY KEY (version, pkgarch, checksum));
		INSERT INTO main.wholes SELECT version, pkgarch, checksum, max(CAST(value AS INTEGER)) FROM `+t.from+`
			WHERE value NOT LIKE '%.%' GROUP BY version, pkgarch, checksum`)
	if err != nil {
		return nil, 0, err
	}
	up, err := b.exec(ctx, `INSERT INTO main.wholes
		SELECT version, pkgarch, checksum, CAST(greatest AS INTEGER) + 1 FROM (
			SELECT version, pkgarch, checksum, max(value COLLATE revision) AS greatest FROM `+t.from+`
			WHERE value LIKE '%.%' GROUP BY version, pkgarch) AS p
		WHERE CAST(greatest AS INTEGER) >= ifnull((SELECT max(value) FROM main.wholes AS w
			WHERE w.version = p.version AND w.pkgarch = p.pkgarch), -1)
		ON CONFLICT DO UPDATE SET value = excluded.value`)
	if err != nil {
		return nil, 0, err
	}
	if up > 0 {
		w.warn("values of %s that were the greatest of their version but no whole numbers, such as 3.1, "+
			"and became the next whole number, so that numbers do not go back: %d", t.place, up)
	}
	if out.rows, err = b.number(ctx, "SELECT count(*) FROM main.wholes"); err != nil {
		return nil, 0, err
	}
	out.keyed = true
	if left = t.rows - out.rows; left > 0 {
		w.warn("values of %s that were left out, because they are no whole numbers, or not the greatest of their checksum: %d", t.place, left)
	}
	return out, left, nil
}
