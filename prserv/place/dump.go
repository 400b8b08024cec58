package place

import (
	"bufio"
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"prserver/prserv/place/sqldump"
	"prserver/prserv/store"
)

// dumpKind is the kind of [SQL].
type dumpKind struct{}

func (dumpKind) removal() string { return "remove its line" }

func (dumpKind) refuse(dst Place, o CopyOptions, toItself bool) error {
	return cmp.Or(refuseAll(dst, o), refuseItself(dst, toItself))
}

func (dumpKind) read(ctx context.Context, w *Work, s *scratch, p Place, name string, o readOptions) (*table, error) {
	d := dumpParser{lenient: o.lenient}
	t, err := w.readText(ctx, s, p, name, d.parse)
	if errors.Is(err, sqldump.ErrCut) || errors.Is(err, sqldump.ErrRolledBack) || errors.Is(err, sqldump.ErrRecovered) {
		err = fmt.Errorf("%w; take what it has with %s DST", err, command("copy --salvage", p))
	}
	if err != nil {
		return nil, err
	}
	d.warn(w, p)
	t.repeats = true
	return d.united(ctx, s, t, name)
}

// united makes one table of both that the dump may have.
func (d *dumpParser) united(ctx context.Context, s *scratch, t *table, name string) (*table, error) {
	if !d.both() {
		return t, nil
	}
	if err := s.givenOnly(ctx, t); err != nil {
		return nil, err
	}
	t.mixed = true
	return s.distinct(ctx, name+"_distinct", t) // a key may be in both tables
}

// dumpParser makes rows of a dump.
type dumpParser struct {
	lenient bool // takes rows that no PR server issues
	// older takes no rows of the newer table.
	older bool
	dump  *sqldump.Reader
	rows  int64
	newer int64 // rows of the newer table
}

func (d *dumpParser) parse(in io.Reader, to *stager) (*generation, error) {
	d.dump = sqldump.NewReader(in)
	err := d.dump.Read(func(name string, row store.Row) error {
		d.rows++
		of := generationOf(name)
		if of == generation3 {
			if d.newer++; d.older {
				return nil
			}
		}
		if !d.lenient {
			if err := checkRow(row, of); err != nil {
				return err
			}
		}
		return to.add(row)
	})
	switch {
	case err != nil && d.dump.Line() > 0:
		return nil, &lineError{d.dump.Line(), err}
	case err != nil:
		return nil, err
	case !d.older && (d.newer > 0 || !d.dump.Made(generation1.table)):
		return generation3, nil
	}
	return generation1, nil
}

// both tells whether rows of both tables were taken.
func (d *dumpParser) both() bool { return !d.older && d.newer > 0 && d.newer < d.rows }

// warn tells about what the dump has besides the rows that count.
func (d *dumpParser) warn(w *Work, p Place) {
	for _, what := range d.dump.Skipped() {
		w.warn("%s also has the %s, which is left out", p, what)
	}
	if d.older && d.newer > 0 {
		w.warn("%s answers from its table %s; rows of its table %s, of BitBake 2.10 and later, were left out: %d",
			p, generation1.table, generation3.table, d.newer)
	}
}

// checkRow returns an error if no PR server could have issued a row.
func checkRow(row store.Row, of *generation) error {
	isGood := true
	for _, v := range []store.Value{row.Version, row.Pkgarch, row.Checksum} {
		text, ok := v.(string)
		isGood = isGood && ok && strings.IndexByte(text, 0) < 0 && utf8.ValidString(text)
	}
	switch v := row.Value.(type) {
	case int64:
	case string:
		_, ok := store.ParseRevision(v)
		isGood = isGood && ok && of.revisions
	default:
		isGood = false
	}
	if !isGood {
		return fmt.Errorf("the row %s: %w", shown([]driver.Value{row.Version, row.Pkgarch, row.Checksum, row.Value}), errBadRow)
	}
	return nil
}

