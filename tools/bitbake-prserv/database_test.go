package main

import (
	"strconv"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/prserv/store/postgres/pgtest"
	"prserver/tools/internal/pyserver"
	"prserver/tools/internal/scripttest"
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

// cmdPostgres stops PostgreSQL, or starts it again.
func cmdPostgres(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "postgres stop|start")
	c, err := pgtest.Running()
	ts.Check(err)
	if args[0] == "stop" {
		c.Stop(syscall.SIGINT)
	} else {
		ts.Check(c.Start())
	}
}

// cmdReady waits until /readyz of a server, whose log is in a file, has a status
// code.
func cmdReady(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "ready LOG CODE")
	scripttest.WaitFor(ts, args[1]+" of /readyz", func() bool {
		code, _ := askStatus(ts, args[0], "/readyz")
		return strconv.Itoa(code) == args[1]
	})
}
