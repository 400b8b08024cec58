package place

import (
	"errors"
	"fmt"
	"os"

	"prserver/prserv/dbfile"
)

// checkDestination finds out before long work whether a destination can be made.
func checkDestination(dst Place) error {
	if !dst.isFile() {
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

// existing returns the file that a destination is, or nil if there is none.
func existing(p Place) (os.FileInfo, error) {
	if !p.isFile() {
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

// isSame tells whether two places are one.
func isSame(a, b Place) bool {
	if a == b || !a.isFile() || !b.isFile() {
		return a == b
	}
	ia, errA := os.Stat(a.Name)
	ib, errB := os.Stat(b.Name)
	return errA == nil && errB == nil && os.SameFile(ia, ib)
}
