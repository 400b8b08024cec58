package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
)

// sqlVersions finds the versions of a range, by a look into the index for each.
// DISTINCT would read every row of a version.
func sqlVersions(table string) string {
	return `WITH RECURSIVE v(version) AS (
		SELECT min(version) FROM ` + table + ` WHERE version >= ?1 AND version < ?2
		UNION ALL
		SELECT (SELECT min(version) FROM ` + table + ` WHERE version > v.version AND version < ?2) FROM v WHERE v.version IS NOT NULL
	) SELECT version FROM v WHERE version IS NOT NULL LIMIT ?3`
}

// Versions returns the versions that have values, from from on and below below:
// the first ones in the order of bytes, limit at most. It reads no more than it
// returns, and waits for nobody who writes.
func (s *Store) Versions(ctx context.Context, from, below string, limit int) (_ []string, err error) {
	defer s.nameFile(&err)
	c, err := s.walkers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.walkers.giveBack(c)
	if err := s.check(); err != nil {
		return nil, err
	}
	has, err := s.has(c)
	if err != nil {
		return nil, err
	}
	names := map[tables][]string{oneTable: {table}, bothApart: {mainTable, table}, bothInStep: {mainTable}}[has]
	// The view that may stand in for the other table has nothing of its own, and
	// no index.
	if stands, err := c.value(sqlStandsIn); err != nil {
		return nil, err
	} else if stands != int64(0) {
		names = []string{mainTable}
	}
	var all []string
	for _, name := range names {
		err := c.walk(ctx, sqlVersions(name), []driver.Value{from, below, int64(limit)}, func(row []driver.Value) error {
			if version, ok := row[0].(string); ok {
				all = append(all, version)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(limit, len(all))], nil
}
