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
		begin, err := r.Peek(max(n, r.Buffered()))
		n = len(begin)
		switch speaks := guess(begin); {
		case speaks != unknownProtocol:
			return speaks, nil
		case errors.Is(err, bufio.ErrBufferFull), errors.Is(err, io.EOF) && len(begin) > 0:
			return xmlRPC, nil // HTTP has an answer to that
		case err != nil:
			return unknownProtocol, err
		}
	}
}

// leadingSpace is what Python's split() skips at the beginning of a line.
const leadingSpace = " \t\r\v\f\x1c\x1d\x1e\x1f"

// guess tells what a client speaks that begins like this, as soon as it can.
func guess(begin []byte) protocol {
	begin = bytes.TrimLeft(begin, leadingSpace)
	name, rest := begin[:min(len(begin), len(protocolName))], begin[min(len(begin), len(protocolName)):]
	switch {
	case string(name) != protocolName[:len(name)]:
		return xmlRPC
	case len(rest) == 0:
		return unknownProtocol
	case isLetter(rest[0]): // a method of HTTP of a longer name
		return xmlRPC
	case rest[0] != ' ':
		return jsonLines
	case len(rest) == 1:
		return unknownProtocol
	case rest[1] == '/': // a method of HTTP of that name
		return xmlRPC
	}
	return jsonLines
}

func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
