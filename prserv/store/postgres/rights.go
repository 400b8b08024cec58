package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
)

// sqlLacks finds the rights on the tables that a role lacks, of those to read
// them and, with $1, of those to write them: as the statements that give them.
const sqlLacks = `SELECT quote_ident(current_user), string_agg(given, '; ') FROM (
	SELECT format('GRANT %s ON %s TO %I', string_agg(privilege, ', ' ORDER BY n), name, current_user) AS given
	FROM (VALUES ('prserv_state', 'SELECT', 1), ('prserv_state', 'UPDATE', 3),
		('prgroup', 'SELECT', 1), ('prgroup', 'INSERT', 2), ('prgroup', 'UPDATE', 3),
		('prvalue', 'SELECT', 1), ('prvalue', 'INSERT', 2), ('prvalue', 'UPDATE', 3), ('prvalue', 'DELETE', 4)) AS needs(name, privilege, n)
	WHERE (privilege = 'SELECT' OR $1) AND NOT has_table_privilege(name, privilege)
	GROUP BY name ORDER BY name) AS grants`

// checkRights returns an error if the role lacks a right on the tables that every
// call would ask for.
func checkRights(ctx context.Context, c *pgx.Conn, readOnly bool) error {
	var role string
	var grants *string
	if err := c.QueryRow(ctx, sqlLacks, !readOnly).Scan(&role, &grants); err != nil || grants == nil {
		return err
	}
	what, or := "write", ", or start this server with --read-only"
	if readOnly {
		what, or = "read", ""
	}
	return &store.Error{Reason: store.ErrReadOnly, Text: fmt.Sprintf(
		"the role %s may not %s the tables; run %q as their owner%s", role, what, *grants, or)}
}
