package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/client"
	"prserver/tools/internal/scripttest"
)

// program is bitbake-prserv in the foreground. It is the one that TestMain has
// put into PATH.
type program struct {
	addr  string // empty if it serves a socket that it was given
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended

	mu  sync.Mutex
	log bytes.Buffer // its stderr; guarded by mu
}

var started = regexp.MustCompile(` NOTE: Started PRServer with DBfile: (.*), IP: (.*), PORT: (\d+), PID: (\d+)$`)

// startProgram starts the program on a file, at a port that the system
// chooses, and returns when it serves.
func startProgram(t *testing.T, file string) *program {
	t.Helper()
	cmd := exec.Command("bitbake-prserv", "--foreground", "--host", "127.0.0.1", "--port", "0", "--file", file)
	p, serving := launch(t, cmd)
	select {
	case m := <-serving:
		p.addr = net.JoinHostPort(m[2], m[3])
		if pid := fmt.Sprint(p.pid()); m[1] != file || m[4] != pid {
			t.Errorf("it says %q, but has the file %s and the pid %s", m[0], file, pid)
		}
	case <-p.ended:
		t.Fatalf("the server has ended: %v\n%s", p.cmd.ProcessState, p.said())
	case <-time.After(scripttest.Patience):
		t.Fatalf("the server does not say that it serves:\n%s", p.said())
	}
	return p
}

// startOn starts the program on a file and hands it a socket, as systemd would.
// It does not wait: until the program serves, clients wait in the socket.
func startOn(t *testing.T, socket *os.File, file string) *program {
	t.Helper()
	return startWith(t, socket, "--file", file)
}

// startWith is [startOn] for a database that options name.
func startWith(t *testing.T, socket *os.File, options ...string) *program {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"`, "sh",
		"bitbake-prserv", "--foreground", "--loglevel", "ERROR")
	cmd.Args = append(cmd.Args, options...)
	cmd.ExtraFiles = []*os.File{socket}
	p, _ := launch(t, cmd)
	return p
}

// keptSocket listens at an address. The socket stays open until the test ends,
// so that clients wait while there is no server.
func keptSocket(t *testing.T) (addr string, socket *os.File) {
	t.Helper()
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if socket, err = ln.File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return ln.Addr().String(), socket
}

// launch starts a command that becomes the program. What the program says when
// it serves comes from the channel.
func launch(t *testing.T, cmd *exec.Cmd) (*program, <-chan []string) {
	t.Helper()
	p := &program{cmd: cmd, ended: make(chan struct{})}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan []string, 1)
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if m := started.FindStringSubmatch(lines.Text()); m != nil {
				serving <- m
			}
		}
		cmd.Wait() // stop and kill look at how it ended
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("log of the server:\n%s", p.said())
		}
	})
	return p, serving
}

func (p *program) pid() int { return p.cmd.Process.Pid }

func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// wait waits until the program has ended by itself.
func (p *program) wait(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(scripttest.Patience):
		p.cmd.Process.Kill()
		<-p.ended
		t.Errorf("the server did not end and was killed")
		return
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the server ended with %v, want exit code 0\n%s", p.cmd.ProcessState, p.said())
	}
}

// stop ends the program if it runs.
func (p *program) stop(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
		return
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	p.wait(t)
}

// kill kills the program, which must be running.
func (p *program) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if !p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		t.Fatalf("the server ended by itself: %v\n%s", p.cmd.ProcessState, p.said())
	}
}

func ask(addr string) *client.Client { return client.New(addr, scripttest.Patience) }

// readDump reads a whole dump.
func readDump(dump io.ReadCloser, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer dump.Close()
	text, err := io.ReadAll(dump)
	return string(text), err
}

// get asks for the value of a key VERSION/PKGARCH/CHECKSUM, which has to be want.
func get(t *testing.T, addr, key string, want int64) {
	t.Helper()
	k := strings.Split(key, "/")
	got, err := ask(addr).GetPR(t.Context(), k[0], k[1], k[2])
	if err != nil || got != want {
		t.Errorf("getPR %s: got %d, %v; want %d", key, got, err, want)
	}
}
