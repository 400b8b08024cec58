package sqlite

import (
	"context"
	"database/sql/driver"
	"strings"

	"prserver/prserv/store"
)

// sqlExport finds the rows that hold the greatest value of their version and
// pkgarch.
const sqlExport = `SELECT r.version, r.pkgarch, r.checksum, r.value FROM ` + table + ` AS r
	JOIN (SELECT version, pkgarch, max(value) AS greatest FROM ` + table + ` GROUP BY version, pkgarch) AS g
	ON r.version = g.version AND r.pkgarch = g.pkgarch AND r.value = g.greatest`

// Export implements [store.Store].
//
// Source: lib/prserv/db.py:PRTable.export.
func (s *Store) Export(ctx context.Context, f store.Filter, each func(store.Row) error) (err error) {
	defer s.nameFile(&err)
	query := strings.Builder{}
	query.WriteString(sqlExport)
	var args []driver.Value
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
	c, err := s.walkers.take(ctx)
	if err != nil {
		return err
	}
	defer s.walkers.giveBack(c)
	if err := s.check(); err != nil {
		return err
	}
	return c.walk(ctx, query.String(), args, func(row []driver.Value) error {
		return each(store.Row{Version: row[0], Pkgarch: row[1], Checksum: row[2], Value: row[3]})
	})
}

// Columns implements [store.Store].
func (s *Store) Columns(ctx context.Context) (_ []store.Column, err error) {
	defer s.nameFile(&err)
	c, err := s.walkers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.walkers.giveBack(c)
	var columns []store.Column
	err = c.walk(ctx, `SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info('`+table+`')`, nil,
		func(row []driver.Value) error {
			name, _ := row[0].(string)
			typ, _ := row[1].(string)
			notNull, _ := row[2].(int64)
			pk, _ := row[4].(int64)
			columns = append(columns, store.Column{
				Name: name, Type: typ, NotNull: notNull != 0, Default: row[3], PrimaryKey: int(pk),
			})
			return nil
		})
	return columns, err
}
