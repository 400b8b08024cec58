package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"prserver/compat/golden"
)

// A reference is a bitbake and the Python to run it with.
type reference struct {
	bitbake, python string
}

// A server is one running reference.
type server struct {
	reference
	dir  string // temporary, holds the database and the log
	port string
	addr string
	pid  int
}

const host = "127.0.0.1"

// seedProgram runs the script on standard input on a database file. It is Python 2 and 3.
const seedProgram = `
import io, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript(io.open(0, encoding="utf-8", newline="").read())
db.commit()
db.close()
`

const (
	startAttempts = 3
	startPatience = 15 * time.Second
	endPatience   = 15 * time.Second
)

// start makes the database file if there is a seed, starts a server on it, and waits until it answers. It tries
// again with another port when the first was taken in between.
func (r reference) start(ctx context.Context, seed string) (*server, error) {
	var errs []error
	for range startAttempts {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s, err := r.startOnce(ctx, seed)
		if err == nil {
			return s, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (r reference) startOnce(ctx context.Context, seed string) (*server, error) {
	dir, err := os.MkdirTemp("", "record-golden-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	s := &server{reference: r, dir: dir}
	if err := s.launch(ctx, seed); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if err := s.waitReady(ctx); err != nil {
		return nil, errors.Join(err, s.stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *server) launch(ctx context.Context, seed string) error {
	if seed != "" {
		command := s.command(ctx, "-c", seedProgram, s.database())
		command.Stdin = strings.NewReader(seed)
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("seeding the database: %w: %s", err, out)
		}
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	s.port = port
	s.addr = net.JoinHostPort(host, port)
	// To be stopped a server has to be known: its start is not interrupted.
	return s.prserv(context.WithoutCancel(ctx), "--start", "--file", s.database(), "--log", filepath.Join(s.dir, "server.log"))
}

func (s *server) database() string {
	return filepath.Join(s.dir, "prserv.sqlite3")
}

// prserv runs bitbake-prserv to its end. Its output goes to a file: a daemon keeps a pipe open for a while.
func (s *server) prserv(ctx context.Context, args ...string) error {
	out, err := os.Create(filepath.Join(s.dir, "command.log"))
	if err != nil {
		return fmt.Errorf("making a file for the output: %w", err)
	}
	defer out.Close()
	args = append([]string{filepath.Join(s.bitbake, "bin", "bitbake-prserv"), "--host", host, "--port", s.port}, args...)
	command := s.command(ctx, args...)
	command.Stdout, command.Stderr = out, out
	if err := command.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("running bitbake-prserv: %w: %s", err, said)
	}
	return nil
}

// command runs Python in the temporary folder, where bitbake-prserv leaves a prserv.log, and in a fixed
// environment: nothing recorded may depend on the caller's.
func (s *server) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, s.python, args...)
	command.Dir = s.dir
	command.Env = []string{
		"PATH=/usr/bin:/bin", "HOME=" + s.dir, "LC_ALL=C.UTF-8", "TZ=UTC",
		"PYTHONDONTWRITEBYTECODE=1",
	}
	return command
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), nil
}

// waitReady waits for the pid file and for an answer; any answer does. GET changes nothing.
func (s *server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	err := poll(ctx, func() bool {
		text, err := os.ReadFile(s.pidFile())
		if err != nil {
			return false
		}
		s.pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the pid file: %w", err)
	}
	err = poll(ctx, func() bool {
		reply, err := golden.Send(ctx, s.addr, golden.Exchange{Request: []byte("GET / HTTP/1.0\r\n\r\n")})
		return err == nil && len(reply) > 0
	})
	if err != nil {
		return fmt.Errorf("waiting for an answer: %w", err)
	}
	return nil
}

func (s *server) pidFile() string {
	return fmt.Sprintf("/tmp/PRServer_%s_%s.pid", host, s.port)
}

// stop ends the server with --stop and kills it when that fails. A server that a session made quit has its pid
// file removed already, and --stop complains about that. The pid file and the folder are gone afterwards.
func (s *server) stop(ctx context.Context) error {
	defer os.RemoveAll(s.dir)
	if s.pid == 0 {
		return nil
	}
	stopErr := s.prserv(ctx, "--stop")
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	if poll(ctx, func() bool { return !s.running() }) == nil {
		return nil
	}
	killErr := syscall.Kill(s.pid, syscall.SIGKILL)
	os.Remove(s.pidFile())
	return errors.Join(errors.New("the server had to be killed"), stopErr, killErr)
}

func (s *server) running() bool {
	return !errors.Is(syscall.Kill(s.pid, 0), syscall.ESRCH)
}

// poll waits for a condition until ctx ends.
func poll(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
