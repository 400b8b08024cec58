package place

import (
	"context"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"

	"prserver/prserv/dbfile"
)

// write makes a database file, or merges rows into an existing one.
func (databaseKind) write(ctx context.Context, w *Work, s *scratch, in *table, dst Place, o CopyOptions) (Copied, error) {
	if in.mixed && o.Generation == 0 {
		return Copied{}, bothGenerations(in.place.String())
	}
	// The draft comes before the look at the file: what another program wrote
	// in between would be lost.
	r, err := dbfile.Replace(dst.Name)
	if err != nil {
		return Copied{}, err
	}
	defer r.Abandon()
	old, err := existing(dst)
	if err != nil {
		return Copied{}, err
	}
	if old != nil && old.Size() > 0 {
		r.Abandon()
		return w.mergeIntoFile(ctx, s, in, dst, generationBy(o.Generation))
	}
	if old != nil { // a server may be about to fill it
		claim, err := dbfile.Claim(dst.Name, dbfile.Options{})
		if err != nil {
			return Copied{}, fileError(dst, "writing", err)
		}
		defer claim.Release()
	}
	if err := dbfile.CheckCompanions(dst.Name); err != nil {
		return Copied{}, fmt.Errorf("writing %s: %w", dst, err)
	}
	left := int64(0)
	if of := generationBy(o.Generation); of != nil {
		if in, left, err = w.convert(ctx, s, in, of); err != nil {
			return Copied{}, err
		}
	}
	n, err := w.fill(ctx, s, in, r)
	if err != nil {
		return Copied{}, fileError(dst, "writing", err)
	}
	return Copied{New: n, Left: left + in.rows - n}, r.Finish(old)
}

// fill makes a database of a draft, with the rows of a table, and returns how
// many it has.
func (w *Work) fill(ctx context.Context, s *scratch, in *table, r *dbfile.Replacement) (n int64, err error) {
	if err := s.attach(ctx, r.Draft.Name(), "dst_file", "mode=rw"); err != nil {
		return 0, err
	}
	// Nobody has it yet, and it is synced as a whole in the end.
	_, err = s.exec(ctx, `PRAGMA dst_file.journal_mode = OFF; PRAGMA dst_file.synchronous = OFF; `+
		in.generation.create("dst_file"))
	if err != nil {
		return 0, err
	}
	size := func() float64 { // rows and index take some three times the texts
		info, err := os.Stat(r.Draft.Name())
		if err != nil || in.rows == 0 {
			return 0
		}
		return float64(info.Size()) / float64(in.rows*150)
	}
	into := "dst_file." + in.generation.table
	insert := in.insertInto(into)
	if in.keyed {
		// SQLite copies the table and its index as they are, if nothing stands
		// in the statement but both tables.
		insert = "INSERT INTO " + into + " SELECT * FROM " + in.from
	}
	end := w.watch("writing "+filepath.Base(r.Path), in.rows, size)
	_, err = s.exec(ctx, insert)
	end()
	if err != nil {
		return 0, err
	}
	if n, err = s.number(ctx, "SELECT count(*) FROM "+into); err != nil {
		return 0, err
	}
	if err := s.settle(); err != nil {
		return 0, err
	}
	s.unfreeze()
	_, err = s.exec(ctx, "DETACH dst_file")
	return n, err
}

// mergeIntoFile stores rows in an existing file. The generation is that of the
// table to take, or nil for the one that has rows.
func (w *Work) mergeIntoFile(ctx context.Context, s *scratch, in *table, dst Place, of *generation) (copied Copied, err error) {
	err = s.changeFile(ctx, dst, func() error {
		copied, err = w.mergeRows(ctx, s, in, dst, of)
		return err
	})
	if err != nil {
		return Copied{}, err
	}
	return copied, nil
}

// changeFile attaches an existing file as dst_file, and makes a change of it in
// one transaction.
func (s *scratch) changeFile(ctx context.Context, dst Place, change func() error) error {
	fail := func(err error) error { return fileError(dst, "writing", err) }
	if writer := dbfile.UnseenWriter(dst.Name); writer != nil && writer.Cut {
		return fail(fmt.Errorf("%s writes to a file in its place that has been removed or replaced, and would damage this one; "+
			"name its HOST:PORT instead", writer))
	}
	claim, err := dbfile.Claim(dst.Name, dbfile.Options{})
	if err != nil {
		return fail(err)
	}
	defer claim.Release()
	file, err := filepath.Abs(dst.Name)
	if err != nil {
		return fail(err)
	}
	if err := s.attach(ctx, file, "dst_file", "mode=rw"); err != nil {
		return fail(err)
	}
	changed := false
	defer func() { // before the claim ends
		s.unfreeze()
		s.exec(context.Background(), "DETACH dst_file")
		if !changed {
			// Where a disk is full, SQLite leaves the file half written. Whoever
			// reads it next takes that back.
			openOnce(context.Background(), file, "mode=rw")
		}
	}()
	if _, err := s.exec(ctx, "PRAGMA dst_file.synchronous = EXTRA; BEGIN IMMEDIATE"); err != nil {
		return fail(err)
	}
	if err = change(); err == nil {
		_, err = s.exec(ctx, "COMMIT")
	}
	if err != nil {
		s.exec(context.Background(), "ROLLBACK") // or SQLite has done so itself
		return fail(err)
	}
	changed = true
	return nil
}

