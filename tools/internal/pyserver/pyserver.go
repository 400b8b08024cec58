// Package pyserver starts and stops a bitbake-prserv as a daemon, ours or
// Python's of any release: all take the same options. The benchmark, the recorder and the
// tests share it. Start with [Program.Start].
package pyserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"prserver/compat"
)

const (
	// startTimeout and stopTimeout are far more than a server takes, even on a
	// machine that does much else. An idle Python server ends within half a
	// minute.
	startTimeout = time.Minute
	stopTimeout  = 2 * time.Minute
	poll         = time.Millisecond
)

// Program is a bitbake-prserv: the command that runs it, without options.
type Program []string

// Python returns the bitbake-prserv of a checkout of BitBake, run by a Python.
// Both are absolute paths; the Python is no shim of a version manager, which
// would need the caller's environment.
func Python(python, bitbake string) Program {
	return Program{python, filepath.Join(bitbake, "bin", "bitbake-prserv")}
}

// Server is a server that runs as a daemon.
type Server struct {
	File string // its database; the folder holds its log too
	Addr string
	PID  int
	// Ready is how long it took from --start to the first answer.
	Ready time.Duration

	program Program
	address Address
}

// Start starts a server on a database file, which need not exist, at an address
// of its own, with more options if there are any. With --database among these it
// serves that, and the file only says where its log is. It returns once the server answers and its pid file is there.
// The file is an absolute path, and its folder is the caller's to remove.
// After an error no server is left.
func (p Program) Start(ctx context.Context, file string, options ...string) (*Server, error) {
	address, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	s := &Server{File: file, Addr: address.String(), program: p, address: address}
	// Only a server whose process is known can be stopped: ctx does not interrupt
	// --start.
	err = s.launch(context.WithoutCancel(ctx), options)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if stopErr := s.Stop(); stopErr != nil {
			err = fmt.Errorf("%w; %w", err, stopErr)
		}
		return nil, err
	}
	return s, nil
}

// launch runs --start and waits for the first answer.
func (s *Server) launch(ctx context.Context, options []string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ended := make(chan error, 1)
	begin := time.Now()
	if !slices.Contains(options, "--database") {
		options = append([]string{"--file", s.File}, options...)
	}
	options = append([]string{"--start", "--log", s.log()}, options...)
	go func() { ended <- s.run(ctx, options...) }()
	hasEnded := false
	for !s.answers(ctx) {
		select {
		case err := <-ended:
			if err != nil {
				return err
			}
			hasEnded = true
		case <-ctx.Done():
			return fmt.Errorf("no answer in %v; its log: %s", startTimeout, lastLine(s.log()))
		case <-time.After(poll):
		}
	}
	s.Ready = time.Since(begin)
	if !hasEnded {
		if err := <-ended; err != nil {
			return err
		}
	}
	// Python's server answers before its pid file is there.
	for s.findPID(); s.PID == 0; s.findPID() {
		if ctx.Err() != nil {
			return fmt.Errorf("no process in %s", s.pidFile())
		}
		time.Sleep(poll)
	}
	return nil
}

// answers reports whether the server answers a request. One that speaks JSON
// lines only closes without a word when it is asked over HTTP; ours, which knows
// HTTP, would log it if it was asked in the other order. The message null ends
// the connection.
func (s *Server) answers(ctx context.Context) bool {
	return s.answersTo(ctx, "GET / HTTP/1.0\r\n\r\n") || s.answersTo(ctx, "PRSERVICE 1.0\n\n{\"ping\": null}\nnull\n")
}

// answersTo reports whether the server answers these bytes. It waits for the
// answer if somebody listens.
func (s *Server) answersTo(ctx context.Context, request string) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	if _, err := io.WriteString(conn, request); err != nil {
		return false
	}
	n, _ := io.Copy(io.Discard, conn) // any answer will do: both requests change nothing
	return n > 0
}

func (s *Server) log() string { return filepath.Join(filepath.Dir(s.File), "prserv.log") }

func (s *Server) pidFile() string { return compat.PidFile(s.address.Host, s.address.Port) }

// findPID sets PID if the pid file is there and complete.
func (s *Server) findPID() {
	if pid, err := compat.ReadPid(s.pidFile()); err == nil {
		s.PID = pid
	}
}

// run runs the program to its end.
func (s *Server) run(ctx context.Context, options ...string) error {
	dir := filepath.Dir(s.File)
	// The daemon would keep a pipe open, so the output goes to a file.
	out, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		return fmt.Errorf("making a file for the output: %w", err)
	}
	defer out.Close()
	args := append(s.program[1:len(s.program):len(s.program)], "--host", s.address.Host, "--port", strconv.Itoa(s.address.Port))
	cmd := exec.CommandContext(ctx, s.program[0], append(args, options...)...)
	cmd.Dir = dir // where Python's leaves a prserv.log
	cmd.Env = environment(dir)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, lastLine(out.Name()))
	}
	return nil
}

// environment returns the environment of every server: what it does may not
// depend on the caller's. Only the mark of a run of scripts/test is handed on,
// by which that finds servers that are left running.
func environment(home string) []string {
	const mark = "PRSERV_TEST_RUN"
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C.UTF-8", "TZ=UTC",
		"PYTHONDONTWRITEBYTECODE=1", mark + "=" + os.Getenv(mark),
	}
}

func lastLine(file string) string {
	text, _ := os.ReadFile(file) // without it there is nothing to tell
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// Stop ends the server with --stop, and kills it if that fails, which is an
// error. It is one, too, if the server has left its pid file. Afterwards there
// is neither the process nor the file. A server that has ended by itself, or
// never came to be, is stopped already.
func (s *Server) Stop() error {
	if s.PID == 0 {
		if s.findPID(); s.PID == 0 {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var err error
	if compat.IsRunning(s.PID) {
		err = s.run(ctx, "--stop") // which complains of a server that is about to end
	}
	for compat.IsRunning(s.PID) {
		if ctx.Err() != nil {
			syscall.Kill(s.PID, syscall.SIGKILL)
			os.Remove(s.pidFile())
			return fmt.Errorf("process %d does not end and was killed: %w", s.PID, errors.Join(ctx.Err(), err))
		}
		time.Sleep(poll)
	}
	if os.Remove(s.pidFile()) == nil {
		return fmt.Errorf("process %d has left its pid file %s", s.PID, s.pidFile())
	}
	return nil
}
