package place

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// part is a file in the making, beside the one that it is to become.
type part struct {
	file   string // what it is to become, without symbolic links
	name   string
	handle *os.File // locked as long as the file is in the making
}

// newPart begins a file. What an interrupted program has left of one is
// written over; the error is one of another program that is still at it, or of
// a folder that cannot be written.
func newPart(file string) (*part, error) {
	fail := func(err error) (*part, error) { return nil, fmt.Errorf("writing %s: %w", file, reasonOf(err)) }
	real, err := realName(file)
	if err != nil {
		return fail(err)
	}
	p := &part{file: real, name: real + ".prserv-part"}
	for {
		p.handle, err = os.OpenFile(p.name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return fail(err)
		}
		err = unix.Flock(int(p.handle.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			p.handle.Close()
			return nil, fmt.Errorf("writing %s: another program is writing it at this moment, in %s", file, p.name)
		}
		if err != nil || p.isCurrent() {
			break
		}
		p.handle.Close() // who had it before has just removed it
	}
	if err == nil {
		err = p.handle.Truncate(0)
	}
	if info, statErr := os.Stat(real); statErr == nil && err == nil {
		err = p.becomeLike(info)
	}
	if err != nil {
		p.abandon()
		return fail(err)
	}
	return p, nil
}

// realName returns the name of a file without symbolic links, also of a file
// that is yet to be made.
func realName(file string) (string, error) {
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
	return realName(target)
}

// becomeLike takes over the mode of a file that is to be replaced, and its
// owner, as far as that is allowed.
func (p *part) becomeLike(old os.FileInfo) error {
	if st, ok := old.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := p.handle.Chown(int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	}
	return p.handle.Chmod(old.Mode().Perm())
}

func (p *part) isCurrent() bool {
	have, err := p.handle.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(p.name)
	return err == nil && os.SameFile(have, named)
}

// abandon removes what there is. After finish it does nothing.
func (p *part) abandon() {
	if p.handle == nil {
		return
	}
	os.Remove(p.name)
	p.handle.Close()
	p.handle = nil
}

// finish makes the part the file, so that it is the one or the other even
// after a power cut. Old is the file that it is to replace, nil if there was
// none; another one stays.
func (p *part) finish(old os.FileInfo) error {
	err := p.handle.Sync()
	if err == nil && old != nil {
		var now os.FileInfo
		now, err = os.Stat(p.file)
		if err == nil && (!os.SameFile(old, now) || old.Size() != now.Size() || !old.ModTime().Equal(now.ModTime())) {
			p.abandon()
			return fmt.Errorf("writing %s: somebody has changed it meanwhile; run this again", p.file)
		}
	}
	if err == nil && old == nil {
		err = unix.Renameat2(unix.AT_FDCWD, p.name, unix.AT_FDCWD, p.file, unix.RENAME_NOREPLACE)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // a file system that cannot
			if err = os.Link(p.name, p.file); err == nil {
				err = os.Remove(p.name)
			}
		}
	} else if err == nil {
		err = os.Rename(p.name, p.file)
	}
	if err != nil {
		p.abandon()
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("writing %s: somebody has made it meanwhile; run this again to merge", p.file)
		}
		return fmt.Errorf("writing %s: %w", p.file, reasonOf(err))
	}
	defer func() { p.handle.Close(); p.handle = nil }()
	folder, err := os.Open(filepath.Dir(p.file))
	if err == nil {
		defer folder.Close()
		err = folder.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing %s: its folder: %w", p.file, reasonOf(err))
	}
	return nil
}