// check finds rows that a dump has twice, so that SQLite cannot restore it.
func (dumpKind) check(ctx context.Context, c *checker, t *table) (sound bool, err error) {
	const do = "copy it to a new file with prserv-tool copy"
	return true, c.rowsOf(ctx, t, "SELECT version, pkgarch, checksum, max(value) FROM "+t.from+
		" GROUP BY "+t.generation.keyColumns()+" HAVING count(*) > 1",
		func(row []driver.Value) Problem {
			return Problem{fmt.Sprintf("the row %s comes more than once", shown(row)), do}
		}, func(n int) Problem {
			return Problem{fmt.Sprintf("%d more rows come more than once", n), do}
		})
}

func (k dumpKind) write(ctx context.Context, w *Work, s *scratch, in *table, dst Place, o CopyOptions) (Copied, error) {
	return w.writeText(ctx, s, k, in, dst, o)
}

// choose converts the rows, if that is asked for. Rows of both tables need both.
func (dumpKind) choose(ctx context.Context, w *Work, s *scratch, in *table, o CopyOptions) (*table, error) {
	if o.Generation == 0 {
		return in, nil
	}
	out, _, err := w.convert(ctx, s, in, generationBy(o.Generation))
	if err != nil {
		return nil, err
	}
	return out.alone(), nil
}

// dumpRows makes the lines of the next 500 rows behind a rowid, and returns the
// rowid and the number of them. The third column is 0 where a row is not among
// the lines, being so long that it would be held in memory too many times.
const dumpRows = `SELECT group_concat(line, ''), max(r), count(*) = count(line), count(*) FROM (
	SELECT rowid AS r, iif(octet_length(version) + octet_length(pkgarch) + octet_length(checksum) < 4000, %[1]s, NULL) AS line
	FROM %[2]s WHERE rowid > ?1 ORDER BY rowid LIMIT 500)`

// dumpLong makes the lines of rows one by one.
const dumpLong = `SELECT %[1]s FROM %[2]s WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid`

// print writes rows as dump_db does.
func (dumpKind) print(ctx context.Context, w *Work, s *scratch, t *table, dst Place, out *bufio.Writer) error {
	tables := []*table{t}
	if t.mixed {
		older := &table{from: "main." + generation1.table, generation: generation1, rows: t.rows}
		_, err := s.exec(ctx, generation1.create("main"))
		if err == nil {
			err = s.keepStep(ctx, older.from, t.from)
		}
		if err != nil {
			return err
		}
		tables = append(tables, older) // by name, as in dump_db
	}
	fmt.Fprint(out, "BEGIN TRANSACTION;\n") // Flush tells of errors
	for _, t := range tables {
		if err := w.printTable(ctx, s, t, dst, out); err != nil {
			return err
		}
	}
	fmt.Fprint(out, "COMMIT;\n")
	return nil
}

// printTable writes a table and its rows.
func (w *Work) printTable(ctx context.Context, s *scratch, t *table, dst Place, out *bufio.Writer) error {
	t, err := s.numbered(ctx, t)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, t.generation.schema)
	line := fmt.Sprintf(`printf('INSERT INTO "%s" VALUES(%%Q,%%Q,%%Q,%s);' || char(10), version, pkgarch, checksum, value)`,
		t.generation.table, t.generation.literal)
	many, long := fmt.Sprintf(dumpRows, line, t.from), fmt.Sprintf(dumpLong, line, t.from)
	put := func(lines driver.Value) error {
		text, _ := lines.(string)
		if !utf8.ValidString(text) {
			return fmt.Errorf("a row is not UTF-8: %w", errBadRow)
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
		err := s.walk(ctx, many, []driver.Value{from}, func(row []driver.Value) error {
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
			err = s.walk(ctx, long, []driver.Value{from, last}, func(row []driver.Value) error { return put(row[0]) })
		}
		if err != nil {
			return err
		}
		w.progress(Progress{"writing " + dst.String(), done, float64(done) / float64(max(t.rows, 1))})
	}
	return nil
}

// numbered returns a table that has rowids. A query and a table made WITHOUT
// ROWID have none.
func (s *scratch) numbered(ctx context.Context, t *table) (*table, error) {
	if s.walk(ctx, "SELECT rowid FROM "+t.from+" LIMIT 0", nil, nil) == nil {
		return t, nil
	}
	return s.selectInto(ctx, "numbered", t, "true")
}
