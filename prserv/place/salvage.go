package place

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"

	"prserver/prserv/dbfile"
	"prserver/prserv/place/pages"
	"prserver/prserv/place/sqldump"
	"prserver/prserv/store"
)

// errNoRow is returned where nothing can be salvaged.
var errNoRow = errors.New("no row of a PR server can be read in it")

// salvage reads what it can of a place: what a damaged file still has, and of a
// sound place the rows that are PR values. It tells whether that is all there was.
func (w *Work) salvage(ctx context.Context, s *scratch, p Place, name string) (t *table, whole bool, err error) {
	switch p.Kind {
	case Database:
		return w.salvageFile(ctx, s, p, name)
	case SQL:
		return w.salvageDump(ctx, s, p, name)
	case Server:
		return w.salvageSound(ctx, s, p, name)
	}
	return nil, false, fmt.Errorf("%s is not to be salvaged; --salvage is for database files, dumps and servers", p)
}

// salvageSound reads a place that is not damaged, and leaves out the rows that are
// no PR values, which any client can have imported.
func (w *Work) salvageSound(ctx context.Context, s *scratch, p Place, name string) (*table, bool, error) {
	t, err := w.read(ctx, s, p, name, readOptions{lenient: true})
	if err != nil {
		return nil, false, err
	}
	left := leftOut{place: p, warn: w.warn}
	err = s.walkTable(ctx, t, "SELECT version, pkgarch, checksum, value FROM "+t.from+" WHERE "+t.generation.badRows(), nil,
		func(row []driver.Value) error {
			left.add(row)
			return nil
		})
	if err != nil || left.n == 0 {
		return t, true, err
	}
	w.warn("%s was read whole; rows left out, because they are no PR values: %d", p, left.n)
	good, err := s.selectInto(ctx, name+"_good", t, "NOT "+t.generation.badRows())
	if err != nil {
		return nil, false, err
	}
	good.repeats = t.repeats
	return good, false, nil
}

// salvageFile reads a database file, page by page if SQLite finds that it is
// not sound.
func (w *Work) salvageFile(ctx context.Context, s *scratch, p Place, name string) (*table, bool, error) {
	fail := func(err error) (*table, bool, error) { return nil, false, fileError(p, "reading", err) }
	if err := checkFile(p.Name); err != nil {
		return fail(dbfile.Reason(err))
	}
	sound, err := isSound(ctx, p.Name)
	switch {
	case err != nil:
		return fail(err)
	case sound:
		return w.salvageSound(ctx, s, p, name)
	}
	f, err := pages.Open(p.Name)
	if err != nil {
		return fail(dbfile.Reason(err))
	}
	defer f.Close()
	tell := func(part float64) { w.progress(Progress{"reading " + p.String(), 0, part}) }
	wanted := func(table string) bool { return generationOf(table) != nil }
	rows := salvaged{left: leftOut{place: p, warn: w.warn}}
	var damage pages.Damage
	t, err := s.stage(ctx, name+"_rows", func(to *stager) (*generation, error) {
		damage, err = f.Walk(ctx, wanted, tell, func(r pages.Record) error {
			v := r.Values
			if isRow := !r.Index && len(v) == columns; isRow {
				return rows.add(to, generationOfValue(v[3]), store.Row{Version: v[0], Pkgarch: v[1], Checksum: v[2], Value: v[3]})
			}
			// The index of BitBake 2.10's table has all of a row, and the rowid.
			if r.Index && len(v) == columns+1 && generationOfValue(v[3]) == generation3 {
				return rows.add(to, generation3, store.Row{Version: v[0], Pkgarch: v[1], Checksum: v[2], Value: v[3]})
			}
			return nil
		})
		return rows.generation(), err
	})
	if err != nil {
		return fail(err)
	}
	t.place, t.mixed = p, rows.both()
	if t.rows == 0 {
		return fail(errNoRow)
	}
	if err := rows.givenOnly(ctx, s, t); err != nil {
		return fail(err)
	}
	if t, err = s.distinct(ctx, name, t); err != nil {
		return fail(err)
	}
	w.warn("%s is damaged; rows that could be read: %d; pages that could not, or not all of them: %d of %d", p, t.rows, damage.Pages, damage.OfPages)
	rows.left.tell()
	return t, false, w.tellMissing(ctx, s, f, t, name+"_keys")
}

// generationOfValue returns the generation whose table stores such a value.
func generationOfValue(value any) *generation {
	if _, isText := value.(string); isText {
		return generation3
	}
	return generation1
}

// isSound asks SQLite whether a database file is sound. The error is one of a
// file that cannot be read for another reason.
func isSound(ctx context.Context, file string) (bool, error) {
	s, err := openScratch(ctx)
	if err != nil {
		return false, err
	}
	defer s.close()
	sound := true
	if err = s.attachToRead(ctx, file, "tried"); err == nil {
		err = s.faults(ctx, "tried.integrity_check(1)", func(string) error { sound = false; return nil })
	}
	if err != nil && errors.Is(err, store.ErrDamaged) { // also what is no database any more
		return false, nil
	}
	return sound, err
}

