package dbfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Part is a file in the making, beside the one that it is to become.
type Part struct {
	File   string // what it is to become, without symbolic links
	Name   string
	Handle *os.File // locked as long as the file is in the making
}

// NewPart begins a file. What an interrupted program has left of one is
// written over; the error is one of another program that is still at it, or of
// a folder that cannot be written.
func NewPart(file string) (*Part, error) {
	fail := func(err error) (*Part, error) { return nil, fmt.Errorf("writing %s: %w", file, reasonOf(err)) }
	real, err := RealName(file)
	if err != nil {
		return fail(err)
	}
	p := &Part{File: real, Name: real + ".prserv-part"}
	for {
		p.Handle, err = os.OpenFile(p.Name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return fail(err)
		}
		err = unix.Flock(int(p.Handle.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			p.Handle.Close()
			return nil, fmt.Errorf("writing %s: another program is writing it at this moment, in %s", file, p.Name)
		}
		if err != nil || p.isCurrent() {
			break
		}
		p.Handle.Close() // who had it before has just removed it
	}
	if err == nil {
		err = p.Handle.Truncate(0)
	}
	if info, statErr := os.Stat(real); statErr == nil && err == nil {
		err = p.BecomeLike(info)
	}
	if err != nil {
		p.Abandon()
		return fail(err)
	}
	return p, nil
}

// RealName returns the name of a file without symbolic links, also of a file
// that is yet to be made.
func RealName(file string) (string, error) {
	real, err := filepath.EvalSymlinks(file)
	if !errors.Is(err, os.ErrNotExist) {
		return real, err
	}
	target, err := os.Readlink(file)
	switch {
	case err != nil: // it is no link
		return filepath.Abs(file)
	case !filepath.IsAbs(target):
		dir, err := filepath.EvalSymlinks(filepath.Dir(file)) // .. is of the real folder
		if err != nil {
			return "", err
		}
		target = filepath.Join(dir, target)
	}
	return RealName(target)
}

// BecomeLike takes over the mode of a file that is to be replaced, and its
// owner, as far as that is allowed.
func (p *Part) BecomeLike(old os.FileInfo) error {
	if st, ok := old.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := p.Handle.Chown(int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	}
	return p.Handle.Chmod(old.Mode().Perm())
}

func (p *Part) isCurrent() bool {
	have, err := p.Handle.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(p.Name)
	return err == nil && os.SameFile(have, named)
}

// Abandon removes what there is. After Finish it does nothing.
func (p *Part) Abandon() {
	if p.Handle == nil {
		return
	}
	os.Remove(p.Name)
	p.Handle.Close()
	p.Handle = nil
}

// Finish makes the part the file, so that it is the one or the other even
// after a power cut. Old is the file that it is to replace, nil if there was
// none; another one stays.
func (p *Part) Finish(old os.FileInfo) error {
	err := p.Handle.Sync()
	if err == nil && old != nil {
		var now os.FileInfo
		now, err = os.Stat(p.File)
		if err == nil && (!os.SameFile(old, now) || old.Size() != now.Size() || !old.ModTime().Equal(now.ModTime())) {
			p.Abandon()
			return fmt.Errorf("writing %s: somebody has changed it meanwhile; run this again", p.File)
		}
	}
	if err == nil && old == nil {
		err = unix.Renameat2(unix.AT_FDCWD, p.Name, unix.AT_FDCWD, p.File, unix.RENAME_NOREPLACE)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // a file system that cannot
			if err = os.Link(p.Name, p.File); err == nil {
				err = os.Remove(p.Name)
			}
		}
	} else if err == nil {
		err = os.Rename(p.Name, p.File)
	}
	if err != nil {
		p.Abandon()
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("writing %s: somebody has made it meanwhile; run this again to merge", p.File)
		}
		return fmt.Errorf("writing %s: %w", p.File, reasonOf(err))
	}
	defer func() { p.Handle.Close(); p.Handle = nil }()
	folder, err := os.Open(filepath.Dir(p.File))
	if err == nil {
		defer folder.Close()
		err = folder.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing %s: its folder: %w", p.File, reasonOf(err))
	}
	return nil
}
