package place

import (
	"bufio"
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"math"
	"os"
	"unicode/utf8"

	"prserver/prserv/dbfile"
)

// copyToText writes a dump or configuration. What an existing one has is
// merged, so that none of its values is lost or lowered.
func (w *Work) copyToText(ctx context.Context, b *base, in *table, dst Place, o CopyOptions) (out Copied, err error) {
	var r *dbfile.Replacement
	var file os.FileInfo
	to := w.Stdout
	if dst.Name != standard {
		// It is looked at with the draft in hand: what another program wrote in
		// between would be lost.
		if r, err = dbfile.Replace(dst.Name); err != nil {
			return Copied{}, err
		}
		defer r.Abandon()
		if file, err = existing(dst); err != nil {
			return Copied{}, err
		}
		to = r.Draft
	}
	left := in.rows
	if o.Generation != 0 {
		if in, _, err = w.convert(ctx, b, in, o.Generation); err != nil {
			return Copied{}, err
		}
	}
	if dst.Kind == Inc {
		if in, err = w.fit(ctx, b, in, o.All); err != nil {
			return Copied{}, err
		}
	}
	left -= in.rows
	if file != nil && file.Size() > 0 && !o.Replace {
		old, err := w.read(ctx, b, dst, "old", reading{})
		if err != nil {
			return Copied{}, err
		}
		if o.Generation != 0 && o.Generation != old.generation {
			return Copied{}, fmt.Errorf("writing %s: it has the table %s; write it anew with --replace, or name a new file",
				dst, schemas[old.generation].name)
		}
		if in, out, err = w.join(ctx, b, in, old); err != nil {
			return Copied{}, err
		}
	} else {
		out.New = in.rows
	}
	out.Left = left
	if err := w.writeText(ctx, b, in, dst, to); err != nil {
		return Copied{}, fmt.Errorf("writing %s: %w", dst, dbfile.Reason(err))
	}
	if r != nil {
		return out, r.Finish(file)
	}
	return out, nil
}

// fit makes a table of those rows that BitBake can read as variables, and
// without all, that hold the greatest value of their version and pkgarch.
func (w *Work) fit(ctx context.Context, b *base, in *table, all bool) (*table, error) {
	if !all {
		var err error
		if in, err = b.some(ctx, "most", in.greatest(), "true"); err != nil {
			return nil, err
		}
	}
	const isFit = "is_variable(version, pkgarch, checksum)"
	unfit := 0
	err := b.ofTable(ctx, in, "SELECT version, pkgarch, checksum FROM "+in.from+" WHERE NOT "+isFit, nil, func(row []driver.Value) error {
		if unfit++; unfit <= 10 {
			w.warn("%s is left out: BitBake cannot read a variable of this name", shown(row))
		}
		return nil
	})
	if err != nil || unfit == 0 {
		return in, err
	}
	if unfit > 10 {
		w.warn("%d more rows are left out because of their names", unfit-10)
	}
	return b.some(ctx, "fit", in, isFit)
}

// writeText writes rows.
func (w *Work) writeText(ctx context.Context, b *base, in *table, dst Place, to io.Writer) error {
	out := bufio.NewWriterSize(to, 256<<10)
	if dst.Kind == SQL {
		return w.writeDump(ctx, b, in, dst, out)
	}
	inc := &incWriter{out: out}
	var n int64
	err := b.each(ctx, in, func(r Row) error {
		if n++; n%tellEvery == 0 {
			w.progress(Progress{"writing " + dst.String(), n, float64(n) / float64(in.rows)})
		}
		return inc.add(r)
	})
	if err != nil {
		return err
	}
	return inc.end(in.generation)
}

// dumpRows makes the lines of the next 500 rows behind a rowid, and returns the
// rowid and the number of them. The third column is 0 where a row is not among
// the lines, being so long that it would be held in memory too many times.
const dumpRows = `SELECT group_concat(line, ''), max(r), count(*) = count(line), count(*) FROM (
	SELECT rowid AS r, iif(octet_length(version) + octet_length(pkgarch) + octet_length(checksum) < 4000, %[1]s, NULL) AS line
	FROM %[2]s WHERE rowid > ?1 ORDER BY rowid LIMIT 500)`

// dumpLong makes the lines of rows one by one.
const dumpLong = `SELECT %[1]s FROM %[2]s WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid`

