package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"prserver/compat"
	"prserver/tools/internal/pyserver"
	"prserver/tools/internal/scripttest"
)

// fill fills a pipe, so that whoever writes to it waits for a reader.
func fill(t *testing.T, pipe *os.File) {
	t.Helper()
	fd := int(pipe.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for size := 4096; size > 0; {
		if _, err := unix.Write(fd, make([]byte, size)); errors.Is(err, unix.EAGAIN) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
}

// fullPipe returns a pipe that nobody reads, and its end for reading.
func fullPipe(t *testing.T) (in, out *os.File) {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); out.Close() })
	fill(t, in)
	return in, out
}

// fullFIFO makes a named pipe that is open for reading, but not read.
func fullFIFO(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "log")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	both, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { both.Close() })
	fill(t, both)
	return path
}

// TestQueueDrops drops lines while nobody reads them, and says how many.
func TestQueueDrops(t *testing.T) {
	in, out := fullPipe(t)
	lines := newLineWriter(in, func(w io.Writer, n int64) { fmt.Fprintf(w, "lost %d\n", n) })
	const more = 100
	for i := range maxQueued + more {
		fmt.Fprintf(lines, "line %d\n", i)
	}
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(out)
		read <- strings.TrimLeft(string(text), "\x00")
	}()
	lines.flush()
	<-lines.(*queue).written // flush itself waits for a bounded time
	in.Close()
	text := <-read
	got := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	kept := len(got) - 1
	// One line more than the queue holds may be on its way, and leave its room
	// to any later one.
	if kept != maxQueued && kept != maxQueued+1 {
		t.Errorf("%d lines were kept, want %d or one more", kept, maxQueued)
	}
	if want := fmt.Sprintf("lost %d", maxQueued+more-kept); got[kept] != want {
		t.Errorf("the last line is %q, want %q", got[kept], want)
	}
	for i, line := range got[:min(kept, maxQueued)] {
		if want := fmt.Sprintf("line %d", i); line != want {
			t.Fatalf("got %q, want %q", line, want)
		}
	}
}

// TestFlushIsBounded does not wait for a reader that does not come.
func TestFlushIsBounded(t *testing.T) {
	in, _ := fullPipe(t)
	log := openStderr(in, compat.LogText)
	log.logger(0).Info("lost")
	log.close()
	log.logger(0).Info("too late")
	log.close()
}

// logsSomething makes a server write to its log.
func logsSomething(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const call = "<methodCall><methodName>getPR</methodName><params><param><value>v</value></param>" +
		"<param><value><nil/></value></param><param><value>c</value></param></params></methodCall>"
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s", len(call), call)
	reply, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(reply), "<nil/>") {
		t.Errorf("a call that logs: %q, %v", reply, err)
	}
}

// TestLogToAPipeNobodyReads answers calls and ends, while nobody reads the log:
// stderr and a named pipe, in the foreground and as a daemon.
func TestLogToAPipeNobodyReads(t *testing.T) {
	for _, test := range []struct {
		name           string
		fifo, isDaemon bool
	}{
		{"stderr", false, false}, {"named pipe", true, false}, {"daemon", true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			address, err := pyserver.FreeAddress()
			if err != nil {
				t.Fatal(err)
			}
			addr := net.JoinHostPort(address.Host, strconv.Itoa(address.Port))
			args := []string{"--start", "--host", address.Host, "--port", strconv.Itoa(address.Port),
				"--file", filepath.Join(t.TempDir(), "db"), "--pidfile", filepath.Join(t.TempDir(), "pid")}
			if test.fifo {
				args = append(args, "--log", fullFIFO(t))
			}
			if !test.isDaemon {
				args = append(args, "--foreground")
			}
			cmd := exec.Command("bitbake-prserv", args...)
			cmd.Stderr, _ = fullPipe(t)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			running := cmd.Process.Pid
			if test.isDaemon {
				if err := <-ended; err != nil {
					t.Fatal(err)
				}
				if running, err = compat.ReadPid(args[8]); err != nil {
					t.Fatal(err)
				}
			}
			defer syscall.Kill(running, syscall.SIGKILL) // it has ended, unless the test has failed
			scripttest.WaitFor(t, "a listener", func() bool { return ask(addr).Ping(t.Context()) == nil })
			logsSomething(t, addr)
			get(t, addr, "v/all/a", 0)
			if test.isDaemon {
				stop := exec.Command("bitbake-prserv", append([]string{"--stop"}, args[1:9]...)...)
				if out, err := stop.CombinedOutput(); err != nil || string(out) != "Waiting for pr-server to exit.\n" {
					t.Errorf("--stop: %v\n%s", err, out)
				}
				return
			}
			if err := syscall.Kill(running, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			scripttest.WaitFor(t, "the end", func() bool { return len(ended) > 0 })
			if err := <-ended; err != nil {
				t.Errorf("the server ended with %v", err)
			}
		})
	}
}
