package prserv_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"prserver/prserv"
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
		{"PRSERVICE\t1.0\n", prserv.JSONLines},
		{"PRSERVICE\n", prserv.JSONLines}, // the version is missing, which is not answered
		{"PRSERVICE 2.0\n", prserv.JSONLines},
		{"PRSERVICES 1.0\n", prserv.XMLRPC},
		{"PRSERVICE\f1.0\n", prserv.JSONLines},
		{"PRSERVICE\u00a01.0\n", prserv.JSONLines},
		{"PRSERVICE1.0\n", prserv.JSONLines}, // not answered
		{"PRSERVICE:", prserv.JSONLines},     // nor that
		{" \t\x1fPRSERVICE 1.0\n", prserv.JSONLines},
		{" POST / HTTP/1.1\r\n", prserv.XMLRPC},
		{"\nPRSERVICE 1.0\n", prserv.XMLRPC},
		{" ", prserv.XMLRPC},
		{strings.Repeat(" ", 5000) + "PRSERVICE 1.0\n", prserv.XMLRPC},
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
