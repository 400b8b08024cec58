package dbfile

import (
	"fmt"
	"path/filepath"
)

// Claim is a database file that no server writes meanwhile.
type Claim struct{ lock *Lock }

// ClaimFile claims an existing database file for a program that is about to
// write it. The error is a [*LockedError] where a server of ours writes it; a
// Python server keeps the file locked as SQLite does.
func ClaimFile(file string) (*Claim, error) {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil, fmt.Errorf("finding it: %w", reasonOf(err))
	}
	if _, err := CheckWritable(real); err != nil {
		return nil, err
	}
	lock, err := LockDatabase(real, NetworkFS(filepath.Dir(real)) == "")
	if err != nil {
		return nil, err
	}
	return &Claim{lock}, nil
}

// Release ends the claim. It may be called more than once.
func (c *Claim) Release() { c.lock.Release() }

// InUse is the error that somebody has locked a file as SQLite does.
func InUse(file string) error {
	return &LockedError{File: file, PID: LockHolder(file), Foreign: true}
}
