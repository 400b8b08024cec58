package dbfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Reason returns what the system says of a failure, without the path: a message
// has named the file already.
func Reason(err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// Resolve returns the absolute path of a file without symbolic links, also of
// a file that a link names and that is yet to be made.
func Resolve(file string) (string, error) {
	path, err := filepath.EvalSymlinks(file)
	switch {
	case err == nil:
		return filepath.Abs(path)
	case !errors.Is(err, os.ErrNotExist):
		return "", err
	}
	target, err := os.Readlink(file)
	switch {
	case err != nil: // it is no link
		return filepath.Abs(file)
	case !filepath.IsAbs(target):
		folder, err := filepath.EvalSymlinks(filepath.Dir(file)) // .. is of the real folder
		if err != nil {
			return "", err
		}
		target = filepath.Join(folder, target)
	}
	return Resolve(target)
}

// CheckReadable finds out whether a read-only server may open a database file:
// see [CheckLog] for what is beside it. The first to open a file in WAL mode
// makes its companions, and a writing server of another user could not use
// those.
func CheckReadable(file string) error {
	var st unix.Stat_t
	if err := unix.Stat(file, &st); err != nil {
		return fmt.Errorf("a read-only server makes no file: %w", err)
	}
	if err := checkLinks(file); err != nil {
		return err
	}
	if path, err := filepath.EvalSymlinks(file); err == nil {
		file = path
	}
	if err := CheckLog(file); err != nil {
		return err
	}
	if !isWAL(file) {
		return nil
	}
	if _, err := os.Stat(file + "-shm"); err == nil {
		return nil
	}
	if uid := os.Geteuid(); uid != 0 && uid != int(st.Uid) {
		return fmt.Errorf("nobody writes it, and it belongs to another user (uid %d); start the writing server first", st.Uid)
	}
	if err := unix.Access(filepath.Dir(file), unix.W_OK); err != nil {
		return fmt.Errorf("nobody writes it, and its folder cannot be written: %w; start the writing server first", err)
	}
	return nil
}

// isWAL tells whether a database is in WAL mode. It must not be called while
// SQLite has the file open in this process: to close a descriptor of the file
// lets go of SQLite's locks.
// Source: SQLite's file format, the read version of the header.
func isWAL(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	var header [20]byte
	_, err = io.ReadFull(f, header[:])
	return err == nil && header[19] == 2
}
