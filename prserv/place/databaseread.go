package place

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"prserver/prserv/dbfile"
	"prserver/prserv/store/sqlite/query"
)

// read attaches a database file. If both of its tables have rows, it makes a
// table of them all, without those that reserve a number.
func (databaseKind) read(ctx context.Context, w *Work, s *scratch, p Place, name string, o readOptions) (*table, error) {
	fail := func(err error) (*table, error) { return nil, fileError(p, "reading", err) }
	if err := checkFile(p.Name); err != nil {
		return fail(dbfile.Reason(err))
	}
	writer := dbfile.UnseenWriter(p.Name)
	schema := name + "_file"
	if err := s.attachToRead(ctx, p.Name, schema); err != nil {
		return fail(dbfile.Reason(err))
	}
	if writer != nil && !(o.lenient && writer.Cut) { // it is a problem then
		u := unseen(writer)
		w.warn("%s: %s; %s", p, u.What, u.Do)
	}
	tables, err := w.tablesOf(ctx, s, schema, p)
	if err != nil {
		return fail(err)
	}
	if len(tables) == 0 {
		return fail(errNoTable)
	}
	left := leftOut{place: p, warn: w.warn}
	if !o.lenient {
		for i, t := range tables {
			if tables[i], err = w.withoutZeros(ctx, s, t, &left); err != nil {
				return nil, err
			}
		}
		left.tell()
	}
	tables[0].writer, tables[0].left = writer, left.n
	if len(tables) == 1 && !o.detached {
		return tables[0], nil
	}
	t, err := s.union(ctx, tables, name)
	if err != nil {
		return fail(err)
	}
	if o.detached {
		if err := s.settle(); err != nil {
			return nil, err
		}
		s.still = nil
		s.unfreeze()
		if _, err := s.exec(ctx, "DETACH "+schema); err != nil {
			return fail(err)
		}
	}
	return t, nil
}

// unseen says which values a reader of a file does not see.
func unseen(writer *dbfile.Writer) Problem {
	if writer.Cut {
		return Problem{fmt.Sprintf("%s writes its values to a file that has been removed or replaced, so the last ones are not in this one", writer),
			"name its HOST:PORT instead, before it ends"}
	}
	return Problem{fmt.Sprintf("%s has it open, so its last values may not be in it yet", writer), "name its HOST:PORT instead"}
}

// checkFile finds out whether a file can be read.
func checkFile(name string) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errFolder
	case !info.Mode().IsRegular():
		return errors.New("it is no file")
	}
	return unix.Access(name, unix.R_OK) // SQLite would show its URI
}

// attachToRead attaches a database file that is only read, and keeps its state
// of this moment.
func (s *scratch) attachToRead(ctx context.Context, file, name string) error {
	how, err := dbfile.HowToRead(file)
	if err != nil {
		return err
	}
	if how == dbfile.Shared {
		return s.attachShared(ctx, file, name)
	}
	still, err := dbfile.NewStill(file)
	if err != nil {
		return err
	}
	if how == dbfile.Copied {
		return s.attachCopy(ctx, still, name)
	}
	path, err := dbfile.Resolve(file)
	if err != nil {
		return err
	}
	s.still = append(s.still, still)
	if err := s.attach(ctx, path, name, "mode=ro&immutable=1"); err != nil {
		return err
	}
	return s.freeze(ctx, name)
}

// attachShared attaches a file as SQLite does for everybody. If a program was
// killed while it wrote the file, its last change is taken back first, as SQLite
// does for everybody who may write the file.
func (s *scratch) attachShared(ctx context.Context, file, name string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	err = openOnce(ctx, file, "mode=ro")
	if errors.Is(err, query.ErrHalfWritten) {
		err = openOnce(ctx, file, "mode=rw")
	}
	if err != nil {
		return err
	}
	if err := s.attach(ctx, file, name, "mode=ro"); err != nil {
		return err
	}
	return s.freeze(ctx, name)
}

// attachCopy attaches a copy of a database and its log.
func (s *scratch) attachCopy(ctx context.Context, still *dbfile.Still, name string) error {
	folder, err := os.MkdirTemp("", "prserv-tool-")
	if err != nil {
		return scratchError(dbfile.Reason(err))
	}
	defer os.RemoveAll(folder) // SQLite has all of it open then
	file, err := still.CopyTo(folder)
	if err != nil {
		return err
	}
	if err := s.attach(ctx, file, name, "mode=ro"); err != nil {
		return err
	}
	return s.freeze(ctx, name)
}
