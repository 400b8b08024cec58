package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-sqlite3"
)

const (
	// dumpPiece is how much of a dump is written at a time.
	dumpPiece = 64 << 10
	// dumpCheck is how many rows are read before somebody looks whether the
	// dump is still wanted.
	dumpCheck = 1000
	// sqlInserts makes the lines of the next 500 rows behind a rowid, the
	// parameter, and returns the last one's rowid. The third column is 0 where
	// a row is not among the lines: one with values that are not as usual, or
	// so long that they would be held in memory too many times.
	sqlInserts = `SELECT group_concat(line, ''), max(r), count(*) = count(line) FROM (
		SELECT rowid AS r, iif(typeof(version) = 'text' AND typeof(pkgarch) = 'text'
				AND typeof(checksum) = 'text' AND typeof(value) = 'integer'
				AND octet_length(version) + octet_length(pkgarch) + octet_length(checksum) < 4000,
			printf('INSERT INTO "` + Table + `" VALUES(%Q,%Q,%Q,%d);' || char(10),
				version, pkgarch, checksum, value), NULL) AS line
		FROM ` + Table + ` WHERE rowid > ?1 ORDER BY rowid LIMIT 500)`
)

// Dump writes the SQL that makes the whole file again, whatever it holds: the
// text that Python's sqlite3 module makes of it. The error is
// [ErrUndecodable] where that would be no text.
//
// Source: lib/prserv/db.py:PRTable.dump_db, which is sqlite3/dump.py:_iterdump.
func (s *Store) Dump(ctx context.Context, w io.Writer) error {
	pooled, err := s.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer pooled.Close()
	// With database/sql between, reading a row would cost twice as much.
	return pooled.Raw(func(raw any) error {
		conn, ok := raw.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("%T is no connection to SQLite", raw)
		}
		d := &dump{conn: conn, out: w}
		if err := d.exec("BEGIN"); err != nil {
			return err
		}
		defer d.exec("ROLLBACK") // nothing was changed
		return d.write(ctx)
	})
}

// dump is a dump in the making.
type dump struct {
	conn   *sqlite3.SQLiteConn
	out    io.Writer
	buffer []byte // what is not written yet, always whole lines
}

func (d *dump) write(ctx context.Context) error {
	d.line("BEGIN TRANSACTION;")
	tables, err := d.master(ctx, `type = 'table' ORDER BY name`)
	if err != nil {
		return err
	}
	others, err := d.master(ctx, `type IN ('index', 'trigger', 'view')`)
	if err != nil {
		return err
	}
	for _, t := range tables {
		switch {
		case t.name == "sqlite_sequence":
			d.line(`DELETE FROM "sqlite_sequence";`)
		case t.name == "sqlite_stat1":
			d.line(`ANALYZE "sqlite_master";`)
		case strings.HasPrefix(t.name, "sqlite_"):
			continue
		default:
			d.line(t.sql + ";")
		}
		// The table as it always is, and nothing else: no index to read it by.
		if len(tables) == 1 && len(others) == 0 && t.sql+";" == strings.Replace(Schema, "IF NOT EXISTS ", "", 1) {
			err = d.plainRows(ctx)
		} else {
			err = d.rows(ctx, t.name, "")
		}
		if err != nil {
			return err
		}
	}
	for _, o := range others {
		d.line(o.sql + ";")
	}
	d.line("COMMIT;")
	return d.flush()
}

func (d *dump) line(text string) {
	d.buffer = append(d.buffer, text...)
	d.buffer = append(d.buffer, '\n')
}

func (d *dump) flushFull() error {
	if len(d.buffer) < dumpPiece {
		return nil
	}
	return d.flush()
}

func (d *dump) flush() error {
	if !utf8.Valid(d.buffer) {
		return ErrUndecodable
	}
	_, err := d.out.Write(d.buffer)
	d.buffer = d.buffer[:0]
	return err
}

// masterEntry is a table, index, trigger or view.
type masterEntry struct{ name, sql string }

func (d *dump) master(ctx context.Context, where string) ([]masterEntry, error) {
	var entries []masterEntry
	err := d.query(ctx, `SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND `+where, nil, func(row []driver.Value) error {
		name, _ := row[0].(string)
		sql, _ := row[1].(string)
		entries = append(entries, masterEntry{name, sql})
		return nil
	})
	return entries, err
}

// plainRows writes an INSERT statement for every row of [Table], as rows does,
// but in less time: hundreds of rows come from SQLite at once.
func (d *dump) plainRows(ctx context.Context) error {
	last := int64(math.MinInt64)
	for {
		from, more := last, false
		err := d.query(ctx, sqlInserts, []driver.Value{from}, func(row []driver.Value) error {
			if last, more = row[1].(int64); !more {
				return nil
			}
			if row[2] == int64(0) {
				return d.rows(ctx, Table, fmt.Sprintf(" WHERE rowid > %d AND rowid <= %d ORDER BY rowid", from, last))
			}
			lines, _ := row[0].(string)
			d.buffer = append(d.buffer, lines...)
			return d.flushFull()
		})
		if err != nil || !more {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// rows writes an INSERT statement for every row of a table, or for those that
// a clause chooses.
func (d *dump) rows(ctx context.Context, table, which string) error {
	// The plus signs hide the declared types of the columns from the driver,
	// which would make times of numbers in a column declared as TIMESTAMP.
	var columns []string
	err := d.query(ctx, `SELECT name FROM pragma_table_info(?)`, []driver.Value{table}, func(row []driver.Value) error {
		name, _ := row[0].(string)
		columns = append(columns, "+"+quoteIdent(name))
		return nil
	})
	if err != nil {
		return err
	}
	query := "SELECT " + strings.Join(columns, ", ") + " FROM " + quoteIdent(table) + which
	insert := "INSERT INTO " + quoteIdent(table) + " VALUES("
	return d.query(ctx, query, nil, func(row []driver.Value) error {
		d.buffer = append(d.buffer, insert...)
		for i, v := range row {
			if i > 0 {
				d.buffer = append(d.buffer, ',')
			}
			d.buffer = appendQuoted(d.buffer, v)
		}
		d.buffer = append(d.buffer, ");\n"...)
		return d.flushFull()
	})
}

func (d *dump) exec(query string) error {
	_, err := d.conn.Exec(query, nil)
	return err
}

// query calls each with every row of a query; the row is its own only until it
// returns.
func (d *dump) query(ctx context.Context, query string, args []driver.Value, each func(row []driver.Value) error) error {
	rows, err := d.conn.Query(query, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	for n := 1; ; n++ {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if n%dumpCheck == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// appendQuoted appends a value as SQL.
func appendQuoted(dst []byte, v driver.Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "NULL"...)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return append(dst, quoteReal(v)...)
	case []byte:
		return fmt.Appendf(dst, "X'%X'", v)
	case string:
		v, _, _ = strings.Cut(v, "\x00") // where SQLite's text of it ends, too
		dst = append(dst, '\'')
		for rest, more := v, true; more; {
			v, rest, more = strings.Cut(rest, "'")
			dst = append(dst, v...)
			if more {
				dst = append(dst, "''"...)
			}
		}
		return append(dst, '\'')
	}
	return dst
}

// quoteIdent makes a name safe to use in SQL.
func quoteIdent(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
