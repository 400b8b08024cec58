package dbfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Stamp says which state a database is in, as far as its write-ahead log is
// concerned. SQLite itself does not know whether a log belongs to a file: it
// plays any log that it finds beside one, and mixes the two.
//
// A server writes a new stamp with the first change that goes into an empty
// log, and another one once everything but that stamp has been moved from the
// log to the file. So a log names the state that it begins with, and a file with
// that stamp has all of that state. Both numbers are fields of the header that
// SQLite leaves to applications and that no dump shows.
// Source: SQLite's file format, application_id and user_version.
type Stamp struct {
	Previous uint32 // application_id: the stamp of the state before
	Current  uint32 // user_version; 0 where no server of ours has written
}

const (
	headerSize = 100
	currentAt  = 60
	previousAt = 68
	counterAt  = 24 // how often the file has been changed with a rollback journal

	readVersionAt = 19
	walVersion    = 2 // of a file in WAL mode
)

// magic is how a SQLite database begins.
var magic = []byte("SQLite format 3\x00")

// IsSQLite tells whether a file is a SQLite database. It must not be called while
// SQLite has the file open in this process: see [CheckLog].
func IsSQLite(file string) bool {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NONBLOCK, 0) // a pipe may have no writer
	if err != nil {
		return false
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false
	}
	begin := make([]byte, len(magic))
	_, err = io.ReadFull(f, begin)
	return err == nil && bytes.Equal(begin, magic)
}

// StampOf reads the stamp of a database's first page. The second result is
// false if it is none.
func StampOf(page []byte) (Stamp, bool) {
	if len(page) < headerSize || !bytes.HasPrefix(page, magic) {
		return Stamp{}, false
	}
	return Stamp{
		Previous: binary.BigEndian.Uint32(page[previousAt:]),
		Current:  binary.BigEndian.Uint32(page[currentAt:]),
	}, true
}

// ForeignLogError is returned where the write-ahead log, or the rollback
// journal, beside a database was written for another file or state.
type ForeignLogError struct{ File, Log string }

func (e *ForeignLogError) Error() string {
	return fmt.Sprintf("%[2]s is beside %[1]s, but was written for another file or another state of it, and would damage it; "+
		"it may hold the last values: put back the file that it belongs to; "+
		"only if that is gone, use the file without them: mv %[2]s %[2]s.other", e.File, e.Log)
}

// CheckLog finds out whether what SQLite would play into a database when it is
// next opened was written for this very file and state. The error is a
// [*ForeignLogError] if not. It must not be called while SQLite has the file
// open in this process: to close a descriptor of the file lets go of its locks.
func CheckLog(file string) error {
	// Beside a server that is at work, the two files may be read from before
	// and from after one of its steps.
	const attempts, pause = 5, 50 * time.Millisecond
	var err error
	for range attempts {
		var foreign *ForeignLogError
		if err = checkLog(file); !errors.As(err, &foreign) {
			return err
		}
		time.Sleep(pause)
	}
	return err
}

func checkLog(file string) error {
	header, err := readHeader(file)
	if err != nil {
		return err
	}
	stamp, ok := StampOf(header)
	if !ok {
		return nil // it is empty or no database, which others tell of
	}
	log, err := readLog(file + "-wal")
	if err != nil {
		return err
	}
	if !log.fits(stamp, header[readVersionAt] == walVersion) {
		return &ForeignLogError{file, file + "-wal"}
	}
	before, err := journalCounter(file + "-journal")
	if err != nil {
		return err
	}
	counter := binary.BigEndian.Uint32(header[counterAt:])
	if before != nil && counter != *before && counter != *before+1 {
		return &ForeignLogError{file, file + "-journal"}
	}
	return nil
}

// Stamp reads the stamp of the file as it is at this moment. The second result
// is false if the file is no database any more, or cannot be looked into.
func (c *Claimed) Stamp() (Stamp, bool) {
	var header [headerSize]byte
	// The descriptor is one that stays open: see lock.
	if n, err := c.lock.database.ReadAt(header[:], 0); err != nil || n < headerSize {
		return Stamp{}, false
	}
	return StampOf(header[:])
}

// fits tells whether a log may be played into a file that has a stamp: one that
// the log begins with, or one that has come to the file from the log. The file
// is in WAL mode or not.
func (l logContent) fits(file Stamp, wal bool) bool {
	switch {
	case !l.changes:
		return true
	case len(l.stamps) == 0:
		// A server of BitBake 2.10 or later has written it, for those of ours stamp
		// the first change. Whoever writes a log has put its file into WAL mode
		// before, which one that ours has closed is not.
		return file.Current == 0 || wal
	case file.Current == l.stamps[0].Previous:
		return true
	}
	return slices.ContainsFunc(l.stamps, func(s Stamp) bool { return s.Current == file.Current })
}

// readHeader reads the beginning of a file, as far as it goes.
func readHeader(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	header := make([]byte, headerSize)
	n, err := io.ReadFull(f, header)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("reading %s: %w", file, Reason(err))
	}
	return header[:n], nil
}
