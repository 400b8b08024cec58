package sqlite

import (
	"context"
	"database/sql/driver"

	"prserver/prserv/store"
)

// sqlExport finds the rows that hold the greatest value of their version and
// pkgarch.
const sqlExport = `SELECT r.version, r.pkgarch, r.checksum, r.value FROM ` + table + ` AS r
	JOIN (SELECT version, pkgarch, max(value) AS greatest FROM ` + table + ` GROUP BY version, pkgarch) AS g
	ON r.version = g.version AND r.pkgarch = g.pkgarch AND r.value = g.greatest`

// These find all rows of generation 3, by what tables there are.
const (
	sqlWholeRows = `SELECT r.version, r.pkgarch, r.checksum, r.value FROM ` + table + ` AS r`
	sqlApartRows = `SELECT * FROM (SELECT version, pkgarch, checksum, value FROM ` + mainTable + ` UNION ALL ` + sqlLacking + `) AS r`
	sqlMainRows  = `SELECT r.version, r.pkgarch, r.checksum, r.value FROM ` + mainTable + ` AS r`
)

// Export implements [store.Store].
//
// Source: lib/prserv/db.py:PRTable.export.
func (s *Store) Export(ctx context.Context, f store.Filter, each func(store.Row) error) (err error) {
	defer s.nameFile(&err)
	c, err := s.walkers.take(ctx)
	if err != nil {
		return err
	}
	defer s.walkers.giveBack(c)
	if err := s.check(); err != nil {
		return err
	}
	has, err := s.has(c)
	if err != nil {
		return err
	}
	const byKey, asStored = " ORDER BY r.version, r.pkgarch, r.checksum", " ORDER BY r.rowid"
	from, order, checked := sqlExport, byKey, f
	if f.Revisions {
		from = [...]string{oneTable: sqlWholeRows, bothApart: sqlApartRows, bothInStep: sqlMainRows}[has]
		switch {
		case !f.History:
			// A row that the filter lacks may be the greatest, so it is asked for.
			checked.Checksum = nil
			rows := &greatestRows{checksum: f.Checksum, each: each}
			each = rows.add
			defer func() {
				if err == nil {
					err = rows.end()
				}
			}()
		case f.Version == nil && has == bothApart:
			order = "" // one table after the other
		case f.Version == nil:
			order = asStored
		}
	}
	where, args := clause(checked)
	return c.walk(ctx, from+where+order, args, func(row []driver.Value) error {
		out := store.Row{Version: row[0], Pkgarch: row[1], Checksum: row[2], Value: row[3]}
		if n, ok := row[3].(int64); ok && f.Revisions {
			out.Value = store.Revision{n}.String()
		}
		return each(out)
	})
}

// clause returns what a filter is in SQL.
func clause(f store.Filter) (where string, args []driver.Value) {
	word := " WHERE "
	for _, c := range []struct {
		column string
		value  *string
	}{{"version", f.Version}, {"pkgarch", f.Pkgarch}, {"checksum", f.Checksum}} {
		if c.value != nil {
			where += word + "r." + c.column + " = ?"
			args = append(args, *c.value)
			word = " AND "
		}
	}
	return where, args
}

// greatestRows picks the rows that hold the greatest value of their version and
// pkgarch from rows in the order of the key. SQL cannot compare revisions.
type greatestRows struct {
	checksum *string // the only one that is wanted, or nil
	each     func(store.Row) error

	version, pkgarch store.Value
	greatest         store.Revision
	rows             []store.Row // with the greatest value so far
}

func (g *greatestRows) add(row store.Row) error {
	r, ok := store.RevisionOf(row.Value)
	if !ok {
		return nil // no server was given it as a value, nor goes on from it
	}
	if row.Version != g.version || row.Pkgarch != g.pkgarch {
		if err := g.end(); err != nil {
			return err
		}
		g.version, g.pkgarch, g.greatest = row.Version, row.Pkgarch, nil
	}
	switch r.Compare(g.greatest) {
	case 1:
		g.greatest, g.rows = r, append(g.rows[:0], row)
	case 0:
		g.rows = append(g.rows, row)
	}
	return nil
}

// end hands on the rows of the version and pkgarch that came last.
func (g *greatestRows) end() error {
	for _, row := range g.rows {
		if g.checksum != nil && row.Checksum != *g.checksum {
			continue
		}
		if err := g.each(row); err != nil {
			return err
		}
	}
	g.rows = g.rows[:0]
	return nil
}

// Columns implements [store.Store].
func (s *Store) Columns(ctx context.Context, revisions bool) (_ []store.Column, err error) {
	defer s.nameFile(&err)
	c, err := s.walkers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.walkers.giveBack(c)
	has, err := s.has(c)
	switch {
	case err != nil:
		return nil, err
	case revisions && has == oneTable:
		return store.MainColumns(), nil // those that it will have
	}
	if stands, err := c.value(sqlStandsIn); !revisions && stands == int64(1) || err != nil {
		return store.NohistColumns(), err
	}
	name := table
	if revisions {
		name = mainTable
	}
	var columns []store.Column
	err = c.walk(ctx, `SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info('`+name+`')`, nil,
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
