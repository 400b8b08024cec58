package main

import (
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/prserv/store/postgres/pgtest"
	"prserver/tools/internal/pyserver"
)

// cmdDatabase makes an empty PostgreSQL database. $DATABASE is its URL, $NAME that
// without a password, and $HOST2 and $PORT2 are the address of a second server.
func cmdDatabase(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "database")
	url, err := pgtest.NewDatabase()
	ts.Check(err)
	ts.Setenv("DATABASE", url)
	address, err := pyserver.FreeAddress()
	ts.Check(err)
	ts.Setenv("HOST2", address.Host)
	ts.Setenv("PORT2", strconv.Itoa(address.Port))
}