// mergeRows stores rows in the attached file.
func (w *Work) mergeRows(ctx context.Context, s *scratch, in *table, dst Place, of *generation) (Copied, error) {
	has := map[*generation]bool{}
	err := s.walk(ctx, "SELECT name FROM dst_file.sqlite_master WHERE type = 'table'", nil, func(row []driver.Value) error {
		name, _ := row[0].(string)
		has[generationOf(name)] = true
		return nil
	})
	if err == nil && of == nil {
		of, err = s.usedTable(ctx, has)
	}
	switch {
	case err != nil:
		return Copied{}, err
	case !has[generation1] && !has[generation3]:
		return Copied{}, fmt.Errorf("%w; name a new file", errNoTable)
	case !has[of]:
		if _, err := s.exec(ctx, of.create("dst_file")); err != nil {
			return Copied{}, err
		}
	}
	keyed, err := s.isKeyed(ctx, "dst_file", of)
	if err != nil {
		return Copied{}, err
	}
	if !keyed {
		return Copied{}, lostKey(of)
	}
	in, left, err := w.convert(ctx, s, in, of)
	if err != nil {
		return Copied{}, err
	}
	if of == generation3 && has[generation1] && !isSame(in.place, dst) {
		if err := w.takeOver(ctx, s, dst); err != nil {
			return Copied{}, err
		}
	}
	into := "dst_file." + of.table
	count := "SELECT count(*) FROM " + into
	before, err := s.number(ctx, count)
	if err != nil {
		return Copied{}, err
	}
	end := w.watch("merging into "+dst.String(), in.rows, unknownPart)
	changed, err := s.exec(ctx, in.insertInto(into))
	end()
	if err != nil {
		return Copied{}, err
	}
	after, err := s.number(ctx, count)
	if err != nil {
		return Copied{}, err
	}
	copied := Copied{New: after - before, Left: left}
	copied.Raised = changed - copied.New
	copied.Kept = in.rows - changed
	if err := s.settle(); err != nil {
		return Copied{}, err
	}
	return copied, w.tellTwins(ctx, s, &table{place: dst, from: into, generation: of}, dst)
}

// usedTable returns the generation of that table of the attached file which has
// rows. An empty one counts for nothing, as where a file is read. Has are the
// tables of the file.
func (s *scratch) usedTable(ctx context.Context, has map[*generation]bool) (*generation, error) {
	if !has[generation1] || !has[generation3] {
		if has[generation3] {
			return generation3, nil
		}
		return generation1, nil
	}
	older, err := s.number(ctx, "SELECT EXISTS (SELECT 1 FROM dst_file."+generation1.table+")")
	if err != nil {
		return nil, err
	}
	newer, err := s.number(ctx, "SELECT EXISTS (SELECT 1 FROM dst_file."+generation3.table+")")
	switch {
	case err != nil:
		return nil, err
	case newer == 0:
		return generation1, nil
	case older == 0:
		return generation3, nil
	}
	return nil, bothGenerations("it")
}

// takeOver brings the rows of a file's older table into its table of BitBake
// 2.10, whose numbers upstream lets begin at 0.
func (w *Work) takeOver(ctx context.Context, s *scratch, dst Place) error {
	own := &table{place: dst, from: "dst_file." + generation1.table, generation: generation1}
	err := s.refuseBadRows(ctx, own)
	if err == nil {
		own.rows, err = s.number(ctx, "SELECT count(*) FROM "+own.from)
	}
	if err != nil {
		return err
	}
	own, _, err = w.convert(ctx, s, own, generation3)
	if err != nil {
		return err
	}
	n, err := s.exec(ctx, own.insertInto("dst_file."+generation3.table))
	if err == nil && n > 0 {
		w.warn("%s: values were copied from its table %s into %s: %d", dst, generation1.table, generation3.table, n)
	}
	return err
}