// writeDump writes rows as dump_db does.
func (w *Work) writeDump(ctx context.Context, b *base, in *table, dst Place, out *bufio.Writer) error {
	in, err := b.numbered(ctx, in)
	if err != nil {
		return err
	}
	schema := schemas[in.generation]
	fmt.Fprintf(out, "BEGIN TRANSACTION;\n%s\n", schema.create) // Flush tells of errors
	value := "%d"
	if in.generation == revisions {
		value = "%Q"
	}
	line := fmt.Sprintf(`printf('INSERT INTO "%s" VALUES(%%Q,%%Q,%%Q,%s);' || char(10), version, pkgarch, checksum, value)`,
		schema.name, value)
	many, long := fmt.Sprintf(dumpRows, line, in.from), fmt.Sprintf(dumpLong, line, in.from)
	put := func(lines driver.Value) error {
		text, _ := lines.(string)
		if !utf8.ValidString(text) {
			return fmt.Errorf("a row is no text in UTF-8: %w", errBadRow)
		}
		_, err := out.WriteString(text)
		return err
	}
	last, done := int64(math.MinInt64), int64(0)
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		from, short := last, true
		err := b.query(ctx, many, []driver.Value{from}, func(row []driver.Value) error {
			if last, more = row[1].(int64); !more {
				return nil
			}
			n, _ := row[3].(int64)
			done += n
			if short = row[2] == int64(1); short {
				return put(row[0])
			}
			return nil
		})
		if err == nil && !short {
			err = b.query(ctx, long, []driver.Value{from, last}, func(row []driver.Value) error { return put(row[0]) })
		}
		if err != nil {
			return err
		}
		w.progress(Progress{"writing " + dst.String(), done, float64(done) / float64(max(in.rows, 1))})
	}
	fmt.Fprint(out, "COMMIT;\n")
	return out.Flush()
}

// numbered makes a table that has rowids of one that has none.
func (b *base) numbered(ctx context.Context, t *table) (*table, error) {
	if b.query(ctx, "SELECT rowid FROM "+t.from+" LIMIT 0", nil, nil) == nil {
		return t, nil
	}
	return b.some(ctx, "numbered", t, "true")
}

// join merges the rows of a text that exists with those that it is to get.
// Where it has nothing that those do not have, they are what it becomes, in
// their order.
func (w *Work) join(ctx context.Context, b *base, in, old *table) (*table, Copied, error) {
	fail := func(err error) (*table, Copied, error) { return nil, Copied{}, err }
	generation := max(in.generation, old.generation)
	in, _, err := w.convert(ctx, b, in, generation)
	if err != nil {
		return fail(err)
	}
	if old, _, err = w.convert(ctx, b, old, generation); err != nil {
		return fail(err)
	}
	both, before, err := b.distinct(ctx, "joined", old)
	if err != nil {
		return fail(err)
	}
	changed, err := b.exec(ctx, insertDistinct(both, in))
	if err != nil {
		return fail(err)
	}
	if both.rows, err = b.number(ctx, "SELECT count(*) FROM "+both.from); err != nil {
		return fail(err)
	}
	counts := Copied{New: both.rows - before}
	counts.Raised, counts.Kept = changed-counts.New, in.rows-changed
	key := "version, pkgarch, checksum"
	if generation == revisions {
		key += ", value"
	}
	more, err := b.number(ctx, "SELECT EXISTS (SELECT "+key+" FROM "+both.from+" EXCEPT SELECT "+key+" FROM "+in.from+")")
	if err != nil {
		return fail(err)
	}
	if more == 0 && both.rows == in.rows && in.rows <= sortFrom {
		greater, err := b.number(ctx, "SELECT count(*) FROM "+in.from+" AS i JOIN "+both.from+
			" AS o USING (version, pkgarch, checksum) WHERE o.value > i.value")
		if err != nil {
			return fail(err)
		}
		if greater == 0 || generation == revisions {
			return in, counts, nil
		}
	}
	return both, counts, nil
}

// distinct makes a table in which no key comes twice: of several values the
// greatest stays. It returns the number of its rows as well.
func (b *base) distinct(ctx context.Context, name string, t *table) (*table, int64, error) {
	out := &table{place: t.place, from: "main." + name, generation: t.generation}
	key := "version, pkgarch, checksum"
	if t.generation == revisions {
		key += ", value"
	}
	_, err := b.exec(ctx, "CREATE TABLE "+out.from+" (version, pkgarch, checksum, value, PRIMARY KEY ("+key+")); "+insertDistinct(out, t))
	if err != nil {
		return nil, 0, err
	}
	out.rows, err = b.number(ctx, "SELECT count(*) FROM "+out.from)
	return out, out.rows, err
}

// insertDistinct is the statement that adds rows to a table of distinct ones.
func insertDistinct(to, t *table) string {
	rule := "DO UPDATE SET value = excluded.value WHERE excluded.value > value"
	if to.generation == revisions {
		rule = "DO NOTHING"
	}
	return "INSERT INTO " + to.from + " SELECT version, pkgarch, checksum, value FROM " + t.from + " WHERE true" + inOrder(t) +
		" ON CONFLICT " + rule
}
