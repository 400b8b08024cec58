package place

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"prserver/prserv/place/sqldump"
	"prserver/prserv/store"
)

// databaseKind is the kind of [Database].
type databaseKind struct{}

func (databaseKind) removal() string { return "remove the row with sqlite3" }

func (databaseKind) refuse(dst Place, o CopyOptions, toItself bool) error {
	err := cmp.Or(refuseAll(dst, o), refuseReplace(dst, o))
	if err == nil && toItself && o.Generation != store.Generation3 {
		err = fmt.Errorf("%s cannot be copied to itself; name a new file, or with --generation 3 give it the table of BitBake 2.10", dst)
	}
	return err
}

// tablesOf finds the tables of PR values in an attached file. An empty one of
// BitBake 2.10 beside an older one counts for nothing: upstream makes it when it
// first opens an older file.
func (w *Work) tablesOf(ctx context.Context, s *scratch, schema string, p Place) ([]*table, error) {
	var tables []*table
	var others []string
	err := s.walk(ctx, "SELECT name FROM "+schema+".sqlite_master WHERE type = 'table' ORDER BY name", nil,
		func(row []driver.Value) error {
			name, _ := row[0].(string)
			if g := generationOf(name); g != nil {
				tables = append(tables, &table{place: p, from: schema + "." + name, generation: g, attached: true})
			} else if !sqldump.IsInternal(name) {
				others = append(others, name)
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if t.keyed, err = s.isKeyed(ctx, schema, t.generation); err != nil {
			return nil, err
		}
		t.repeats = !t.keyed
		if t.rows, err = s.number(ctx, "SELECT count(*) FROM "+t.from); err != nil {
			return nil, err
		}
	}
	if len(tables) == 2 {
		tables = slices.DeleteFunc(tables, func(t *table) bool { return t.generation == generation3 && t.rows == 0 })
	}
	if len(tables) > 0 {
		for _, name := range others {
			w.warn("%s also has the table %s, which is left out", p, name)
		}
	}
	return tables, nil
}

// isKeyed tells whether a table has the columns and the primary key of its
// generation. The error is one of a table with other columns.
func (s *scratch) isKeyed(ctx context.Context, schema string, of *generation) (bool, error) {
	var names, keys []string
	err := s.walk(ctx, "SELECT name, pk FROM pragma_table_info(?, ?)", []driver.Value{of.table, schema},
		func(row []driver.Value) error {
			name, _ := row[0].(string)
			names = append(names, name)
			if pk, _ := row[1].(int64); pk > 0 {
				keys = append(keys, name)
			}
			return nil
		})
	if err != nil {
		return false, err
	}
	if !slices.Equal(names, columnNames) {
		return false, fmt.Errorf("its table %s is not that of a PR server: it has the columns %s", of.table, strings.Join(names, ", "))
	}
	return slices.Equal(keys, of.key), nil
}

// union makes a table of the rows of one or two tables of a file.
func (s *scratch) union(ctx context.Context, tables []*table, name string) (*table, error) {
	out := &table{place: tables[0].place, writer: tables[0].writer, left: tables[0].left, from: "main." + name, generation: generation1, repeats: true, mixed: len(tables) > 1}
	for _, t := range tables {
		out.generation = newest(out.generation, t.generation)
		out.mixed = out.mixed && t.rows > 0
	}
	var parts []string
	for _, t := range tables {
		value := "value"
		if t.generation != out.generation {
			value = out.generation.ofInteger
		}
		where := ""
		if len(tables) > 1 && t.generation == generation1 {
			where = " WHERE NOT " + isReserved
		}
		parts = append(parts, "SELECT version, pkgarch, checksum, "+value+" FROM "+t.from+where)
	}
	var err error
	out.rows, err = s.exec(ctx, "CREATE TABLE "+out.from+" (version, pkgarch, checksum, value); "+
		"INSERT INTO "+out.from+" "+strings.Join(parts, " UNION "))
	return out, err
}

// check finds out whether the file is sound, and what is wrong with its tables.
func (databaseKind) check(ctx context.Context, c *checker, t *table) (sound bool, err error) {
	if t.writer != nil && t.writer.Cut {
		u := unseen(t.writer)
		if err := c.problem(u.Do, "%s", u.What); err != nil {
			return false, err
		}
	}
	found := c.found
	if err := c.integrity(ctx); err != nil || c.found > found {
		return false, err
	}
	return true, c.tables(ctx)
}

// integrity lets SQLite find out whether the file is sound.
func (c *checker) integrity(ctx context.Context) error {
	end := c.watch("checking "+c.place.String(), 0, unknownPart)
	defer end()
	err := c.scratch.faults(ctx, "checked_file.integrity_check(20)", func(line string) error { return c.damaged(line) })
	switch {
	case isDamaged(err) && c.found > 0:
		return nil
	case isDamaged(err):
		return c.damaged(err)
	}
	return err
}

// tables finds out whether the key of a table is lost, or whether a server of
// BitBake 2.10, which knows one table only, would go on below the other one.
func (c *checker) tables(ctx context.Context) error {
	tables := 0
	for _, g := range generations {
		n, err := c.scratch.number(ctx, "SELECT count(*) FROM checked_file.sqlite_master WHERE type = 'table' AND name = ?", g.table)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		tables++
		keyed, err := c.scratch.isKeyed(ctx, "checked_file", g)
		if err == nil && !keyed {
			err = c.problem("copy it to a new file with prserv-tool copy, and serve that",
				"its table %s has lost its primary key, so a checksum may get several values", g.table)
		}
		if err != nil {
			return err
		}
	}
	if tables < 2 {
		return nil
	}
	behind, err := c.scratch.number(ctx, `SELECT count(*) FROM (
		SELECT version, pkgarch, max(value) AS greatest FROM checked_file.`+generation1.table+`
			WHERE NOT `+isReserved+` GROUP BY version, pkgarch) AS old
		WHERE greatest > ifnull((SELECT max(CAST(value AS INTEGER)) FROM checked_file.`+generation3.table+` AS new
			WHERE new.version = old.version AND new.pkgarch = old.pkgarch), -1)`)
	if err != nil || behind == 0 {
		return err
	}
	return c.problem(fmt.Sprintf("stop the server and run: prserv-tool copy --generation 3 %[1]s %[1]s", shellWord(c.place.Name)),
		"values in %s, where BitBake 2.10 begins at 0 again, are less than in %s, where it kept them up to 2.8; versions that have such: %d",
		generation3.table, generation1.table, behind)
}
