package prservtest

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

// ServeAsPython serves a file as a server of BitBake 2.0 to 2.8 does or, with
// revisions, one of 2.10 and later: see [AsPython]. It returns the address.
func ServeAsPython(t testing.TB, file string, revisions bool) string {
	t.Helper()
	behind := Serve(t, file).Addr
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go AsPython(ln, behind, revisions)
	return ln.Addr().String()
}

// AsPython stands before the server of ours at the address behind, and lets
// through what a server of BitBake 2.0 to 2.8 understands or, with revisions,
// one of 2.10 and later. It closes a connection that is not of JSON lines, and
// without revisions leaves out the history of a command. It ends with the
// listener.
func AsPython(ln net.Listener, behind string, revisions bool) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			passOn(conn, behind, revisions)
		}()
	}
}

func passOn(conn net.Conn, behind string, revisions bool) {
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	if err != nil || line != "PRSERVICE 1.0\n" {
		return
	}
	server, err := net.Dial("tcp", behind)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(conn, server)
		conn.Close()
	}()
	for err == nil {
		if _, err = io.WriteString(server, line); err == nil {
			line, err = in.ReadString('\n')
		}
		if !revisions {
			line = strings.NewReplacer(`, "history": true`, "", `, "history": false`, "").Replace(line)
		}
	}
}
