package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/tools/internal/pyserver"
	"prserver/tools/internal/scripttest"
)

// TestMoving does what the README says about moving from the Python server, word
// for word except for the first line, which names files and the server. The old
// server is ours, and then that of the BitBake which the environment names.
func TestMoving(t *testing.T) {
	bin := t.TempDir()
	ours, err := scripttest.BuildServer(bin)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("ours", func(t *testing.T) { testMoving(t, bin, ours) })
	t.Run("Python", func(t *testing.T) {
		checkout, python := os.Getenv("PRSERV_BITBAKE_PY3"), os.Getenv("PRSERV_PYTHON_PY3")
		if checkout == "" || python == "" {
			t.Skip("PRSERV_BITBAKE_PY3 and PRSERV_PYTHON_PY3 do not name a BitBake and its Python")
		}
		testMoving(t, bin, "env PYTHONDONTWRITEBYTECODE=1 "+python+" "+filepath.Join(checkout, "bin", "bitbake-prserv"))
	})
}

// testMoving moves from the server that a command starts. The folder bin holds
// ours.
func testMoving(t *testing.T, bin, command string) {
	moving, back := movingBlocks(t)
	dir := t.TempDir()
	bitbake := filepath.Join(dir, "bitbake", "bin")
	if err := os.MkdirAll(bitbake, 0o777); err != nil {
		t.Fatal(err)
	}
	old := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\"\n", command)
	if err := os.WriteFile(filepath.Join(bitbake, "bitbake-prserv"), []byte(old), 0o777); err != nil {
		t.Fatal(err)
	}
	const script = `
exec sh -eu start.sh
exec prserv-tool get $ADDR bash-5.2-r0 core2-64 one
stdout ^0
exec prserv-tool get $ADDR bash-5.2-r0 core2-64 two
stdout ^1
# the move
exec sh -eux moving.sh
stdout -count=1 'nothing wrong'
stdout -count=2 '2 new, 0 raised, 0 kept'
stdout -count=1 '0 new, 0 raised, 2 kept'
stderr -count=2 '^2 checksums: 0 only in .*, 0 only in .*, 0 with other values, 2 equal$'
exec prserv-tool get $ADDR bash-5.2-r0 core2-64 two
stdout ^1
exec prserv-tool get $ADDR bash-5.2-r0 core2-64 three
stdout ^2
# and back
exec sh -eux back.sh
stdout '1 new, 0 raised, 2 kept'
exec sh -eu wait.sh
exec prserv-tool get $ADDR bash-5.2-r0 core2-64 three
stdout ^2
exec prserv-tool get $ADDR bash-5.2-r0 core2-64 four
stdout ^3
exec sh -eu stop.sh
-- start.sh --
. ./names.sh
mkdir -p $(dirname $OLD) $(dirname $NEW)
$BITBAKE/bin/bitbake-prserv --start --host $HOST --port $PORT --file $OLD --log $OLD.log >start.log 2>&1
. ./wait.sh
-- wait.sh --
. ./names.sh
until prserv-tool ping $HOST:$PORT >/dev/null 2>&1; do sleep 0.1; done
-- stop.sh --
. ./names.sh
$BITBAKE/bin/bitbake-prserv --stop --host $HOST --port $PORT >stop.log 2>&1
while prserv-tool ping $HOST:$PORT >/dev/null 2>&1; do sleep 0.1; done
-- names.sh --
BITBAKE=$BITBAKE OLD=$WORK/old/prserv.sqlite3 NEW=$WORK/new/prserv.sqlite3 HOST=${ADDR%:*} PORT=${ADDR#*:}
-- moving.sh --
. ./names.sh
MOVING
-- back.sh --
. ./names.sh
BACK
`
	scripts := filepath.Join(dir, "scripts")
	if err := os.Mkdir(scripts, 0o777); err != nil {
		t.Fatal(err)
	}
	whole := strings.NewReplacer("MOVING\n", moving, "BACK\n", back).Replace(script)
	if err := os.WriteFile(filepath.Join(scripts, "moving.txtar"), []byte(whole), 0o666); err != nil {
		t.Fatal(err)
	}
	address, err := pyserver.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	scripttest.RunPlain(t, testscript.Params{
		Dir: scripts,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+":"+env.Getenv("PATH"))
			env.Setenv("BITBAKE", filepath.Dir(bitbake))
			env.Setenv("ADDR", address.String())
			return nil
		},
	})
}

// movingBlocks returns the commands of both blocks of the README's guide, the
// first without its first line, which gives names.
func movingBlocks(t *testing.T) (moving, back string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Moving from the Python server\n")
	section, _, _ = strings.Cut(section, "\n### ")
	var blocks []string
	inside := false
	for line := range strings.Lines(section) {
		command, isCommand := strings.CutPrefix(line, "    ")
		if isCommand && !inside {
			blocks = append(blocks, "")
		}
		if isCommand {
			blocks[len(blocks)-1] += command
		}
		inside = isCommand
	}
	if len(blocks) != 2 {
		t.Fatalf("the README has %d blocks on moving, want 2", len(blocks))
	}
	names, moving, _ := strings.Cut(blocks[0], "\n")
	if !strings.HasPrefix(names, "BITBAKE=") {
		t.Fatalf("the README begins with %q, not with names", names)
	}
	return moving, blocks[1]
}
