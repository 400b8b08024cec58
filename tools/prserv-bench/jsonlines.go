package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// hello is what the client of BitBake 2.8 and later sends first.
const hello = "PRSERVICE 1.0\nneeds-headers: false\n\n"

// writeLine puts the line that BitBake's client sends for a get-pr into
// c.request, behind the hello if the connection is new.
func (c *caller) writeLine(key int, checksum string, isNew bool) {
	c.request.Reset()
	if isNew {
		c.request.WriteString(hello)
	}
	history := ""
	if c.load.Generation == 3 {
		history = `, "history": false`
	}
	fmt.Fprintf(&c.request, `{"get-pr": {"version": "bench-package-%d-1.0-r0", "pkgarch": "core2-64", "checksum": "%s"%s}}`+"\n",
		key, checksum, history)
}

// readLine reads an answer. It returns an error unless that has a value of the
// generation asked for.
func (c *caller) readLine() error {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		if len(line) > 0 {
			return cutShort(err)
		}
		return fmt.Errorf("no answer: %w", err)
	}
	value, ok := bytes.CutPrefix(line, []byte(`{"value": `))
	isText := ok && value[0] == '"'
	isNumber := ok && value[0] >= '0' && value[0] <= '9'
	if isText && c.load.Generation == 3 || isNumber && c.load.Generation == 2 {
		return nil
	}
	var answer struct {
		InvokeError struct{ Message string } `json:"invoke-error"`
	}
	if json.Unmarshal(line, &answer); answer.InvokeError.Message != "" {
		return fmt.Errorf("the server answered the error %s", quoted([]byte(answer.InvokeError.Message)))
	}
	return fmt.Errorf("no value of generation %d in the answer %s", c.load.Generation, quoted(line))
}

// silent opens sessions, and has an answer in each. They end with the function
// that is returned, also beside an error.
func silent(ctx context.Context, addr string, sessions int) (end func(), err error) {
	var callers []*caller
	end = func() {
		for _, c := range callers {
			c.hangUp()
		}
	}
	for range sessions {
		c := &caller{load: load{Generation: 2, KeepAlive: true}, addr: addr}
		callers = append(callers, c)
		if err := c.call(ctx, 0, "known"); err != nil {
			return end, fmt.Errorf("opening session %d of %d: %w", len(callers), sessions, err)
		}
	}
	return end, nil
}

// spread makes a dialer use one of loopback's many addresses, if the server is
// there. A client of this protocol closes its connection before the server does,
// and so keeps its port busy for a while: one address has too few of them.
func (c *caller) spread(dialer *net.Dialer) {
	host, _, _ := net.SplitHostPort(c.addr)
	if server := net.ParseIP(host).To4(); server == nil || server[0] != 127 {
		return
	}
	dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 251, byte(c.number>>8), byte(c.number))}
	dialer.Control = func(_, _ string, conn syscall.RawConn) error {
		var err error
		// Without it the port is chosen before it is known which ones are in use
		// for this server.
		failed := conn.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		})
		return errors.Join(failed, err)
	}
}
