package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"prserver/tools/internal/pyserver"
)

// fileName is that of every database, in a folder of its own.
const fileName = "prserv.sqlite3"

// program is a bitbake-prserv to measure, ours or Python's.
type program struct {
	name string
	pyserver.Program
}

// server is a running server to measure.
type server struct {
	name       string
	generation int // whose clients ask it
	*pyserver.Server
}

// start starts the program with its files in the folder dir/name, which it makes.
// The database may be there already, or options name another one.
func (p program) start(ctx context.Context, dir, name string, options ...string) (server, error) {
	dir = filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return server{}, fmt.Errorf("making a folder: %w", err)
	}
	s, err := p.Program.Start(ctx, filepath.Join(dir, fileName), options...)
	if err != nil {
		return server{}, fmt.Errorf("starting %s: %w", p.name, err)
	}
	return server{p.name, 1, s}, nil
}

// stop stops the server. It returns an error if the server had to be killed.
func (s server) stop() error {
	if err := s.Stop(); err != nil {
		return fmt.Errorf("stopping %s: %w", s.name, err)
	}
	return nil
}
