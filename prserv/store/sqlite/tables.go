package sqlite

import (
	"context"
	"fmt"

	"prserver/prserv/store"
)

// checkTables finds out whether the table, if there is one, is one of PR
// values, before anything in the file is changed, and whether the file has
// values of BitBake 2.10 and later as well. With those alone, all numbers
// would begin at 0 again, which is an error.
func checkTables(file string) (hasNewer bool, err error) {
	c, err := openConn(dsn(file, openTimeout, "mode=rw"))
	if err != nil {
		return false, err
	}
	defer c.Close()
	is := func(query string) (bool, error) {
		if err := c.prepare(query); err != nil {
			return false, err
		}
		n, err := c.value(query)
		return n == int64(1), err
	}
	hasTable, err := is(`SELECT count(*) FROM sqlite_master WHERE name = '` + table + `'`)
	if err != nil {
		return false, err
	}
	hasRows := false
	if hasTable {
		if err := c.prepare(sqlStored); err != nil {
			return false, fmt.Errorf("its table "+table+" is not that of a PR server: %w", err)
		}
		if hasRows, err = is("SELECT EXISTS (SELECT 1 FROM " + table + ")"); err != nil {
			return false, err
		}
	}
	hasNewer, err = is(`SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '` + store.MainTable + `'`)
	if err == nil && hasNewer {
		hasNewer, err = is("SELECT EXISTS (SELECT 1 FROM " + store.MainTable + ")")
	}
	if err == nil && hasNewer && !hasRows {
		err = fmt.Errorf("it has values of BitBake 2.10 and later only (table %s), without which all numbers would begin at 0 again; "+
			"make a file of them for this server: prserv-tool copy %s NEW.sqlite3 --generation 1", store.MainTable, file)
	}
	return hasNewer, err
}

// makeTable makes the table, and finds out whether the file can be written. It
// returns the journal mode that the file is in.
func makeTable(ctx context.Context, file, options string) (journal string, err error) {
	c, err := openConn(dsn(file, openTimeout, options))
	if err != nil {
		return "", err
	}
	defer c.Close()
	const sqlJournal = "PRAGMA journal_mode"
	for _, query := range []string{sqlBegin, store.NohistSchema, sqlJournal, sqlCommit, sqlRollback} {
		if err := c.prepare(query); err != nil {
			return "", err
		}
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if _, err := c.exec(sqlBegin); err != nil {
		return "", err
	}
	defer c.exec(sqlRollback) // fails after a commit
	if _, err := c.exec(store.NohistSchema); err != nil {
		return "", err
	}
	mode, err := c.value(sqlJournal)
	if err != nil {
		return "", err
	}
	journal, _ = mode.(string)
	_, err = c.exec(sqlCommit)
	return journal, err
}
