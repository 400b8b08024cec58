package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// nothing is what the baseline answers: the reply to a getPR.
const nothing = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><int>0</int></value>\n</param>\n</params>\n</methodResponse>\n"

// serveNothing serves fixed bytes over net/http until ctx ends: what is left
// when a PR server has nothing to do but to be an HTTP server. It prints its
// address.
func serveNothing(ctx context.Context, stdout io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, ln.Addr())
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/xml")
		connection := "close"
		if strings.EqualFold(r.Header.Get("Connection"), "keep-alive") {
			connection = "keep-alive"
		}
		w.Header().Set("Connection", connection)
		io.WriteString(w, nothing)
	})}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(ln); ctx.Err() == nil {
		return err
	}
	return nil
}

// baseline is a process that serves nothing.
type baseline struct {
	cmd  *exec.Cmd
	addr string
	pid  int
}

func startBaseline(ctx context.Context) (*baseline, error) {
	b, err := launchBaseline(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting the baseline: %w", err)
	}
	return b, nil
}

func launchBaseline(ctx context.Context) (*baseline, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "-serve-nothing")
	// A daemon has a session of its own, to which Linux may give processor time
	// as to one process; a server without would be compared with the wrong one.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Args[0] = os.Args[0] // so that it goes by this name in ps
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &baseline{cmd: cmd, pid: cmd.Process.Pid}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.stop()
		return nil, err
	}
	b.addr = strings.TrimSpace(addr)
	return b, nil
}

func (b *baseline) stop() {
	b.cmd.Process.Signal(syscall.SIGTERM)
	b.cmd.Wait()
}
