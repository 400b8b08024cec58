package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"math"
	"strings"

	"prserver/prserv/store"
)

// plainTable is a table as the reference makes it, whose rows can be dumped
// hundreds at a time.
type plainTable struct {
	name    string
	inserts string // see plainInserts
}

// plainTables are these tables by the statements that made them.
var plainTables = map[string]plainTable{
	store.Stored(store.NohistSchema): {table, plainInserts(table, "typeof(value) = 'integer'", "%d")},
	store.Stored(store.MainSchema):   {mainTable, plainInserts(mainTable, "typeof(value) = 'text' AND octet_length(value) < 1000", "%Q")},
}

// plainInserts makes the lines of the next 500 rows behind a rowid, the
// parameter, and returns the last one's rowid. The third column is 0 where a
// row is not among the lines: one with values that are not as usual, or so long
// that they would be held in memory too many times. Is tells a usual value, and
// format writes it.
func plainInserts(table, is, format string) string {
	return `SELECT group_concat(line, ''), max(r), count(*) = count(line) FROM (
	SELECT rowid AS r, iif(typeof(version) = 'text' AND typeof(pkgarch) = 'text'
			AND typeof(checksum) = 'text' AND ` + is + `
			AND octet_length(version) + octet_length(pkgarch) + octet_length(checksum) < 4000,
		printf('INSERT INTO "` + table + `" VALUES(%Q,%Q,%Q,` + format + `);' || char(10),
			version, pkgarch, checksum, value), NULL) AS line
	FROM ` + table + ` WHERE rowid > ?1 ORDER BY rowid LIMIT 500)`
}

// Dump implements [store.Store]. It writes whatever the file holds, in the
// words of Python's sqlite3 module.
//
// Source: lib/prserv/db.py:PRTable.dump_db, which is sqlite3/dump.py:_iterdump.
func (s *Store) Dump(ctx context.Context, w io.Writer) (err error) {
	defer s.nameFile(&err)
	c, err := s.walkers.take(ctx)
	if err != nil {
		return err
	}
	defer s.walkers.giveBack(c)
	if err := s.check(); err != nil {
		return err
	}
	if _, err := c.exec(sqlSnapshot); err != nil {
		return err
	}
	defer c.exec(sqlRollback) // nothing was changed
	d := &dump{conn: c, text: store.NewDumpText(w)}
	return d.write(ctx)
}

// sqlSnapshot begins a transaction that only reads.
const sqlSnapshot = "BEGIN DEFERRED"

// dump is a dump in the making.
type dump struct {
	conn *conn
	text *store.DumpText
}

func (d *dump) write(ctx context.Context) error {
	d.text.Line("BEGIN TRANSACTION;")
	tables, err := d.objects(ctx, `type = 'table' ORDER BY name`)
	if err != nil {
		return err
	}
	others, err := d.objects(ctx, `type IN ('index', 'trigger', 'view')`)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := d.table(ctx, t, len(others) == 0); err != nil {
			return err
		}
	}
	for _, o := range others {
		d.text.Line(o.sql + ";")
	}
	d.text.Line("COMMIT;")
	return d.text.Flush()
}

// object is a table, index, trigger or view.
type object struct{ name, sql string }

// objects returns what the database has, other than rows.
func (d *dump) objects(ctx context.Context, where string) ([]object, error) {
	var found []object
	err := d.conn.walk(ctx, `SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND `+where, nil, func(row []driver.Value) error {
		name, _ := row[0].(string)
		sql, _ := row[1].(string)
		found = append(found, object{name, sql})
		return nil
	})
	return found, err
}

// table writes a table and its rows. Alone tells that there is no index, view
// or trigger, by which SQLite could choose to read it.
func (d *dump) table(ctx context.Context, t object, alone bool) error {
	switch {
	case t.name == "sqlite_sequence":
		d.text.Line(`DELETE FROM "sqlite_sequence";`)
	case t.name == "sqlite_stat1":
		d.text.Line(`ANALYZE "sqlite_master";`)
	case strings.HasPrefix(t.name, "sqlite_"):
		return nil
	default:
		d.text.Line(t.sql + ";")
	}
	if plain, ok := plainTables[t.sql+";"]; ok && alone {
		return d.plainRows(ctx, plain)
	}
	return d.rows(ctx, t.name, "")
}

// plainRows writes the rows of a table that is as the reference makes it, as
// rows does, but in less time: hundreds come from SQLite at once.
func (d *dump) plainRows(ctx context.Context, plain plainTable) error {
	last := int64(math.MinInt64)
	for {
		from, more := last, false
		err := d.conn.walk(ctx, plain.inserts, []driver.Value{from}, func(row []driver.Value) error {
			if last, more = row[1].(int64); !more {
				return nil
			}
			if row[2] == int64(0) {
				return d.rows(ctx, plain.name, fmt.Sprintf(" WHERE rowid > %d AND rowid <= %d ORDER BY rowid", from, last))
			}
			lines, _ := row[0].(string)
			return d.text.Lines(lines)
		})
		if err != nil || !more {
			return err
		}
	}
}

// rows writes the rows of a table, or those that a clause chooses.
func (d *dump) rows(ctx context.Context, table, which string) error {
	// The plus signs hide the declared types of the columns from the driver,
	// which would make times of numbers in a column declared as TIMESTAMP.
	var columns []string
	err := d.conn.walk(ctx, `SELECT name FROM pragma_table_info(?)`, []driver.Value{table}, func(row []driver.Value) error {
		name, _ := row[0].(string)
		columns = append(columns, "+"+store.QuoteName(name))
		return nil
	})
	if err != nil {
		return err
	}
	insertInto := store.InsertInto(table)
	query := "SELECT " + strings.Join(columns, ", ") + " FROM " + store.QuoteName(table) + which
	return d.conn.walk(ctx, query, nil, func(row []driver.Value) error {
		return store.InsertRow(d.text, insertInto, row)
	})
}
