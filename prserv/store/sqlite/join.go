package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"

	"prserver/prserv/store"
)

const (
	// sqlWholeText tells values of generation 3 that are whole numbers.
	sqlWholeText = `(value <> '' AND value NOT GLOB '*[^0-9]*' AND length(value) <= 18)`
	// sqlLacking finds what only the table of whole numbers has.
	sqlLacking = `SELECT version, pkgarch, checksum, CAST(value AS TEXT) AS value FROM ` + table + ` AS n
		WHERE typeof(value) = 'integer' AND checksum <> '` + store.Reserved + `' AND NOT EXISTS (SELECT 1 FROM ` + mainTable + ` AS m
			WHERE m.version = n.version AND m.pkgarch = n.pkgarch AND m.checksum = n.checksum AND m.value = CAST(n.value AS TEXT))`
	// sqlMainLacks tells whether the table of generation 3 lacks anything. An
	// empty one is no more than a name.
	sqlMainLacks = `SELECT NOT EXISTS (SELECT 1 FROM ` + mainTable + `) OR EXISTS (` + sqlLacking + `)`
	// sqlAsMany tells whether the table of generation 3 has as many rows as the other
	// one has whole numbers.
	sqlAsMany = `SELECT (SELECT count(*) FROM ` + mainTable + `) = (SELECT count(*) FROM ` + table + `
		WHERE typeof(value) = 'integer' AND checksum <> '` + store.Reserved + `')`
	// sqlFillMain adds what it lacks.
	sqlFillMain = `INSERT INTO ` + mainTable + ` ` + sqlLacking + ` ORDER BY n.rowid`
	// sqlLargeCache lets SQLite keep 64 MiB of pages: rows that are added in the
	// order in which they came go to pages all over the index.
	sqlLargeCache = `PRAGMA cache_size = -65536`
	// sqlFillWhole raises the whole numbers of the other table to those that only
	// the table of generation 3 has.
	sqlFillWhole = `INSERT OR REPLACE INTO ` + table + ` SELECT version, pkgarch, checksum, max(CAST(value AS INTEGER)) FROM ` + mainTable + ` AS m
		WHERE ` + sqlWholeText + ` AND NOT EXISTS (SELECT 1 FROM ` + table + ` AS n WHERE n.version = m.version AND n.pkgarch = m.pkgarch
			AND n.checksum = m.checksum AND n.value >= CAST(m.value AS INTEGER))
		GROUP BY version, pkgarch, checksum`
	// sqlBegunAgain counts the packages whose numbers are lower in the table of
	// generation 3.
	sqlBegunAgain = `SELECT count(*) FROM
		(SELECT version, pkgarch, max(value) AS greatest FROM ` + table + `
			WHERE typeof(value) = 'integer' AND checksum <> '` + store.Reserved + `' GROUP BY version, pkgarch) AS n
		JOIN (SELECT version, pkgarch, max(CAST(value AS INTEGER)) AS greatest FROM ` + mainTable + `
			WHERE ` + sqlWholeText + ` OR value GLOB '[0-9]*.*' GROUP BY version, pkgarch) AS m
		ON n.version = m.version AND n.pkgarch = m.pkgarch WHERE n.greatest > m.greatest`
	// sqlParts finds the values of generation 3 that are no whole numbers.
	sqlParts = `SELECT version, pkgarch, value FROM ` + mainTable + ` WHERE value GLOB '*.*' ORDER BY version, pkgarch`
)

// raiseWhole raises the table of whole numbers to what only the table of
// generation 3 has, so that values go on above all that have been given out,
// whatever server of whole numbers the file is given to. It returns which tables
// there are, and for how many packages the table of generation 3 had begun again.
// If it lacks nothing, the file does not change.
//
// It takes a second or two for a million rows, so nothing is looked for that
// cannot be there.
func raiseWhole(ctx context.Context, file, options string) (has tables, begunAgain int64, err error) {
	c, err := openConn(dsn(file, openTimeout, options))
	if err != nil {
		return oneTable, 0, err
	}
	defer c.Close()
	if both, err := c.hasMain(); !both || err != nil {
		return oneTable, 0, err
	}
	if _, err := c.exec(sqlBegin); err != nil {
		return oneTable, 0, err
	}
	defer c.exec(sqlRollback) // fails after a commit
	if has, err = c.compareTables(); err != nil {
		return has, 0, err
	}
	if has == bothInStep {
		// If it has them all, and as many rows, it has nothing else.
		if asMany, err := c.value(sqlAsMany); asMany == int64(1) || err != nil {
			return has, 0, err
		}
	} else {
		again, err := c.value(sqlBegunAgain)
		if err != nil {
			return has, 0, err
		}
		begunAgain, _ = again.(int64)
	}
	if _, err := c.exec(sqlFillWhole); err != nil {
		return has, 0, err
	}
	if err := c.reserveParts(ctx); err != nil {
		return has, 0, err
	}
	_, err = c.exec(sqlCommit)
	return has, begunAgain, err
}

// compareTables tells of a file with both tables whether they are in step.
func (c *conn) compareTables() (tables, error) {
	lacks, err := c.value(sqlMainLacks)
	if lacks == int64(0) {
		return bothInStep, err
	}
	return bothApart, err
}

// reserveParts reserves, for each package whose greatest value is no whole
// number, the next one.
func (c *conn) reserveParts(ctx context.Context) error {
	var of group
	var greatest store.Revision
	reserve := func() error {
		if len(greatest) == 0 {
			return nil
		}
		next, err := greatest.NextWhole()
		if err == nil {
			_, err = c.exec(sqlReserve, of.version, of.pkgarch, next[0])
		}
		if errors.Is(err, store.ErrNoNext) {
			err = nil // no server has a number above it
		}
		return err
	}
	err := c.walk(ctx, sqlParts, nil, func(row []driver.Value) error {
		version, _ := row[0].(string)
		pkgarch, _ := row[1].(string)
		if at := (group{version, pkgarch}); at != of {
			if err := reserve(); err != nil {
				return err
			}
			of, greatest = at, nil
		}
		if r, ok := store.RevisionOf(row[2]); ok && r.Compare(greatest) > 0 {
			greatest = r
		}
		return nil
	})
	if err != nil {
		return err
	}
	return reserve()
}

// joinMain makes the table of generation 3 if there is none, gives it all values
// that have been given out, and keeps both tables in step from now on.
func (w *writer) joinMain() error {
	defer w.conn.exec(sqlUsualCache) // it cannot fail
	for _, sql := range []string{sqlLargeCache, store.MainSchema, sqlFillMain} {
		if _, err := w.conn.exec(sql); err != nil {
			return err
		}
	}
	w.has = bothInStep
	return nil
}
