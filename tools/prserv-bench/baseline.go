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

// nothing is the reply of the baseline to every call: that to a getPR.
const nothing = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><int>0</int></value>\n</param>\n</params>\n</methodResponse>\n"

// serveNothing answers every call with the same bytes, over net/http, until ctx
// ends. It costs what any HTTP server in Go costs. It prints its address to
// stdout.
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

// baseline is a process that runs [serveNothing].
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
	// Linux may share out processor time by session. A daemon has a session of its
	// own, so the baseline needs one too, or the comparison is not fair.
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
