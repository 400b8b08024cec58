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

// Normalise returns the form in which a reply to the session is recorded: [Normalise] of it, or, in a JSON-lines
// session, [Abridge].
func (s Session) Normalise(reply []byte) []byte {
	if s.JSONLines {
		return Abridge(reply)
	}
	return Normalise(reply)
}

// Comparable returns the form in which our reply to the session and the reference's must be equal: [Comparable] of it,
// or, in a JSON-lines session, [Abridge].
func (s Session) Comparable(reply []byte) []byte {
	if s.JSONLines {
		return Abridge(reply)
	}
	return Comparable(reply)
}

// Normalise replaces what differs between two recordings of the same reply over HTTP. The values of the headers Server and Date
// become "*". A gzipped body is inflated, and its Content-length becomes "*", because compressors may differ. All else
// stays as it was sent; so does a reply without status line (HTTP/0.9). Normalise of a normalised reply changes nothing.
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

// Comparable returns the form in which our reply over HTTP and the reference's must be equal: normalised, and without the header
// lines that are ours to choose. Server names the program and Date is the time. Connection is sent by us with every
// reply, by the reference only with its HTML error pages, though it closes after every reply. Ours says so because a
// client might keep the connection otherwise, and a process forked with it would get another's reply.
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

// split takes a reply apart: the status line with the header lines, and the rest from the empty line on. The rest is
// nil if the reply ends within the headers, as the reference's does when it fails while it answers. The result is false
// for a reply without status line.
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

// inflate returns the rest of a reply with its body inflated. It returns false unless the headers call the body gzipped
// and it is.
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
