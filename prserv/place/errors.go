package place

import (
	"errors"
	"fmt"

	"prserver/prserv/dbfile"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite/query"
)

// errBadRow is returned where a row cannot be moved, because it is none that a PR
// server can count on from.
var errBadRow = errors.New("it is no PR value; prserv-tool check names all such rows, and copy --salvage leaves them out")

// errFolder is returned where a folder has the name of a place.
var errFolder = errors.New("it is a folder")

// errNoTable is returned where a database file has no table of PR values.
var errNoTable = fmt.Errorf("it is not a PR database: it has neither the table %s nor %s", generation1.table, generation3.table)

// lostKey says that a table without its primary key cannot be written.
func lostKey(of *generation) error {
	return fmt.Errorf("its table %s has lost its primary key; copy it to a new file first", of.table)
}

// lineError is returned where a line of a text is wrong.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// noChecksumError is returned where configuration has no rows, but lines that
// lock down the numbers of versions.
type noChecksumError struct {
	place Place
	lines int
}

func (e *noChecksumError) Error() string { return fmt.Sprintf("%s: %s; %s", e.place, e.what(), e.do()) }

func (e *noChecksumError) what() string {
	return fmt.Sprintf("it has no rows: its lines that begin with PRAUTO_ (%d) give the greatest value of a version and pkgarch, "+
		"but no checksum, which a server needs", e.lines)
}

func (e *noChecksumError) do() string { return "take the server or file that they came from" }

// fileError says what could not be done with a database file.
func fileError(p Place, doing string, err error) error {
	var locked *dbfile.LockedError
	var notWritable *dbfile.NotWritableError
	switch {
	case errors.Is(err, errBadRow): // names the place
		return err
	case errors.As(err, &notWritable): // which speaks to a server's operator
		err = notWritable.Err
	case errors.Is(err, store.ErrBusy):
		return fmt.Errorf("%w, or name its HOST:PORT instead of the file", dbfile.InUse(p.Name))
	case errors.Is(err, query.ErrHalfWritten):
		return fmt.Errorf("%s %s: a program was killed while it wrote the file; whoever may write it has to read it first", doing, p)
	case errors.Is(err, store.ErrFull) && doing == "reading":
		return fmt.Errorf("%s %s: %w", doing, p, scratchError(err))
	case isDamaged(err) && doing == "reading":
		return fmt.Errorf("%s %s: %w; save what can be read with %s rescued.sqlite3", doing, p, err, command("copy --salvage", p))
	case errors.As(err, &locked):
		return fmt.Errorf("%w; if that is a server, name its HOST:PORT instead of the file", err)
	}
	return fmt.Errorf("%s %s: %w", doing, p, err)
}

// scratchError says that the scratch database has failed, not a file of the
// user's.
func scratchError(err error) error {
	return fmt.Errorf("a temporary file: %w; let TMPDIR name a folder with more room", err)
}

// isDamaged tells of a database file that is one, but not sound.
func isDamaged(err error) bool {
	return errors.Is(err, store.ErrDamaged) && !errors.Is(err, query.ErrNoDatabase)
}

// adviseCheck adds to the error of a damaged destination what to do.
func adviseCheck(err error, dst Place) error {
	return fmt.Errorf("%w; %s says what to do", err, command("check", dst))
}
