package dbfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Replacement is a file in the making, beside the one that it is to become.
// Nobody sees the file half written.
type Replacement struct {
	Path string // what it is to become, without symbolic links
	// Draft is what is written meanwhile, locked against a second program that
	// may write it, too.
	Draft *os.File
}

// Replace begins a file that is to become the named one, which may exist. A
// draft that an interrupted program has left is written over. The error tells
// of another program that is still at it, or of a folder that cannot be
// written.
func Replace(file string) (*Replacement, error) {
	fail := func(err error) (*Replacement, error) { return nil, fmt.Errorf("writing %s: %w", file, Reason(err)) }
	path, err := Resolve(file)
	if err != nil {
		return fail(err)
	}
	draft, err := openLocked(path+".prserv-part", 0o644, lockToWrite)
	switch {
	case errors.Is(err, errTaken):
		return nil, fmt.Errorf("writing %s: another program is writing it at this moment, in %s.prserv-part", file, path)
	case err != nil:
		return fail(err)
	}
	r := &Replacement{Path: path, Draft: draft}
	err = draft.Truncate(0)
	if old, statErr := os.Stat(path); statErr == nil && err == nil {
		err = r.becomeLike(old)
	}
	if err != nil {
		r.Abandon()
		return fail(err)
	}
	return r, nil
}

// becomeLike gives the draft the mode of the file that it is to replace, and
// its owner, as far as that is allowed.
func (r *Replacement) becomeLike(old os.FileInfo) error {
	if st, ok := old.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := r.Draft.Chown(int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	}
	return r.Draft.Chmod(old.Mode().Perm())
}

// Abandon removes the draft. After Finish it does nothing.
func (r *Replacement) Abandon() {
	if r.Draft == nil {
		return
	}
	os.Remove(r.Draft.Name())
	r.Draft.Close()
	r.Draft = nil
}

// Finish gives the draft the name of the file, so that the file is the old or
// the new one even after a power cut. Old is the file that it replaces, as it
// was looked at, or nil if there was none. The error tells of another file, or
// a changed one, that has the name meanwhile; it stays as it is.
func (r *Replacement) Finish(old os.FileInfo) error {
	if err := r.rename(old); err != nil {
		r.Abandon()
		return err
	}
	r.Draft.Close()
	r.Draft = nil
	folder, err := os.Open(filepath.Dir(r.Path))
	if err == nil {
		defer folder.Close()
		err = folder.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing %s: its folder: %w", r.Path, Reason(err))
	}
	return nil
}

func (r *Replacement) rename(old os.FileInfo) error {
	err := r.Draft.Sync()
	if err == nil && old != nil {
		var now os.FileInfo
		if now, err = os.Stat(r.Path); err == nil && isChanged(old, now) {
			return fmt.Errorf("writing %s: another program has changed it meanwhile; run this again", r.Path)
		}
	}
	switch {
	case err != nil:
	case old != nil:
		err = os.Rename(r.Draft.Name(), r.Path)
	default:
		err = renameToNew(r.Draft.Name(), r.Path)
	}
	switch {
	case errors.Is(err, os.ErrExist):
		return fmt.Errorf("writing %s: another program has made it meanwhile; run this again to merge", r.Path)
	case err != nil:
		return fmt.Errorf("writing %s: %w", r.Path, Reason(err))
	}
	return nil
}

func isChanged(old, now os.FileInfo) bool {
	return !os.SameFile(old, now) || old.Size() != now.Size() || !old.ModTime().Equal(now.ModTime())
}

// renameToNew renames a file. The error is os.ErrExist where the new name is
// taken.
func renameToNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // a file system that cannot
		if err = os.Link(from, to); err == nil {
			err = os.Remove(from)
		}
	}
	return err
}
