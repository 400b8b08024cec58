package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"prserver/prserv/store"
	"prserver/xmlrpc"
)

// CoreVersion is the version of the PR service's data.
// Source: lib/prserv/__init__.py:__version__.
const CoreVersion = "1.0.0"

// exportColumns are the columns of an exported row.
var exportColumns = [...]string{"version", "pkgarch", "checksum", "value"}

// sqlExport finds the rows that hold the greatest value of their version and
// pkgarch, in the order of the key.
const sqlExport = `SELECT r.version, r.pkgarch, r.checksum, r.value FROM ` + Table + ` AS r
	JOIN (SELECT version, pkgarch, max(value) AS greatest FROM ` + Table + ` GROUP BY version, pkgarch) AS g
	ON r.version = g.version AND r.pkgarch = g.pkgarch AND r.value = g.greatest`

// Export returns two things: with columns, a description of the table,
// otherwise an empty struct; and the rows that hold the greatest value of
// their version and pkgarch. Rows with an empty version are left out.
//
// Source: lib/prserv/db.py:PRTable.export.
func (s *Store) Export(ctx context.Context, f store.Filter, columns bool) (any, error) {
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	meta := xmlrpc.Struct{}
	if columns {
		info, err := columnInfo(ctx, tx)
		if err != nil {
			return nil, err
		}
		meta = xmlrpc.Struct{
			{Name: "tbl_name", Value: Table}, {Name: "core_ver", Value: CoreVersion}, {Name: "col_info", Value: info},
		}
	}
	rows, err := exportRows(ctx, tx, f)
	if err != nil {
		return nil, err
	}
	return []any{meta, rows}, nil
}

func columnInfo(ctx context.Context, tx *sql.Tx) ([]any, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info('`+Table+`')`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns := []any{}
	for rows.Next() {
		var name, typ, notNull, dflt, pk any
		if err := rows.Scan(&name, &typ, &notNull, &dflt, &pk); err != nil {
			return nil, err
		}
		columns = append(columns, xmlrpc.Struct{
			{Name: "name", Value: name},
			{Name: "type", Value: typ},
			{Name: "notnull", Value: notNull},
			{Name: "dflt_value", Value: dflt},
			{Name: "pk", Value: pk},
		})
	}
	return columns, rows.Err()
}

func exportRows(ctx context.Context, tx *sql.Tx, f store.Filter) ([]any, error) {
	query := strings.Builder{}
	query.WriteString(sqlExport)
	var args []any
	word := " WHERE "
	for _, c := range []struct {
		column string
		value  *string
	}{{"version", f.Version}, {"pkgarch", f.Pkgarch}, {"checksum", f.Checksum}} {
		if c.value != nil {
			query.WriteString(word + "r." + c.column + " = ?")
			args = append(args, *c.value)
			word = " AND "
		}
	}
	query.WriteString(" ORDER BY r.version, r.pkgarch, r.checksum")
	rows, err := tx.QueryContext(ctx, query.String(), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []any{}
	for rows.Next() {
		row := make(xmlrpc.Struct, len(exportColumns))
		if err := rows.Scan(&row[0].Value, &row[1].Value, &row[2].Value, &row[3].Value); err != nil {
			return nil, err
		}
		for i, name := range exportColumns {
			row[i].Name = name
			if row[i].Value, err = loaded(row[i].Value); err != nil {
				return nil, err
			}
		}
		if xmlrpc.Truth(row[0].Value) {
			out = append(out, row)
		}
	}
	return out, rows.Err()
}
