package postgres_test

import (
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
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

// TestRightsTaken takes rights from the role of a server that runs. It is not
// ready then, whatever it was last able to do.
func TestRightsTaken(t *testing.T) {
	url := pgtest.Database(t)
	open(t, url).Close()
	role := as(t, url, "borrower")
	pgtest.Execute(t, url, "GRANT ALL ON prserv_state, prgroup, prvalue TO borrower")
	s := open(t, role)
	wantPR(t, s, key("v", "all", "a"), 0)
	refused := func(what string, k store.Key) {
		t.Helper()
		_, err := s.GetPR(t.Context(), k, store.Mode{})
		prservtest.WantOneLine(t, what, err, "PostgreSQL: permission denied for table ", "; give the role of the server that right (GRANT)")
		prservtest.WantOneLine(t, "Ready", s.Ready(), "permission denied for table ")
	}

	pgtest.Execute(t, url, "REVOKE INSERT ON prvalue FROM borrower")
	refused("a transaction", key("v", "all", "b"))
	wantPR(t, s, key("v", "all", "a"), 0) // known
	pgtest.Execute(t, url, "GRANT INSERT ON prvalue TO borrower")
	wantPR(t, s, key("v", "all", "b"), 1)
	if err := s.Ready(); err != nil {
		t.Errorf("Ready: %v", err)
	}

	pgtest.Execute(t, url, "REVOKE UPDATE ON prserv_state FROM borrower",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'borrower'")
	refused("a new connection, to look", key("v", "all", "b"))
	prservtest.WantOneLine(t, "Ready", s.Ready(), "give the role borrower that right")
	pgtest.Execute(t, url, "GRANT UPDATE ON prserv_state TO borrower")
	prservtest.WaitFor(t, "the server to be ready", func() bool { return s.Ready() == nil })

	pgtest.Execute(t, url, "ALTER ROLE borrower NOLOGIN",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'borrower'")
	var err error
	prservtest.WaitFor(t, "the server to notice", func() bool {
		err = s.Ready()
		return err != nil && strings.Contains(err.Error(), "not permitted to log in")
	})
	prservtest.WantOneLine(t, "Ready", err, "name another user in the URL, or let this one in")
	pgtest.Execute(t, url, "ALTER ROLE borrower LOGIN")
	prservtest.WaitFor(t, "the server to be ready", func() bool { return s.Ready() == nil })
}
