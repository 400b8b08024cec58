package main

import (
	"bufio"
	"flag"
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

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/tools/internal/scripttest"
)

func TestMain(m *testing.M) {
	scripttest.Main(m, map[string]func(){"record-golden": main, "bitbake-prserv": fake})
}

// TestScripts runs the program as a user does. It records a fake, which is $WORK/bin/bitbake-prserv.
func TestScripts(t *testing.T) {
	scripttest.Run(t, testscript.Params{
		Setup: func(env *testscript.Env) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			bin := filepath.Join(env.WorkDir, "bin")
			if err := os.Mkdir(bin, 0o755); err != nil {
				return err
			}
			return os.Symlink(program, filepath.Join(bin, "bitbake-prserv"))
		},
	})
}

// fake is a bitbake-prserv as far as the recorder knows one. What it replies is the first line of the request, and a
// line for each option that a session asks for. With such an option it answers no HTTP, as the releases that know them.
func fake() {
	host, port := flag.String("host", "", ""), flag.String("port", "", "")
	start, stop := flag.Bool("start", false, ""), flag.Bool("stop", false, "")
	flag.String("file", "", "")
	flag.String("log", "", "")
	readOnly, upstream := flag.Bool("read-only", false, ""), flag.String("upstream", "", "")
	flag.Parse()
	options := ""
	if *readOnly {
		options += "read-only\n"
	}
	if *upstream != "" {
		options += "with an upstream\n"
	}
	addr := net.JoinHostPort(*host, *port)
	pidFile := fmt.Sprintf("/tmp/PRServer_%s_%s.pid", *host, *port)
	var err error
	switch {
	case *start:
		err = fakeStart(addr, pidFile, options)
	case *stop:
		err = fakeStop(pidFile)
	default:
		err = fakeServe(flag.Arg(0), flag.Arg(1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fakeStart(addr, pidFile, options string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	server := exec.Cmd{Path: program, Args: []string{"bitbake-prserv", addr, options}}
	if err := server.Start(); err != nil {
		return err
	}
	return os.WriteFile(pidFile, []byte(strconv.Itoa(server.Process.Pid)), 0o600)
}

func fakeStop(pidFile string) error {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return err
	}
	return os.Remove(pidFile)
}

func fakeServe(addr, options string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		line, _ := bufio.NewReader(conn).ReadString('\n') // what came before the end, if there is no line
		if options == "" || !strings.HasPrefix(line, "GET ") {
			io.WriteString(conn, line+options)
		}
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn) // closing before the client has would take the reply back
		conn.Close()
	}
}
