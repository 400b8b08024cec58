package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"prserver/tools/internal/pyserver"
)

// reference is a bitbake and the Python to run it with.
type reference struct {
	bitbake, python string
}

// server is one running reference.
type server struct {
	addr    string
	dir     string // temporary, holds the database and the log
	running *pyserver.Server
}

// seedProgram runs the script on standard input on a database file. It is Python 2 and 3.
const seedProgram = `
import io, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript(io.open(0, encoding="utf-8", newline="").read())
db.commit()
db.close()
`

// start starts a server on a new database file, which has been made with the seed if that is not empty.
func (r reference) start(ctx context.Context, seed string, options ...string) (*server, error) {
	dir, err := os.MkdirTemp("", "record-golden-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	file := filepath.Join(dir, "prserv.sqlite3")
	if err := r.seed(ctx, file, seed); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	running, err := pyserver.Python(r.python, r.bitbake).Start(ctx, file, options...)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return &server{running.Addr, dir, running}, nil
}

func (r reference) seed(ctx context.Context, file, seed string) error {
	if seed == "" {
		return nil
	}
	command := exec.CommandContext(ctx, r.python, "-c", seedProgram, file)
	command.Stdin = strings.NewReader(seed)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("seeding the database: %w: %s", err, out)
	}
	return nil
}

// stop ends the server and removes its folder.
func (s *server) stop() error {
	return errors.Join(s.running.Stop(), os.RemoveAll(s.dir))
}
