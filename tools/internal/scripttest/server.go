package scripttest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/sqlite"
)

// PRServer starts our server, in this process, on a file, prserv.sqlite3 unless
// another one or a PostgreSQL database is named, and sets $ADDR to its address.
func PRServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: prserv [FILE or URL]")
	}
	store, err := openStore(ts, append(args, "prserv.sqlite3")[0])
	ts.Check(err)
	ts.Defer(func() { ts.Check(store.Close()) })
	server, err := prserv.New(prserv.Config{Store: store, Dialect: compat.DialectFor, Text: compat.Py3.Text, Log: slog.New(slog.DiscardHandler)})
	ts.Check(err)
	ln := Listen(ts)
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background(), ln) }()
	ts.Defer(func() {
		server.Quit()
		ts.Check(<-served)
	})
}

func openStore(ts *testscript.TestScript, name string) (store.Store, error) {
	if postgres.IsURL(name) {
		return postgres.Open(context.Background(), name, false)
	}
	return sqlite.Open(context.Background(), ts.MkAbs(name), false)
}

// Listen listens at a free port and sets $ADDR to it.
func Listen(ts *testscript.TestScript) net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("ADDR", ln.Addr().String())
	return ln
}

// BuildServer builds bitbake-prserv into a folder, without the race detector and
// without symbols, which take half of the time to link,
// and returns its path.
func BuildServer(dir string) (string, error) {
	file := filepath.Join(dir, "bitbake-prserv")
	out, err := exec.Command("go", "build", "-ldflags=-s", "-o", file, "prserver/tools/bitbake-prserv").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building bitbake-prserv: %w\n%s", err, out)
	}
	return file, nil
}
