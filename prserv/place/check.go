package place

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"strings"

	"prserver/prserv/store/sqlite"
)

// Problem is something wrong with a place.
type Problem struct {
	What string // what is wrong
	Do   string // what to do about it
}

// maxProblems is how many of a kind are told one by one.
const maxProblems = 20

// checker looks for what is wrong with a place.
type checker struct {
	*Work
	base  *base
	place Place
	each  func(Problem) error
	found int
}

func (c *checker) problem(do, format string, args ...any) error {
	c.found++
	return c.each(Problem{What: fmt.Sprintf(format, args...), Do: do})
}

// Check calls each with what is wrong with a place. The error is one of a
// place that cannot be looked into at all.
func (w *Work) Check(ctx context.Context, p Place, each func(Problem) error) error {
	b, err := openBase(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	c := &checker{Work: w, base: b, place: p, each: each}
	t, err := w.read(ctx, b, p, "checked", reading{lenient: true})
	if p.Kind == File && isDamaged(err) {
		return c.damaged(err)
	}
	if err != nil {
		return err
	}
	if p.Kind == File {
		if err := c.integrity(ctx); err != nil || c.found > 0 {
			return err // what else there is to see may not be so
		}
		if err := c.tables(ctx); err != nil {
			return err
		}
	}
	if err := c.rows(ctx, t); err != nil {
		return err
	}
	if p.Kind == SQL {
		if err := c.twice(ctx, t); err != nil {
			return err
		}
	}
	return c.values(ctx, t)
}

// twice finds rows that a dump has twice, so that SQLite cannot restore it.
func (c *checker) twice(ctx context.Context, t *table) error {
	key := "version, pkgarch, checksum"
	if t.generation == revisions {
		key += ", value"
	}
	n := 0
	err := c.base.ofTable(ctx, t, "SELECT version, pkgarch, checksum, max(value) FROM "+t.from+" GROUP BY "+key+" HAVING count(*) > 1", nil,
		func(row []driver.Value) error {
			if n++; n > maxProblems {
				return nil
			}
			return c.problem("copy it to a new file with prserv-tool copy", "the row %s comes more than once", shown(row))
		})
	if err == nil && n > maxProblems {
		err = c.problem("copy it to a new file with prserv-tool copy", "%d more rows come more than once", n-maxProblems)
	}
	return err
}

// integrity finds out whether the file is sound.
func (c *checker) integrity(ctx context.Context) error {
	end := c.watch("checking "+c.place.String(), 0, func() float64 { return -1 })
	defer end()
	err := c.base.query(ctx, "PRAGMA checked_file.integrity_check(20)", nil, func(row []driver.Value) error {
		text, _ := row[0].(string)
		for line := range strings.SplitSeq(text, "\n") {
			if line == "ok" || strings.HasPrefix(line, "***") { // says in which database
				continue
			}
			if err := c.damaged(line); err != nil {
				return err
			}
		}
		return nil
	})
	if isDamaged(err) && c.found > 0 {
		return nil
	}
	if isDamaged(err) {
		return c.damaged(err)
	}
	return err
}

func (c *checker) damaged(what any) error {
	return c.problem("restore it from a backup, or save what can be read with sqlite3 FILE .recover, or .dump where that is not to be had", "it is damaged: %v", what)
}

// tables finds out whether the key of the table is lost, or whether BitBake 2.10
// has begun to count at 0.
func (c *checker) tables(ctx context.Context) error {
	tables := 0
	for _, generation := range []int{whole, revisions} {
		n, err := c.base.number(ctx, "SELECT count(*) FROM checked_file.sqlite_master WHERE type = 'table' AND name = ?", schemas[generation].name)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		tables++
		keyed, err := c.base.isKeyed(ctx, "checked_file", generation)
		if err == nil && !keyed {
			err = c.problem("copy it to a new file with prserv-tool copy, and serve that",
				"its table %s has lost its primary key, so a checksum may get several values", schemas[generation].name)
		}
		if err != nil {
			return err
		}
	}
	if tables < 2 {
		return nil
	}
	behind, err := c.base.number(ctx, `SELECT count(*) FROM (
		SELECT version, pkgarch, max(value) AS greatest FROM checked_file.`+sqlite.Table+` GROUP BY version, pkgarch) AS old
		WHERE greatest > ifnull((SELECT max(CAST(value AS INTEGER)) FROM checked_file.`+revisionTable+` AS new
			WHERE new.version = old.version AND new.pkgarch = old.pkgarch), -1)`)
	if err != nil || behind == 0 {
		return err
	}
	return c.problem(fmt.Sprintf("stop the server and run: prserv-tool copy --generation 3 %[1]s %[1]s", shellWord(c.place.Name)),
		"values in %s, where BitBake 2.10 begins at 0 again, are less than in %s, where it kept them up to 2.8; versions that have such: %d",
		revisionTable, sqlite.Table, behind)
}

// rows finds rows that no PR server has issued.
func (c *checker) rows(ctx context.Context, t *table) error {
	n := 0
	err := c.base.ofTable(ctx, t, "SELECT version, pkgarch, checksum, value FROM "+t.from+" WHERE "+badRows(t.generation), nil,
		func(row []driver.Value) error {
			if n++; n > maxProblems {
				return nil
			}
			return c.problem(c.remove()+"; the next value is the greatest of the others and one",
				"the row %s holds what no PR server issues", shown(row))
		})
	if err == nil && n > maxProblems {
		err = c.problem(c.remove()+" each time", "%d more rows hold what no PR server issues", n-maxProblems)
	}
	return err
}

// values finds values that lead to wrong answers.
func (c *checker) values(ctx context.Context, t *table) error {
	good := *t
	good.from = "(SELECT version, pkgarch, checksum, value FROM " + t.from + " WHERE NOT " + badRows(t.generation) + ")"
	if err := c.odd(ctx, &good, t.rows); err != nil {
		return err
	}
	shared := 0
	err := c.base.ofTable(ctx, t, `SELECT version, pkgarch, min(checksum), max(checksum), count(DISTINCT checksum), CAST(value AS TEXT)
		FROM `+good.greatest().from+` GROUP BY version, pkgarch HAVING min(checksum) <> max(checksum)`, nil,
		func(row []driver.Value) error {
			if shared++; shared > maxProblems {
				return nil
			}
			value, _ := row[5].(string)
			return c.problem(c.raise(row[0], row[1], row[3], value),
				"%v checksums of %s share its greatest value %s, so different packages get the same number: %s",
				row[4], shown(row[:2]), value, shown(row[2:3])+", "+shown(row[3:4]))
		})
	if err == nil && shared > maxProblems {
		err = c.problem("raise one of each", "%d more versions have checksums that share their greatest value", shared-maxProblems)
	}
	return err
}

// remove says how to remove a row.
func (c *checker) remove() string {
	switch c.place.Kind {
	case File:
		return "remove the row with sqlite3"
	case Server:
		return "stop the server and remove the row from its file with sqlite3"
	}
	return "remove its line"
}

// raise says how to raise a row above the greatest value.
func (c *checker) raise(version, pkgarch, checksum driver.Value, greatest string) string {
	v, _ := version.(string)
	p, _ := pkgarch.(string)
	sum, _ := checksum.(string)
	number, _ := parseRevision(greatest)
	reads, _ := Parse(c.place.Name, "inc") // as that command does
	if reads != c.place || c.place.Name == standard || !isVariable(v, p, sum) {
		return "raise one of them"
	}
	return fmt.Sprintf(`raise one of them: echo '%s%s$%s$%s = "%d"' | prserv-tool copy --format inc - %s`,
		rowPrefix, v, p, sum, number[0]+1, shellWord(c.place.Name))
}

// shellWord writes a name as a shell reads it.
func shellWord(name string) string {
	if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:/@%+-") == "" {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// odd finds rows that a PR server may have issued, but hardly has.
func (c *checker) odd(ctx context.Context, t *table, rows int64) error {
	var n int64
	odd := 0
	err := c.base.ofTable(ctx, t, "SELECT version, pkgarch, checksum, CAST(value AS TEXT) FROM "+t.from, nil, func(row []driver.Value) error {
		if n++; n%tellEvery == 0 {
			c.progress(Progress{"checking " + c.place.String(), n, float64(n) / float64(rows)})
		}
		what := "a text that is not UTF-8"
		if r, err := rowOf(row); err == nil {
			what = oddity(r)
		}
		if what == "" {
			return nil
		}
		if odd++; odd > maxProblems {
			return nil
		}
		return c.problem(c.remove()+", if it is no package of yours", "the row %s has %s", shown(row), what)
	})
	if err == nil && odd > maxProblems {
		err = c.problem(c.remove()+" each time", "%d more rows are as odd", odd-maxProblems)
	}
	return err
}

// oddity says what is odd about a row, which a PR server may have issued all
// the same, or "".
func oddity(r Row) string {
	value, _ := parseRevision(r.Value)
	switch {
	case r.Version == "":
		return "no version, so no export has it"
	case r.Pkgarch == "" || r.Checksum == "":
		return "no pkgarch or no checksum"
	case len(value) > 0 && value[0] < 0:
		return "a value below 0"
	case len(value) > 0 && value[0] > maxWireValue:
		return fmt.Sprintf("a value beyond %d, which the Python server cannot answer", maxWireValue)
	case len(value) > 0 && value[0] == math.MaxInt32:
		return "the greatest value that the Python server can answer; the next one fails"
	}
	return ""
}
