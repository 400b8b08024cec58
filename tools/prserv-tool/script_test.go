package main

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/prserv/store"
	"prserver/prserv/store/postgres/pgtest"
	"prserver/tools/internal/scripttest"
)

func TestMain(m *testing.M) {
	scripttest.Main(withClusters{m}, map[string]func(){"prserv-tool": main, "held-tool": heldMain})
}

// withClusters are the tests, which may start PostgreSQL.
type withClusters struct{ *testing.M }

func (m withClusters) Run() int { return pgtest.Main(m.M) }

// cmdDatabase makes an empty PostgreSQL database, and sets $DATABASE to its URL.
func cmdDatabase(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: database")
	}
	url, err := pgtest.NewDatabase()
	ts.Check(err)
	ts.Setenv("DATABASE", url)
}

// TestScripts runs the program as a user does.
func TestScripts(t *testing.T) {
	feeds, err := filepath.Abs(filepath.Join("..", "..", "testdata", "feeds"))
	if err != nil {
		t.Fatal(err)
	}
	scripttest.RunPlain(t, testscript.Params{
		Setup: func(env *testscript.Env) error { env.Setenv("FEEDS", feeds); return nil },
		Condition: func(name string) (bool, error) {
			if name != "mount" {
				return false, fmt.Errorf("there is no condition %s", name)
			}
			return exec.Command("unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/tmp").Run() == nil, nil
		},
		Cmds: map[string]scripttest.Command{
			"asked":    scripttest.Asked,
			"breaks":   cmdBreaks,
			"database": cmdDatabase,
			"prserv":   scripttest.PRServer,
			"python":   cmdPython,
			"refuses":  cmdRefuses,
			"serve":    cmdServe,
			"waits":    cmdWaits,
		},
	})
}

// cmdRefuses runs a program that has to end with exit code 2, to print nothing
// but one line on stderr, which matches an expression, and to leave all files
// as they are.
func cmdRefuses(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: refuses EXPRESSION PROGRAM ARGUMENTS...")
	}
	line, err := regexp.Compile(`^prserv-tool: ` + args[0] + `\n$`)
	ts.Check(err)
	before := filesOf(ts)
	scripttest.Exits(ts, false, append([]string{"2"}, args[1:]...))
	after := filesOf(ts)
	if text := ts.ReadFile("stdout"); text != "" {
		ts.Fatalf("there is something on stdout")
	}
	if text := ts.ReadFile("stderr"); !line.MatchString(text) {
		ts.Fatalf("stderr is %q, want %s", text, line)
	}
	for name, text := range after {
		if was, ok := before[name]; !ok || was != text {
			ts.Fatalf("%s has been made or changed", name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			ts.Fatalf("%s has been removed", name)
		}
	}
}

// filesOf returns what the files of a script hold. Of a database that a server
// has open it is the rows: when they go from the log to the file is up to that.
func filesOf(ts *testscript.TestScript) map[string]string {
	found := map[string]string{}
	ts.Check(filepath.WalkDir(ts.Getenv("WORK"), func(name string, entry fs.DirEntry, err error) error {
		base := strings.TrimSuffix(strings.TrimSuffix(name, "-shm"), "-wal")
		if err != nil || base != name && isOpen(base) {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		switch {
		case isOpen(name):
			rows, err := rowsOf(name)
			if err != nil {
				return err
			}
			text += " " + rows
		case info.Mode().IsRegular():
			sum, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %x", sha256.Sum256(sum))
		}
		found[name] = text
		return nil
	}))
	return found
}

// isOpen tells whether a file is a database with a write-ahead log.
func isOpen(name string) bool {
	_, err := os.Stat(name)
	if err == nil {
		_, err = os.Stat(name + "-wal")
	}
	return err == nil
}

// rowsOf returns the rows of a database that a server has open.
func rowsOf(name string) (string, error) {
	db, err := sql.Open("sqlite3", "file:"+name+"?mode=ro")
	if err != nil {
		return "", err
	}
	defer db.Close()
	var rows sql.NullString // NULL if there are none
	err = db.QueryRow("SELECT group_concat(version || ' ' || pkgarch || ' ' || checksum || ' ' || value, char(10)) FROM " +
		store.NohistTable).Scan(&rows)
	return rows.String, err
}

// cmdWaits waits until there is a file, of at least a number of bytes.
func cmdWaits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: waits FILE [BYTES]")
	}
	least, err := strconv.ParseInt(append(args, "0")[1], 10, 64)
	ts.Check(err)
	scripttest.WaitFor(ts, fmt.Sprintf("%s of %d bytes", args[0], least), func() bool {
		info, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil && info.Size() >= least
	})
}
