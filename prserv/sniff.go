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

// hello is how a client of BitBake 1.52 and later begins. No HTTP does.
//
// Source: lib/bb/asyncrpc/client.py:AsyncClient.setup_connection of BitBake 2.8.
const hello = "PRSERVICE 1.0"

// sniff tells by the first bytes of a connection what its client speaks, and
// leaves them to be read. It waits for no more bytes than it needs: a client
// may send half a request and wait. The error is that of reading.
func sniff(r *bufio.Reader) (protocol, error) {
	for n := 1; n <= len(hello); n++ {
		begin, err := r.Peek(n)
		switch {
		case !bytes.Equal(begin, []byte(hello)[:len(begin)]):
			return xmlRPC, nil
		case errors.Is(err, io.EOF) && len(begin) > 0: // HTTP has an answer to that
			return xmlRPC, nil
		case err != nil:
			return unknownProtocol, err
		}
	}
	return jsonLines, nil
}
