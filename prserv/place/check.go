package place

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"prserver/prserv/client"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite/query"
)

// Check calls each with what is wrong with a place, and returns how many rows
// it has, as far as they could be read, and the first error of each, or that of
// a place that cannot be looked into at all.
func (w *Work) Check(ctx context.Context, p Place, each func(Problem) error) (rows int64, err error) {
	s, err := openScratch(ctx)
	if err != nil {
		return 0, err
	}
	defer s.close()
	c := &checker{Work: w, scratch: s, place: p, removal: kinds[p.Kind].removal(), each: each}
	t, err := w.read(ctx, s, p, "checked", readOptions{lenient: true})
	bare := (*noChecksumError)(nil)
	switch {
	case isDamaged(err):
		var reason *store.Error // without the advice, which is the checker's
		errors.As(err, &reason)
		return 0, c.damaged(reason)
	case errors.Is(err, query.ErrNoDatabase):
		err = fmt.Errorf("%w; if it was one, save what can be read with %s rescued.sqlite3", err, command("copy --salvage", p))
	case errors.As(err, &bare):
		return 0, c.problem(bare.do(), "%s", bare.what())
	}
	if err != nil {
		return 0, err
	}
	sound, err := kinds[p.Kind].check(ctx, c, t)
	if err == nil && sound {
		if err = c.rows(ctx, t); err == nil {
			err = c.values(ctx, t)
		}
	}
	if err == nil {
		err = s.settle()
	}
	return t.rows, err
}

// rows finds rows that no PR server has issued.
func (c *checker) rows(ctx context.Context, t *table) error {
	return c.rowsOf(ctx, t, "SELECT version, pkgarch, checksum, value FROM "+t.from+" WHERE "+t.generation.badRows(),
		func(row []driver.Value) Problem {
			return Problem{fmt.Sprintf("the row %s holds what no PR server issues", shown(row)),
				c.removal + "; the next value is then one more than the greatest of the others"}
		}, func(n int) Problem {
			return Problem{fmt.Sprintf("%d more rows hold what no PR server issues", n), c.removal + " each time"}
		})
}

// values finds values that lead to wrong answers.
func (c *checker) values(ctx context.Context, t *table) error {
	good := *t
	good.from = "(SELECT version, pkgarch, checksum, value FROM " + t.from + " WHERE NOT " + t.generation.badRows() + ")"
	if err := c.odd(ctx, &good, t.rows); err != nil {
		return err
	}
	do := "give each a number of its own: " + command("raise-twins", c.place)
	return c.rowsOf(ctx, t, `SELECT version, pkgarch, min(checksum), max(checksum), count(DISTINCT checksum), CAST(value AS TEXT)
		FROM `+good.highest().from+` GROUP BY version, pkgarch HAVING min(checksum) <> max(checksum)`,
		func(row []driver.Value) Problem {
			value, _ := row[5].(string)
			return Problem{fmt.Sprintf("%v checksums of %s share its greatest value %s, so different packages get the same number: %s, %s",
				row[4], shown(row[:2]), value, shown(row[2:3]), shown(row[3:4])), do}
		}, func(n int) Problem {
			return Problem{fmt.Sprintf("%d more versions have checksums that share their greatest value", n), do}
		})
}

// shellWord writes a name as a shell reads it.
func shellWord(name string) string {
	if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:/@%+-") == "" {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// odd finds rows that a PR server may have issued, but most likely has not.
func (c *checker) odd(ctx context.Context, t *table, rows int64) error {
	var done int64
	return c.rowsOf(ctx, t, "SELECT version, pkgarch, checksum, CAST(value AS TEXT) FROM "+t.from,
		func(row []driver.Value) Problem {
			if done++; done%tellEvery == 0 {
				c.progress(Progress{"checking " + c.place.String(), done, float64(done) / float64(rows)})
			}
			what := "a text that is not UTF-8"
			if r, err := rowOf(row); err == nil {
				what = oddity(r, t.limit(), !t.noXML)
			}
			if what == "" {
				return Problem{}
			}
			return Problem{fmt.Sprintf("the row %s has %s", shown(row), what), "if it is not one of your packages, " + c.removal}
		}, func(n int) Problem {
			return Problem{fmt.Sprintf("%d more rows are odd in the same way", n), c.removal + " each time"}
		})
}

// oddity says what is odd about a row, which a PR server may have issued all
// the same, or "". Limit is the greatest number that can be given out, and overXML
// tells that XML-RPC may be spoken.
func oddity(r Row, limit int64, overXML bool) string {
	value, _ := store.ParseRevision(r.Value)
	switch {
	case r.Version == "":
		return "no version, so no export has it"
	case r.Pkgarch == "" || r.Checksum == "":
		return "no pkgarch or no checksum"
	case overXML && !(client.IsXMLText(r.Version) && client.IsXMLText(r.Pkgarch) && client.IsXMLText(r.Checksum)):
		return "a character that XML cannot carry, so an export to BitBake up to 1.50 breaks"
	case len(value) > 0 && value[0] < 0:
		return "a value below 0"
	case len(value) > 0 && value[0] > limit:
		return fmt.Sprintf("a value beyond %d, which BitBake up to 1.50 cannot be told", limit)
	case len(value) > 0 && value[0] == limit && limit == maxWireValue:
		return "the greatest value that BitBake up to 1.50 can be told; the next one fails there"
	case len(value) > 0 && value[0] == limit:
		return "the greatest value that there is; no number follows"
	}
	return ""
}
