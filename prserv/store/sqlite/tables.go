package sqlite

import (
	"context"
	"errors"
	"fmt"

	"prserver/prserv/store"
)

// contents tell which values of BitBake a file has.
type contents struct {
	table   bool // the table of this server exists
	values  bool // and has rows
	newer   bool // values of BitBake 2.10 and later
	history bool // values of the history mode
	older   bool // values of BitBake before 1.16
	foreign bool // tables, but none that a PR server makes
}

// checkTables finds out whether the table, if there is one, is one of PR
// values, before anything in the file is changed, and what other values the
// file has. With others alone, all numbers would begin at 0 again, which is an
// error.
func checkTables(file string) (contents, error) {
	c, err := openConn(dsn(file, openTimeout, "mode=rw"))
	if err != nil {
		return contents{}, err
	}
	defer c.Close()
	has, err := c.contents()
	if err == nil && !has.values {
		err = has.others(file)
	}
	return has, err
}

// contents looks for the tables of BitBake's servers. It returns an error if
// the table of this server is not as it should be.
func (c *conn) contents() (has contents, err error) {
	is := func(query string) bool {
		if err == nil {
			err = c.prepare(query)
		}
		var n store.Value
		if err == nil {
			n, err = c.value(query)
		}
		return err == nil && n == int64(1)
	}
	exists := func(table string) bool {
		return is("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '" + table + "'")
	}
	filled := func(table string) bool {
		return exists(table) && is("SELECT EXISTS (SELECT 1 FROM "+table+")")
	}
	has.table = is("SELECT count(*) FROM sqlite_master WHERE name = '" + table + "'") // also a view
	if has.table && err == nil {
		if err := c.prepare(sqlStored); err != nil {
			return has, fmt.Errorf("its table "+table+" is not that of a PR server: %w", err)
		}
		has.values = is("SELECT EXISTS (SELECT 1 FROM " + table + ")")
	}
	has.history = filled(store.HistTable)
	if filled(store.MainTable) {
		// Before 1.16 a package had no pkgarch, and the table this name.
		has.newer = is("SELECT count(*) FROM pragma_table_info('" + store.MainTable + "') WHERE name = 'pkgarch'")
		has.older = !has.newer
	}
	has.foreign = is("SELECT count(*) > 0 AND NOT sum(name COLLATE NOCASE IN ('" + table + "', '" + store.MainTable + "', '" + store.HistTable + "')) " +
		"FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
	return has, err
}

// others returns an error if the file has values, but none of this server's,
// that says how to take them over.
func (has contents) others(file string) error {
	const only, zero = "it has values of %s only (table %s), ", "without which all numbers would begin at 0 again; "
	switch {
	case has.newer: // they are joined
	case has.history:
		statement := "ALTER TABLE " + store.HistTable + " RENAME TO " + table
		if has.table {
			statement = "INSERT INTO " + table + " SELECT * FROM " + store.HistTable
		}
		return fmt.Errorf(only+zero+"to go on from them, keep a copy and run: sqlite3 %s '%s'",
			"BitBake's history mode", store.HistTable, file, statement)
	case has.older:
		return fmt.Errorf(only+"which have no pkgarch and cannot be taken over; name another file",
			"BitBake before 1.16", store.MainTable)
	case has.foreign:
		return errors.New("it is not a PR database: it has tables, and neither " + table + " nor " + store.MainTable + "; name another file")
	}
	return nil
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
