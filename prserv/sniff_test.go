package prserv_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"prserver/prserv"
	"prserver/prserv/client"
	"prserver/prserv/prservtest"
)

// TestSniff tells protocols apart by as few bytes as they need, however these
// come.
func TestSniff(t *testing.T) {
	for _, test := range []struct {
		begin string
		want  prserv.Protocol
	}{
		{"POST / HTTP/1.1\r\n", prserv.XMLRPC},
		{"PROPFIND / HTTP/1.1\r\n", prserv.XMLRPC}, // shares two letters with the hello
		{"PRSERVICE / HTTP/1.1\r\n", prserv.XMLRPC},
		{"PRSERV", prserv.XMLRPC}, // cut short; HTTP has an answer to that
		{"\r\n", prserv.XMLRPC},
		{"{}", prserv.XMLRPC},
		{"PRSERVICE 1.0\n\n", prserv.JSONLines},
		{"PRSERVICE 2.0\n", prserv.XMLRPC},
	} {
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(test.begin), "byte by byte": iotest.OneByteReader(strings.NewReader(test.begin)),
		} {
			in := bufio.NewReader(r)
			got, err := prserv.Sniff(in)
			if err != nil || got != test.want {
				t.Errorf("%q %s: got %v, %v; want %v", test.begin, name, got, err, test.want)
			}
			if rest, err := io.ReadAll(in); err != nil || string(rest) != test.begin {
				t.Errorf("%q %s: %q is left to be read, %v", test.begin, name, rest, err)
			}
		}
	}
	if got, err := prserv.Sniff(bufio.NewReader(strings.NewReader(""))); err == nil {
		t.Errorf("of nothing: got %v", got)
	}
}

// TestSniffWaitsForNoMore knows HTTP by its first byte.
func TestSniffWaitsForNoMore(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	go theirs.Write([]byte("G")) // and nothing more
	if got, err := prserv.Sniff(bufio.NewReader(ours)); err != nil || got != prserv.XMLRPC {
		t.Errorf("got %v, %v", got, err)
	}
	ours.Close()
}

// TestTurnedAway closes the connections of clients of BitBake 1.52 and later,
// and tells of it once, and of how often it came again.
func TestTurnedAway(t *testing.T) {
	logged := &prservtest.Log{}
	addr, end := serveConfig(t, prserv.Config{Log: slog.New(slog.NewTextHandler(logged, nil))})
	for range 3 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "PRSERVICE 1.0\n\n{\"ping\": {}}\n")
		closedByServer(t, conn)
		conn.Close()
	}
	if err := client.New(addr, client.Timeout).Ping(t.Context()); err != nil {
		t.Errorf("another client: %v", err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]int{"A client at 127.0.0.1 was turned away": 2, "2 more like this": 1} {
		if n := strings.Count(logged.String(), text); n != want {
			t.Errorf("%d warnings of %q, want %d: %s", n, text, want, logged)
		}
	}
}
