package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
)

// schemas has the steps by which a database is upgraded, in the order of their
// names. Every one of them has to let servers of the version before go on.
//
//go:embed schema/*.sql
var schemas embed.FS

// schemaLock is the advisory lock of whoever upgrades a database: "prserv".
const schemaLock = 0x707273657276

const (
	// sqlHasSchema reads the catalog. to_regclass would remember, after it has
	// waited for another server, that there was no table before.
	sqlHasSchema     = `SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = 'prserv_state' AND pg_table_is_visible(oid))`
	sqlSchemaVersion = `SELECT schema_version FROM prserv_state`
)

// upgrade makes the tables, or changes them to what this version needs. It
// fails if a newer version has changed them.
func upgrade(ctx context.Context, c *pgx.Conn) error {
	names, err := fs.Glob(schemas, "schema/*.sql")
	if err != nil {
		return err
	}
	if version, err := schemaVersion(ctx, c); err != nil || version == len(names) {
		return err // whoever may not change the schema need not try
	}
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx) // fails after the commit
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(schemaLock)); err != nil {
		return err
	}
	version, err := schemaVersion(ctx, c)
	if err != nil {
		return err
	}
	for _, name := range names[version:] {
		sql, err := schemas.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, string(sql)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if _, err := tx.Exec(ctx, "UPDATE prserv_state SET schema_version = $1", len(names)); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// ErrNoTables is returned where a database is to be read that has no tables yet.
var ErrNoTables = errors.New("it has no tables of PR values; start a server that may write it first, or copy values into it")

// checkSchema returns an error unless a database has the tables that this
// version reads.
func checkSchema(ctx context.Context, c *pgx.Conn) error {
	version, err := schemaVersion(ctx, c)
	if err == nil && version == 0 {
		err = ErrNoTables
	}
	return err
}

// schemaVersion returns how many steps a database has behind it. The error is a
// [*store.Error] if it has more than this version knows.
func schemaVersion(ctx context.Context, c *pgx.Conn) (version int, err error) {
	var exists bool
	if err := c.QueryRow(ctx, sqlHasSchema).Scan(&exists); err != nil || !exists {
		return 0, err
	}
	if err := c.QueryRow(ctx, sqlSchemaVersion).Scan(&version); err != nil {
		return 0, err
	}
	names, err := fs.Glob(schemas, "schema/*.sql")
	if err == nil && version > len(names) {
		err = &store.Error{Reason: store.ErrMisuse, Text: fmt.Sprintf(
			"its schema has version %d, and this program knows %d; install a newer one", version, len(names))}
	}
	return version, err
}
