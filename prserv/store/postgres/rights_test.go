package postgres_test

import (
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

// as returns the URL of a database for another role, which it makes.
func as(t *testing.T, url, role string) string {
	t.Helper()
	pgtest.Execute(t, url, "CREATE ROLE "+role+" LOGIN")
	return strings.Replace(url, "postgres://postgres@", "postgres://"+role+"@", 1)
}

// TestRights refuses to start with a role that lacks a right on the tables, and
// says which statements give it. They do.
func TestRights(t *testing.T) {
	url := pgtest.Database(t)
	wantPR(t, open(t, url), key("v", "all", "a"), 0)
	wants := func(t *testing.T, url string, readOnly bool, grants, or string) {
		t.Helper()
		_, err := postgres.Open(t.Context(), url, readOnly)
		prservtest.WantOneLine(t, grants, err, grants, or)
	}

	reader := as(t, url, "reader")
	pgtest.Execute(t, url, "GRANT SELECT ON prserv_state TO reader")
	grants := "GRANT SELECT ON prgroup TO reader; GRANT SELECT ON prvalue TO reader"
	wants(t, reader, true, `: the role reader may not read the tables; run "`+grants+`" as their owner`, "owner")
	pgtest.Execute(t, url, grants)
	s := openReadOnly(t, reader)
	wantPR(t, s, key("v", "all", "a"), 0)
	wantPR(t, s, key("v", "all", "b"), 1)

	grants = "GRANT INSERT, UPDATE ON prgroup TO reader; GRANT UPDATE ON prserv_state TO reader; GRANT INSERT, UPDATE, DELETE ON prvalue TO reader"
	wants(t, reader, false, `: the role reader may not write the tables; run "`+grants+`" as their owner, or start this server with --read-only`, "")
	pgtest.Execute(t, url, grants)
	writer := open(t, reader)
	wantPR(t, writer, key("v", "all", "b"), 1)
	wantPR(t, writer, key("v", "all", "a"), 2)
	keepAll(t, writer)
	wantPR(t, writer, key("v", "all", "b"), 3)
}
