package place

import (
	"context"
	"errors"
	"io"
)

// Work does what is to be done with places. Its errors are one line, with the
// place, and for texts the number of the line. An interrupted context ends what
// is under way, and leaves files that were to be written as they were.
type Work struct {
	Stdin  io.Reader // the place "-" to read from
	Stdout io.Writer // the place "-" to write to
	// Progress hears now and then how far long work has come. It may be nil.
	Progress func(Progress)
	// Warn hears a line about anything that is left out. It may be nil.
	Warn func(line string)
}

// Progress is how far long work has come.
type Progress struct {
	What string  // what is being done, for example "reading old.sql"
	Rows int64   // how many rows of it are done
	Part float64 // how much of it is done, from 0 to 1, or -1 if nobody knows
}

// CopyOptions are how to copy.
type CopyOptions struct {
	// Generation is that of a new database file: 1 for BitBake up to 2.8, 3
	// for 2.10 and later, 0 for that of what is copied.
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

// Copy brings the values of src to dst, and lowers none there.
func (w *Work) Copy(ctx context.Context, src, dst Place, o CopyOptions) (Copied, error) {
	return Copied{}, errors.New("copy is yet to come")
}

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
	return Compared{}, errors.New("diff is yet to come")
}

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
	return errors.New("list is yet to come")
}

// Problem is something wrong with a place.
type Problem struct {
	What string // what is wrong
	Do   string // what to do about it
}

// Check calls each with what is wrong with a place.
func (w *Work) Check(ctx context.Context, p Place, each func(Problem) error) error {
	return errors.New("check is yet to come")
}
