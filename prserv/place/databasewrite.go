package place

import (
	"context"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"

	"prserver/prserv"
	"prserver/prserv/dbfile"
)

// sortFrom is the number of rows from which on they are stored in the order of
// their key. Below, a file keeps the order of what it is made from; above, its
// index would not stay in memory, and each row would cost a read and a write.
var sortFrom int64 = 400_000

// copyToFile makes a database file, or merges rows into an existing one.
func (w *Work) copyToFile(ctx context.Context, b *base, in *table, dst Place, generation int) (Copied, error) {
	// It is looked at with the draft in hand: what another program wrote in
	// between would be lost.
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
		return w.merge(ctx, b, in, dst, generation)
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
	if generation == 0 {
		generation = in.generation
	}
	in, left, err := w.convert(ctx, b, in, generation)
	if err != nil {
		return Copied{}, err
	}
	n, err := w.fill(ctx, b, in, r)
	if err != nil {
		return Copied{}, fileError(dst, "writing", err)
	}
	return Copied{New: n, Left: left + in.rows - n}, r.Finish(old)
}

// fill makes a database of a draft, with the rows of a table, and returns how
// many it has.
func (w *Work) fill(ctx context.Context, b *base, in *table, r *dbfile.Replacement) (n int64, err error) {
	if err := b.attach(ctx, r.Draft.Name(), "dst_file", "mode=rw"); err != nil {
		return 0, err
	}
	// Nobody has it yet, and it is synced as a whole in the end.
	_, err = b.exec(ctx, `PRAGMA dst_file.journal_mode = OFF; PRAGMA dst_file.synchronous = OFF; `+
		createIn("dst_file", in.generation))
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
	end := w.watch("writing "+filepath.Base(r.Path), in.rows, size)
	_, err = b.exec(ctx, insertInto("dst_file", in))
	end()
	if err != nil {
		return 0, err
	}
	if n, err = b.number(ctx, "SELECT count(*) FROM dst_file."+schemas[in.generation].name); err != nil {
		return 0, err
	}
	b.letGo()
	_, err = b.exec(ctx, "DETACH dst_file")
	return n, err
}

// createIn is the statement that makes the table of a generation in an
// attached file.
func createIn(schema string, generation int) string {
	t := schemas[generation]
	return "CREATE TABLE " + schema + "." + t.create[len("CREATE TABLE "):]
}

// insertInto is the statement that stores rows by importone's rule.
func insertInto(schema string, in *table) string {
	insert := "INSERT INTO " + schema + "." + schemas[in.generation].name +
		" SELECT version, pkgarch, checksum, value FROM " + in.from
	switch {
	case in.generation == revisions:
		return "INSERT OR IGNORE" + insert[len("INSERT"):] + inOrder(in)
	case in.keyed:
		// SQLite copies the table and its index as they are, if nothing stands
		// in the statement but both tables.
		return "INSERT INTO " + schema + "." + schemas[in.generation].name + " SELECT * FROM " + in.from
	}
	return insert + " WHERE true" + inOrder(in) +
		" ON CONFLICT DO UPDATE SET value = excluded.value WHERE excluded.value > value"
}

// inOrder is how the rows of a table are ordered to be stored.
func inOrder(t *table) string {
	if t.rows <= sortFrom {
		return ""
	}
	return " ORDER BY version, pkgarch, checksum"
}

// merge stores rows in an existing file, in one transaction.
func (w *Work) merge(ctx context.Context, b *base, in *table, dst Place, generation int) (Copied, error) {
	fail := func(err error) (Copied, error) { return Copied{}, fileError(dst, "writing", err) }
	claim, err := dbfile.Claim(dst.Name, dbfile.Options{})
	if err != nil {
		return fail(err)
	}
	defer claim.Release()
	file, err := filepath.Abs(dst.Name)
	if err != nil {
		return fail(err)
	}
	if err := b.attach(ctx, file, "dst_file", "mode=rw"); err != nil {
		return fail(err)
	}
	merged := false
	defer func() { // before the claim ends
		b.letGo()
		b.exec(context.Background(), "DETACH dst_file")
		if !merged {
			// Where a disk is full, SQLite leaves the file half written, for the
			// next to read it to take that back.
			look(context.Background(), file, "mode=rw")
		}
	}()
	if _, err := b.exec(ctx, "PRAGMA dst_file.synchronous = EXTRA; BEGIN IMMEDIATE"); err != nil {
		return fail(err)
	}
	out, err := w.mergeRows(ctx, b, in, dst, generation)
	if err == nil {
		_, err = b.exec(ctx, "COMMIT")
	}
	if err != nil {
		b.exec(context.Background(), "ROLLBACK") // or SQLite has done so itself
		return fail(err)
	}
	merged = true
	return out, nil
}

