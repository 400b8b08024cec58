package sqlite

const (
	// sqlHasTable tells whether the file has the table of whole numbers.
	sqlHasTable = `SELECT count(*) FROM main.sqlite_master WHERE name = '` + table + `'`
	// sqlStandsIn tells whether the view stands in for it.
	sqlStandsIn = `SELECT count(*) FROM temp.sqlite_master WHERE name = '` + table + `'`
	// sqlStandIn makes the view: what raiseWhole would fill the table with.
	sqlStandIn = `CREATE TEMP VIEW ` + table + ` AS
		SELECT version, pkgarch, checksum, max(CAST(value AS INTEGER)) AS value FROM main.` + mainTable + `
			WHERE ` + sqlWholeText + ` GROUP BY version, pkgarch, checksum`
	sqlStandDown = `DROP VIEW temp.` + table
	// A view of the connection's own changes no file, but counts as a change.
	sqlMayWrite = `PRAGMA query_only = 0`
	sqlReadOnly = `PRAGMA query_only = 1`
)

// standIn puts a view in the place of the table of whole numbers where a file that
// is only read has none, which BitBake 2.10 and later made, and takes it away once
// a server that writes has made the table.
func (c *conn) standIn() error {
	hasTable, err := c.value(sqlHasTable)
	if err != nil {
		return err
	}
	stands, err := c.value(sqlStandsIn)
	if err != nil {
		return err
	}
	change := sqlStandIn
	switch {
	case hasTable != stands: // one of them is there
		return nil
	case stands != int64(0):
		change = sqlStandDown
	}
	for _, sql := range []string{sqlMayWrite, change, sqlReadOnly} {
		if _, err := c.exec(sql); err != nil {
			return err
		}
	}
	return nil
}

// standInEarly is standIn for a connection that has prepared no statement yet.
func (c *conn) standInEarly() error {
	main, err := c.hasMain()
	if !main || err != nil {
		return err
	}
	return c.standIn()
}
