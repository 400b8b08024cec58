package dbfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// reasonOf returns what the system says of a failure, without the path.
func reasonOf(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Make makes an empty database file where there is none. It returns the
// file's path without symbolic links: its companions are beside the file.
func Make(file string) (real string, made bool, err error) {
	real, err = filepath.EvalSymlinks(file)
	if os.IsNotExist(err) {
		if target, linkErr := os.Readlink(file); linkErr == nil { // to a file that is yet to be made
			if !filepath.IsAbs(target) {
				dir, err := filepath.EvalSymlinks(filepath.Dir(file)) // .. is of the real folder
				if err != nil {
					return "", false, fmt.Errorf("finding it: %w", reasonOf(err))
				}
				target = filepath.Join(dir, target)
			}
			return Make(target)
		}
		var f *os.File
		if f, err = os.OpenFile(file, os.O_RDONLY|os.O_CREATE|os.O_EXCL, 0o644); err != nil {
			return "", false, fmt.Errorf("making it: %w", reasonOf(err))
		}
		f.Close()
		made = true
		real, err = filepath.EvalSymlinks(file)
	}
	if err != nil {
		return "", made, fmt.Errorf("finding it: %w", err)
	}
	info, err := os.Stat(real)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no file")
	}
	return real, made, err
}

// SyncFolders makes the names of a new file and of the folders that were made
// for it outlast a power cut. SQLite syncs the folder of its files only.
func SyncFolders(dir string) {
	for ; ; dir = filepath.Dir(dir) {
		if f, err := os.Open(dir); err == nil { // one that cannot be read was not made here
			f.Sync()
			f.Close()
		}
		if dir == filepath.Dir(dir) {
			return
		}
	}
}

// RemoveEmpty removes a file that was made for nothing.
func RemoveEmpty(file string) {
	if info, err := os.Stat(file); err == nil && info.Size() == 0 {
		os.Remove(file)
	}
}

// CheckWritable finds out whether a server can write the file and what belongs
// to it, and whether the file is empty. SQLite would blame the wrong file, or
// throw away a write-ahead log that has lost its database.
func CheckWritable(file string) (empty bool, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return false, err
	}
	// SQLite opens a file it may not write, and says so at the first write only.
	if err := unix.Access(file, unix.W_OK); err != nil {
		return false, fmt.Errorf("writing it: %w; only its owner may, and others may serve it with --read-only", err)
	}
	if err := checkLinks(file); err != nil {
		return false, err
	}
	empty = info.Size() == 0
	for _, companion := range []string{file + "-wal", file + "-shm", file + "-journal"} {
		info, err := os.Stat(companion)
		switch {
		case os.IsNotExist(err):
			continue
		case err != nil:
			return false, err
		case empty && info.Size() > 0 && companion == file+"-wal":
			return false, fmt.Errorf("it is empty, but %s is not, and may hold the last values; "+
				"put the database back beside it, or move it away", companion)
		}
		if err := unix.Access(companion, unix.W_OK); err != nil {
			return false, fmt.Errorf("writing %s: %w; another user's read-only server or sqlite3 has made it: "+
				"stop that, and remove the file", companion, err)
		}
	}
	return empty, nil
}

// checkLinks refuses a file with several names: the write-ahead log, with the
// last values in it, is beside one of them only.
func checkLinks(file string) error {
	var st unix.Stat_t
	if err := unix.Stat(file, &st); err != nil {
		return err
	}
	if st.Nlink > 1 {
		return fmt.Errorf("it has %d names (hard links), and the last values may be known by another one; "+
			"remove those, or serve a copy", st.Nlink)
	}
	return nil
}

// CheckReadable finds out whether a read-only server may open the file. The
// first to open a file in WAL mode makes its companions, and a writing server
// of another user could not use those.
func CheckReadable(file string) error {
	var st unix.Stat_t
	if err := unix.Stat(file, &st); err != nil {
		return fmt.Errorf("a read-only server makes no file: %w", err)
	}
	if err := checkLinks(file); err != nil {
		return err
	}
	if !IsWAL(file) {
		return nil
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
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

// IsWAL tells whether a database is in WAL mode. It must not be called while
// SQLite has the file open in this process.
// Source: SQLite's file format, the read version of the header.
func IsWAL(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	var header [20]byte
	_, err = io.ReadFull(f, header[:])
	return err == nil && header[19] == 2
}