// tellMissing warns of the rows that an index names and the table does not have.
func (w *Work) tellMissing(ctx context.Context, s *scratch, f *pages.File, t *table, name string) error {
	keys, err := s.stage(ctx, name, func(to *stager) (*generation, error) {
		wanted := func(table string) bool { return table == generation1.table }
		_, err := f.Walk(ctx, wanted, func(float64) {}, func(r pages.Record) error {
			v := r.Values
			if !r.Index || len(v) != columns {
				return nil
			}
			row := store.Row{Version: v[0], Pkgarch: v[1], Checksum: v[2], Value: int64(0)} // the last one is the rowid
			if !looksIssued(row) {
				return nil
			}
			return to.add(row)
		})
		return generation1, err
	})
	if err != nil {
		return err
	}
	if t.mixed {
		if err := s.givenOnly(ctx, keys); err != nil {
			return err
		}
	}
	missing := 0
	err = s.walk(ctx, "SELECT DISTINCT version, pkgarch, checksum FROM "+keys.from+
		" EXCEPT SELECT version, pkgarch, checksum FROM "+t.from, nil, func(row []driver.Value) error {
		if missing++; missing <= maxProblems {
			w.warn("%s: the row %s is missing; its index still has it, but not its value", t.place, shown(row))
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case missing == 0:
		w.warn("%s: no row is known to be missing, but some may be", t.place)
	default:
		w.warn("%s: rows that are missing, at least: %d; merge the last backup as well, which may have them", t.place, missing)
	}
	return nil
}

// salvageDump reads what it can of a dump, or of what .recover has written. Standard
// input is not read a second time to find out whether it is sound.
func (w *Work) salvageDump(ctx context.Context, s *scratch, p Place, name string) (*table, bool, error) {
	if p.isFile() {
		if t, whole, err := w.salvageSound(ctx, s, p, name+"_sound"); err == nil || ctx.Err() != nil {
			return t, whole, err
		}
	}
	rows := salvaged{left: leftOut{place: p, warn: w.warn}}
	var damage sqldump.Damage
	var dump *sqldump.Reader
	t, err := w.readText(ctx, s, p, name+"_rows", func(in io.Reader, to *stager) (*generation, error) {
		dump = sqldump.NewReader(in)
		var err error
		damage, err = dump.Salvage(func(table string, row store.Row) error { return rows.add(to, generationOf(table), row) })
		if !rows.older && (rows.newer || !dump.Made(generation1.table) && dump.Made(generation3.table)) {
			return generation3, err
		}
		return rows.generation(), err
	})
	if err != nil {
		return nil, false, err
	}
	if t.rows == 0 && damage.First != nil {
		return nil, false, fmt.Errorf("reading %s: %w", p, errNoRow)
	}
	t.mixed = rows.both()
	if err := rows.givenOnly(ctx, s, t); err != nil {
		return nil, false, err
	}
	if t, err = s.distinct(ctx, name, t); err != nil {
		return nil, false, err
	}
	for _, what := range dump.Skipped() {
		w.warn("%s has the %s as well, which is left out", p, what)
	}
	if damage.First == nil { // rows that are no PR values are told
		if rows.left.n > 0 {
			w.warn("%s was read whole; rows left out, because they are no PR values: %d", p, rows.left.n)
		}
		return t, rows.left.n == 0, nil
	}
	rows.left.tell()
	w.warn("%s:%d: %v", p, damage.Line, damage.First)
	if damage.More > 0 {
		w.warn("%s: other statements that could not be read: %d", p, damage.More)
	}
	w.warn("%s is not whole; rows that could be read: %d; nobody knows how many are missing", p, t.rows)
	return t, false, nil
}

// salvaged takes the rows of a damaged place that look as if a PR server had
// issued them.
type salvaged struct {
	older, newer bool // whether there are rows of either generation
	left         leftOut
}

func (r *salvaged) add(to *stager, of *generation, row store.Row) error {
	if !looksIssued(row) {
		r.left.add([]driver.Value{row.Version, row.Pkgarch, row.Checksum, row.Value})
		return nil
	}
	r.older, r.newer = r.older || of == generation1, r.newer || of == generation3
	return to.add(row)
}

// generation returns the one that the rows are of.
func (r *salvaged) generation() *generation {
	if r.newer {
		return generation3
	}
	return generation1
}

// both tells whether there are rows of both tables.
func (r *salvaged) both() bool { return r.older && r.newer }

// givenOnly removes the rows that reserve a number, if there are rows of both
// tables.
func (r *salvaged) givenOnly(ctx context.Context, s *scratch, t *table) error {
	if !r.both() {
		return nil
	}
	return s.givenOnly(ctx, t)
}

// looksIssued tells whether a PR server is likely to have issued a row, and not
// chance. It takes less than checkRow does.
func looksIssued(row store.Row) bool {
	for _, v := range []store.Value{row.Version, row.Pkgarch, row.Checksum} {
		text, ok := v.(string)
		if !ok || !utf8.ValidString(text) {
			return false
		}
		for _, r := range text {
			if unicode.IsControl(r) {
				return false
			}
		}
	}
	value, ok := store.RevisionOf(row.Value)
	for _, number := range value {
		if number < 0 || number > maxWireValue {
			return false
		}
	}
	return row.Version != "" && ok
}
