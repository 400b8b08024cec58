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
		in = in.alone()
	}
	n, err := w.fill(ctx, s, in, r)
	if err != nil {
		return Copied{}, fileError(dst, "writing", err)
	}
	return Copied{New: n, Left: left + in.rows - n}, r.Finish(old)
}

// fill makes a database of a draft, with the rows of a table, and returns how
// many it has. If they are of both tables, it makes both.
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
	if err == nil && in.mixed {
		if _, err = s.exec(ctx, generation1.create("dst_file")); err == nil {
			err = s.keepStep(ctx, "dst_file."+generation1.table, into)
		}
	}
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

// mergeRows stores rows in the attached file. If that has both tables, they are
// in step afterwards, whatever the generation.
func (w *Work) mergeRows(ctx context.Context, s *scratch, in *table, dst Place, of *generation) (Copied, error) {
	has, err := s.rowsOfTables(ctx)
	if err != nil {
		return Copied{}, err
	}
	if len(has) == 0 {
		return Copied{}, fmt.Errorf("%w; name a new file", errNoTable)
	}
	_, isOlder := has[generation1]
	var left int64
	switch {
	case of == nil && (has[generation3] > 0 || !isOlder):
		of = generation3
	case of == nil:
		of = generation1
	case of == generation1 && has[generation3] > 0:
		if in, left, err = w.convert(ctx, s, in, generation1); err != nil {
			return Copied{}, err
		}
		of, isOlder = generation3, true
	}
	used := []*generation{of}
	if of == generation3 && isOlder {
		used = generations
	}
	for _, g := range used {
		if err := s.prepareTable(ctx, has, g); err != nil {
			return Copied{}, err
		}
	}
	in, more, err := w.convert(ctx, s, in, of)
	if err != nil {
		return Copied{}, err
	}
	if len(used) > 1 && !isSame(in.place, dst) {
		if err := w.takeOver(ctx, s, dst); err != nil {
			return Copied{}, err
		}
	}
	into := "dst_file." + of.table
	copied, err := w.mergeIntoTable(ctx, s, in, dst, into)
	if err == nil && len(used) > 1 {
		err = s.keepStep(ctx, "dst_file."+generation1.table, into)
	}
	if err == nil {
		err = s.settle()
	}
	if err != nil {
		return Copied{}, err
	}
	copied.Left = left + more
	return copied, w.tellTwins(ctx, s, &table{place: dst, from: into, generation: of}, dst)
}

// rowsOfTables returns how many rows each table of the attached file has.
func (s *scratch) rowsOfTables(ctx context.Context) (map[*generation]int64, error) {
	has := map[*generation]int64{}
	err := s.walk(ctx, "SELECT name FROM dst_file.sqlite_master WHERE type = 'table'", nil, func(row []driver.Value) error {
		name, _ := row[0].(string)
		if of := generationOf(name); of != nil {
			has[of] = 0
		}
		return nil
	})
	for of := range has {
		if err == nil {
			has[of], err = s.number(ctx, "SELECT count(*) FROM dst_file."+of.table)
		}
	}
	return has, err
}

// prepareTable makes a table of the attached file, if it is not among those that
// the file has. The error is one of a table that has lost its key.
func (s *scratch) prepareTable(ctx context.Context, has map[*generation]int64, of *generation) error {
	if _, ok := has[of]; !ok {
		_, err := s.exec(ctx, of.create("dst_file"))
		return err
	}
	keyed, err := s.isKeyed(ctx, "dst_file", of)
	if err == nil && !keyed {
		err = lostKey(of)
	}
	return err
}

// mergeIntoTable stores rows in a table of the attached file.
func (w *Work) mergeIntoTable(ctx context.Context, s *scratch, in *table, dst Place, into string) (Copied, error) {
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
	copied := Copied{New: after - before, Kept: in.rows - changed}
	copied.Raised = changed - copied.New
	return copied, err
}

// takeOver brings the rows of a file's older table into its table of BitBake
// 2.10, whose numbers upstream lets begin at 0.
func (w *Work) takeOver(ctx context.Context, s *scratch, dst Place) error {
	own := &table{place: dst, generation: generation1,
		from: "(SELECT version, pkgarch, checksum, value FROM dst_file." + generation1.table + " WHERE NOT " + isReserved + ")"}
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
