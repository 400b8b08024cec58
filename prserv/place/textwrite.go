package place

import (
	"bufio"
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"math"
	"unicode/utf8"
)

// copyToText writes a dump or configuration. What an existing one has is
// merged, so that none of its values is lost or lowered.
func (w *Work) copyToText(ctx context.Context, b *base, in *table, dst Place, o CopyOptions) (out Copied, err error) {
	exists, err := isFile(dst)
	if err != nil {
		return Copied{}, err
	}
	if exists && !o.Replace {
		old, err := w.read(ctx, b, dst, "old", reading{})
		if err != nil {
			return Copied{}, err
		}
		if in, out, err = w.join(ctx, b, in, old); err != nil {
			return Copied{}, err
		}
	} else {
		out.New = in.rows
	}
	var p *part
	to := w.Stdout
	if dst.Name != standard {
		if p, err = newPart(dst.Name); err != nil {
			return Copied{}, err
		}
		to = p.handle
	}
	left, err := w.writeText(ctx, b, in, dst, to, o.All)
	out.Left += left
	if !exists || o.Replace {
		out.New -= left
	}
	if err != nil {
		if p != nil {
			p.abandon()
		}
		return Copied{}, fmt.Errorf("writing %s: %w", dst, reasonOf(err))
	}
	if p != nil {
		return out, p.finish(!exists)
	}
	return out, nil
}

// writeText writes rows, and returns how many it has left out.
func (w *Work) writeText(ctx context.Context, b *base, in *table, dst Place, to io.Writer, all bool) (left int64, err error) {
	out := bufio.NewWriterSize(to, 256<<10)
	if dst.Kind == SQL {
		return 0, w.writeDump(ctx, b, in, dst, out)
	}
	var unfit int64
	inc := &incWriter{out: out, unfit: func(r Row) {
		if unfit++; unfit <= 10 {
			w.warn("%s %s %s is left out: BitBake cannot read a variable of this name", r.Version, r.Pkgarch, r.Checksum)
		}
	}}
	put, flush := inc.add, func() error { return nil }
	if !all {
		best := &greatest{f: inc.add}
		put, flush = best.add, best.flush
	}
	var n int64
	err = b.each(ctx, in, func(r Row) error {
		if n++; n%tellEvery == 0 {
			w.progress(Progress{"writing " + dst.String(), n, float64(n) / float64(in.rows)})
		}
		return put(r)
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return 0, err
	}
	if unfit > 10 {
		w.warn("%d more rows are left out because of their names", unfit-10)
	}
	return in.rows - inc.rows, inc.end(in.generation)
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
	out := *t
	out.from = "main.numbered"
	_, err := b.exec(ctx, "CREATE TABLE "+out.from+" AS SELECT version, pkgarch, checksum, value FROM "+t.from)
	return &out, err
}

// join merges the rows of a text that exists with those that it is to get.
// Where it has nothing that those do not have, they are what it becomes.
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
	if both.rows == in.rows {
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
	return "INSERT INTO " + to.from + " SELECT version, pkgarch, checksum, value FROM " + t.from + " WHERE true ON CONFLICT " + rule
}
