package prserv

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// protocol is what a client speaks.
type protocol uint8

const (
	unknownProtocol protocol = iota
	xmlRPC                   // XML-RPC over HTTP: BitBake up to 1.50
	jsonLines                // JSON, a message a line: BitBake 1.52 and later
)

// What the JSON-lines protocol is called, and the version of it. Its clients send
// both first, with a space between.
//
// Source: lib/bb/asyncrpc/client.py:AsyncClient.setup_connection of BitBake 2.8.
const (
	protocolName    = "PRSERVICE"
	protocolVersion = "1.0"
)

// sniff tells by the first bytes of a connection what its client speaks, and
// leaves them to be read. It waits for no more bytes than it needs: a client
// may send half a request and wait. The error is that of reading.
func sniff(r *bufio.Reader) (protocol, error) {
	for n := 1; ; n++ {
		begin, err := r.Peek(n)
		switch speaks := guess(begin); {
		case speaks != unknownProtocol:
			return speaks, nil
		case errors.Is(err, io.EOF) && len(begin) > 0: // HTTP has an answer to that
			return xmlRPC, nil
		case err != nil:
			return unknownProtocol, err
		}
	}
}

// guess tells what a client speaks that begins like this, as soon as it can.
func guess(begin []byte) protocol {
	name, rest := begin[:min(len(begin), len(protocolName))], begin[min(len(begin), len(protocolName)):]
	switch {
	case string(name) != protocolName[:len(name)]:
		return xmlRPC
	case len(rest) > 0 && !bytes.ContainsAny(rest[:1], " \t\r\n"):
		return xmlRPC
	case len(rest) > 1 && rest[1] == '/': // a method of HTTP, of that name
		return xmlRPC
	case len(rest) > 1 || len(rest) == 1 && rest[0] == '\n':
		return jsonLines
	}
	return unknownProtocol
}
