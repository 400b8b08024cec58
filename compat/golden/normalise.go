package golden

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
)

const (
	lineEnd  = "\r\n"
	starred  = "*"
	encoding = "content-encoding"
	length   = "content-length"
)

// Normalise replaces what differs between two recordings of the same reply: the values of the headers Server
// and Date become "*". A gzipped body is stored inflated, with "*" for its Content-length, because deflate
// leaves the compressor a choice. All else stays as it was sent. A reply without status line (HTTP/0.9) is
// left alone. Normalise of a normalised reply changes nothing.
func Normalise(reply []byte) []byte {
	headers, rest, ok := split(reply)
	if !ok {
		return reply
	}
	inflated, isGzip := inflate(headers, rest)
	if isGzip {
		rest = inflated
	}
	for i, header := range headers {
		name, _, found := strings.Cut(header, ":")
		switch key := strings.ToLower(name); {
		case !found || i == 0:
		case key == "server", key == "date", key == length && isGzip:
			headers[i] = name + ": " + starred
		}
	}
	return join(headers, rest)
}

// Comparable normalises a reply and drops the header lines that are ours to choose: Server names the program,
// Date is the time, and Connection is sent by us with every reply and by the reference with its HTML error
// pages only; it closes all the same, but a client that keeps connections has to find out (a parser forked
// with the connection gets another's answer). Everything else of two such forms must be equal.
func Comparable(reply []byte) []byte {
	headers, rest, ok := split(Normalise(reply))
	if !ok {
		return reply
	}
	kept := headers[:1]
	for _, header := range headers[1:] {
		name, _, _ := strings.Cut(header, ":")
		switch strings.ToLower(name) {
		case "server", "date", "connection":
		default:
			kept = append(kept, header)
		}
	}
	return join(kept, rest)
}

// split takes a reply apart into its status line and header lines, and the rest from the empty line on. The
// rest is nil where the reply ends within the headers, as the reference's does when it fails while answering.
func split(reply []byte) ([]string, []byte, bool) {
	if !bytes.HasPrefix(reply, []byte("HTTP/")) {
		return nil, nil, false
	}
	head, rest := reply, []byte(nil)
	if i := bytes.Index(reply, []byte(lineEnd+lineEnd)); i >= 0 {
		head, rest = reply[:i+len(lineEnd)], reply[i+len(lineEnd):]
	}
	return strings.Split(string(head), lineEnd), rest, true
}

// join is the reverse of split. A head that ended in a line end has an empty last line.
func join(headers []string, rest []byte) []byte {
	return append([]byte(strings.Join(headers, lineEnd)), rest...)
}

// inflate returns the rest of a reply with its body inflated, if the headers say that it is gzipped and it is.
func inflate(headers []string, rest []byte) ([]byte, bool) {
	if rest == nil || !hasHeader(headers, encoding, "gzip") {
		return nil, false
	}
	reader, err := gzip.NewReader(bytes.NewReader(rest[len(lineEnd):]))
	if err != nil {
		return nil, false
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		return nil, false
	}
	return append([]byte(lineEnd), body...), true
}

func hasHeader(headers []string, name, value string) bool {
	for _, header := range headers {
		n, v, ok := strings.Cut(header, ":")
		if ok && strings.EqualFold(n, name) && strings.TrimSpace(v) == value {
			return true
		}
	}
	return false
}