// mergeRows stores rows in the attached file.
func (w *Work) mergeRows(ctx context.Context, b *base, in *table, dst Place, generation int) (Copied, error) {
	has := map[int]bool{}
	err := b.query(ctx, "SELECT name FROM dst_file.sqlite_master WHERE type = 'table'", nil, func(row []driver.Value) error {
		name, _ := row[0].(string)
		has[generationOf(name)] = true
		return nil
	})
	switch {
	case err != nil:
		return Copied{}, err
	case !has[whole] && !has[revisions]:
		return Copied{}, fmt.Errorf("it is no PR database: it has neither a table %s nor %s; name a new file", prserv.Table, revisionTable)
	case generation == 0 && has[whole] && has[revisions]:
		if generation, err = b.usedTable(ctx); err != nil {
			return Copied{}, err
		}
	case generation == 0 && has[revisions]:
		generation = revisions
	case generation == 0:
		generation = whole
	}
	if !has[generation] {
		if _, err := b.exec(ctx, createIn("dst_file", generation)); err != nil {
			return Copied{}, err
		}
	}
	keyed, err := b.isKeyed(ctx, "dst_file", generation)
	if err != nil {
		return Copied{}, err
	}
	if !keyed {
		return Copied{}, fmt.Errorf("its table %s has lost its primary key; copy it to a new file first", schemas[generation].name)
	}
	in, left, err := w.convert(ctx, b, in, generation)
	if err != nil {
		return Copied{}, err
	}
	if generation == revisions && has[whole] && !isSameFile(in.place, dst) {
		if err := w.takeOver(ctx, b, dst); err != nil {
			return Copied{}, err
		}
	}
	count := "SELECT count(*) FROM dst_file." + schemas[generation].name
	before, err := b.number(ctx, count)
	if err != nil {
		return Copied{}, err
	}
	loose := *in // into a table that may have rows
	loose.keyed = false
	end := w.watch("merging into "+dst.String(), in.rows, func() float64 { return -1 })
	changed, err := b.exec(ctx, insertInto("dst_file", &loose))
	end()
	if err != nil {
		return Copied{}, err
	}
	after, err := b.number(ctx, count)
	if err != nil {
		return Copied{}, err
	}
	out := Copied{New: after - before, Left: left}
	out.Raised = changed - out.New
	out.Kept = in.rows - changed
	return out, nil
}

// usedTable returns the generation of that table of the attached file which has
// rows. An empty one counts for nothing, as where a file is read.
func (b *base) usedTable(ctx context.Context) (generation int, err error) {
	older, err := b.number(ctx, "SELECT EXISTS (SELECT 1 FROM dst_file."+prserv.Table+")")
	if err != nil {
		return 0, err
	}
	newer, err := b.number(ctx, "SELECT EXISTS (SELECT 1 FROM dst_file."+revisionTable+")")
	switch {
	case err != nil:
		return 0, err
	case newer == 0:
		return whole, nil
	case older == 0:
		return revisions, nil
	}
	return 0, bothGenerations("it")
}

// takeOver brings the rows of a file's older table into its table of BitBake
// 2.10, whose numbers upstream lets begin at 0.
func (w *Work) takeOver(ctx context.Context, b *base, dst Place) error {
	own := &table{place: dst, from: "dst_file." + prserv.Table, generation: whole}
	err := b.mustBeRows(ctx, own)
	if err == nil {
		own.rows, err = b.number(ctx, "SELECT count(*) FROM "+own.from)
	}
	if err != nil {
		return err
	}
	own, _, err = w.convert(ctx, b, own, revisions)
	if err != nil {
		return err
	}
	n, err := b.exec(ctx, insertInto("dst_file", own))
	if err == nil && n > 0 {
		w.warn("values of %s that were taken over from its table %s into %s: %d", dst, prserv.Table, revisionTable, n)
	}
	return err
}
