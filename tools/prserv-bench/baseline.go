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
	"strconv"
	"strings"
	"syscall"
)

// What the baseline answers to every call: the reply to a getPR, by the
// generation of its clients.
const (
	nothing  = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><int>0</int></value>\n</param>\n</params>\n</methodResponse>\n"
	nothing2 = `{"value": 0}` + "\n"
	nothing3 = `{"value": "0"}` + "\n"
)

// serveNothing answers every call with the same bytes until ctx ends, over
// net/http or in lines. It costs what any such server in Go costs. It prints its
// address to stdout.
func serveNothing(ctx context.Context, stdout io.Writer, generation int) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, ln.Addr())
	if generation > 1 {
		return answerLines(ctx, ln, map[int]string{2: nothing2, 3: nothing3}[generation])
	}
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

// answerLines answers each line of a message with the same one.
func answerLines(ctx context.Context, ln net.Listener, answer string) error {
	context.AfterFunc(ctx, func() { ln.Close() })
	for {
		conn, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		go func() {
			defer conn.Close()
			lines := bufio.NewReader(conn)
			for {
				line, err := lines.ReadSlice('\n')
				if err != nil {
					return
				}
				if line[0] != '{' {
					continue // it belongs to the hello
				}
				if _, err := io.WriteString(conn, answer); err != nil {
					return
				}
			}
		}()
	}
}

// baseline is a process that runs [serveNothing].
type baseline struct {
	cmd  *exec.Cmd
	addr string
	pid  int
}

// startBaseline starts a baseline for clients of a generation.
func startBaseline(ctx context.Context, generation int) (*baseline, error) {
	b, err := launchBaseline(ctx, generation)
	if err != nil {
		return nil, fmt.Errorf("starting the baseline: %w", err)
	}
	return b, nil
}

func launchBaseline(ctx context.Context, generation int) (*baseline, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "-serve-nothing", "-generation", strconv.Itoa(generation))
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
