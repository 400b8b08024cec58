package prserv

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Dump returns the SQL that makes the whole file again, whatever it holds:
// the text that Python's sqlite3 module makes of it.
//
// Source: lib/prserv/db.py:PRTable.dump_db, which is sqlite3/dump.py:_iterdump.
func (s *Store) Dump(ctx context.Context) (string, error) {
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	defer tx.Rollback()
	var out strings.Builder
	out.WriteString("BEGIN TRANSACTION;\n")
	tables, err := masterEntries(ctx, tx, `type = 'table' ORDER BY name`)
	if err != nil {
		return "", err
	}
	for _, t := range tables {
		switch {
		case t.name == "sqlite_sequence":
			out.WriteString("DELETE FROM \"sqlite_sequence\";\n")
		case t.name == "sqlite_stat1":
			out.WriteString("ANALYZE \"sqlite_master\";\n")
		case strings.HasPrefix(t.name, "sqlite_"):
			continue
		default:
			out.WriteString(t.sql + ";\n")
		}
		if err := dumpRows(ctx, tx, &out, t.name); err != nil {
			return "", err
		}
	}
	others, err := masterEntries(ctx, tx, `type IN ('index', 'trigger', 'view')`)
	if err != nil {
		return "", err
	}
	for _, o := range others {
		out.WriteString(o.sql + ";\n")
	}
	out.WriteString("COMMIT;\n")
	if text := out.String(); utf8.ValidString(text) {
		return text, nil
	}
	return "", ErrUndecodable
}

// masterEntry is a table, index, trigger or view.
type masterEntry struct{ name, sql string }

func masterEntries(ctx context.Context, tx *sql.Tx, where string) ([]masterEntry, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND `+where)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var entries []masterEntry
	for rows.Next() {
		var e masterEntry
		if err := rows.Scan(&e.name, &e.sql); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}

// dumpRows writes an INSERT statement for every row of a table.
func dumpRows(ctx context.Context, tx *sql.Tx, out *strings.Builder, table string) error {
	columns, err := columnNames(ctx, tx, table)
	if err != nil {
		return err
	}
	// The plus signs hide the declared types of the columns from the driver,
	// which would make times of numbers in a column declared as TIMESTAMP.
	query := strings.Builder{}
	query.WriteString("SELECT ")
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i, c := range columns {
		if i > 0 {
			query.WriteString(", ")
		}
		query.WriteString("+" + quoteIdent(c))
		into[i] = &values[i]
	}
	query.WriteString(" FROM " + quoteIdent(table))
	rows, err := tx.QueryContext(ctx, query.String())
	if err != nil {
		return err
	}
	defer rows.Close()
	insert := "INSERT INTO " + quoteIdent(table) + " VALUES("
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		out.WriteString(insert)
		for i, v := range values {
			if i > 0 {
				out.WriteByte(',')
			}
			writeQuoted(out, v)
		}
		out.WriteString(");\n")
	}
	return rows.Err()
}

// writeQuoted writes a value as SQL.
func writeQuoted(out *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		out.WriteString("NULL")
	case int64:
		out.WriteString(strconv.FormatInt(v, 10))
	case float64:
		out.WriteString(quoteReal(v))
	case []byte:
		fmt.Fprintf(out, "X'%X'", v)
	case string:
		v, _, _ = strings.Cut(v, "\x00") // where SQLite's text of it ends, too
		out.WriteByte('\'')
		out.WriteString(strings.ReplaceAll(v, "'", "''"))
		out.WriteByte('\'')
	}
}

func columnNames(ctx context.Context, tx *sql.Tx, table string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM pragma_table_info(?)`, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// quoteIdent makes a name safe to use in SQL.
func quoteIdent(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
