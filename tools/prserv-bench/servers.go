package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"prserver/compat"
	"prserver/prserv/client"
)

const (
	host = "127.0.0.1"
	// startTimeout and stopTimeout are how long a server may take, however
	// loaded the machine is.
	startTimeout = 30 * time.Second
	stopTimeout  = 40 * time.Second // an idle Python server may take half a minute
)

// program is a bitbake-prserv to measure, ours or Python's.
type program struct {
	name    string
	command []string
}

// server is a running one.
type server struct {
	program
	dir   string // has the database file and the log, and is the caller's
	port  int
	addr  string
	pid   int
	ready time.Duration // how long it took from --start to the first answer
}

// start starts a server with its files in dir.
func (p program) start(ctx context.Context, dir string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{program: p, dir: dir, port: port, addr: net.JoinHostPort(host, strconv.Itoa(port))}
	// To be stopped a server has to be known, so --start is not interrupted.
	err = s.launch(context.WithoutCancel(ctx))
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.name, oneLine(err, s.stop()))
	}
	return s, nil
}

func (s *server) file() string { return filepath.Join(s.dir, "prserv.sqlite3") }

func (s *server) pidFile() string { return compat.PidFile(host, s.port) }

// launch runs --start and waits for the first answer.
func (s *server) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ended := make(chan error, 1)
	begin := time.Now()
	go func() {
		ended <- s.run(ctx, "--start", "--file", s.file(), "--log", filepath.Join(s.dir, "prserv.log"))
	}()
	hasEnded := false
	c := client.New(s.addr, startTimeout)
	for c.Ping(ctx) != nil {
		select {
		case err := <-ended:
			if err != nil {
				return err
			}
			hasEnded = true
		case <-ctx.Done():
			return fmt.Errorf("no answer in %v; its log: %s", startTimeout, s.log())
		case <-time.After(time.Millisecond):
		}
	}
	s.ready = time.Since(begin)
	if !hasEnded {
		if err := <-ended; err != nil {
			return err
		}
	}
	return s.findPID(ctx)
}

// findPID waits for the pid file: Python's server answers before it is there.
func (s *server) findPID(ctx context.Context) error {
	for ctx.Err() == nil {
		if pid, err := compat.ReadPid(s.pidFile()); err == nil && pid != 0 {
			s.pid = pid
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("no process in %s", s.pidFile())
}

// run runs the program to its end. Its output goes to a file, since a daemon
// keeps a pipe open.
func (s *server) run(ctx context.Context, args ...string) error {
	out, err := os.Create(filepath.Join(s.dir, "output"))
	if err != nil {
		return err
	}
	defer out.Close()
	args = append(append(s.command[1:len(s.command):len(s.command)], "--host", host, "--port", strconv.Itoa(s.port)), args...)
	cmd := exec.CommandContext(ctx, s.command[0], args...)
	cmd.Dir = s.dir // where Python's leaves a log
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%w: %s", err, lastLine(said))
	}
	return nil
}

func (s *server) log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "prserv.log"))
	return lastLine(text)
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// stop ends the server with --stop, and kills it if that fails. Its pid file is
// gone then. It does nothing for a server that never came to be.
func (s *server) stop() error {
	if s.pid == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.findPID(ctx) != nil {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := s.run(ctx, "--stop")
	for compat.IsRunning(s.pid) && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	if !compat.IsRunning(s.pid) {
		return nil
	}
	syscall.Kill(s.pid, syscall.SIGKILL)
	os.Remove(s.pidFile())
	return fmt.Errorf("stopping %s: process %d had to be killed: %w", s.name, s.pid, err)
}

// freePort finds a port that is free at all addresses. It is none of those
// that the system gives to connections, of which a load makes many.
func freePort() (int, error) {
	const first, last = 20000, 32000
	for range 100 {
		port := first + rand.IntN(last-first)
		if ln, err := net.Listen("tcp4", fmt.Sprintf(":%d", port)); err == nil {
			return port, ln.Close()
		}
	}
	return 0, fmt.Errorf("no free port from %d to %d", first, last)
}

// ask calls a method that takes no arguments, as a client that accepts gzip.
// The caller closes the body, which is packed then.
func ask(ctx context.Context, addr, method string) (*http.Response, error) {
	body := "<?xml version='1.0'?>\n<methodCall>\n<methodName>" + method + "</methodName>\n<params>\n</params>\n</methodCall>\n"
	request, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+"/RPC2", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "text/xml")
	request.Header.Set("Accept-Encoding", "gzip") // so that net/http does not unpack it
	request.Header.Set("User-Agent", "Python-xmlrpc/3.8")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	reply, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if reply.StatusCode != http.StatusOK {
		reply.Body.Close()
		return nil, fmt.Errorf("%s answered %s to %s", addr, reply.Status, method)
	}
	return reply, nil
}
