package xmlrpc

import (
	"bytes"
	"compress/gzip"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const internalError = "Internal Server Error"

// answer is an HTTP answer in the making. Header names and their order are
// the reference's.
type answer struct {
	dialect   *Dialect
	version   string // of the request
	status    int
	reason    string
	headers   []byte
	body      []byte
	keepAlive bool
}

func (a *answer) add(name, value string) {
	a.headers = append(a.headers, name...)
	a.headers = append(a.headers, ": "...)
	a.headers = append(a.headers, value...)
	a.headers = append(a.headers, "\r\n"...)
}

// refuse makes a the answer to a request with that error.
func (a *answer) refuse(e *statusError, method string) {
	a.keepAlive = false
	a.status, a.reason = e.status, e.reason
	switch {
	case e.page:
		headers, body := a.dialect.ErrorPage(e.status, e.reason)
		a.headers = append(a.headers, headers...)
		if method != "HEAD" {
			a.body = []byte(body)
		}
	case e.status == 404:
		a.body = []byte("No such page")
		a.add("Content-type", "text/plain")
		a.add("Content-length", strconv.Itoa(len(a.body)))
	default:
		a.add("Content-length", "0")
	}
}

// writeTo sends the answer. A request of HTTP/0.9 gets the body alone.
func (a *answer) writeTo(conn net.Conn) error {
	out := make([]byte, 0, 256+len(a.headers)+len(a.body))
	if a.version != http09 {
		out = append(out, "HTTP/1.0 "...)
		out = strconv.AppendInt(out, int64(a.status), 10)
		out = append(out, ' ')
		for _, r := range a.reason { // as Latin-1
			out = append(out, byte(r))
		}
		out = append(out, "\r\nServer: bitbake-prserv\r\nDate: "...)
		out = time.Now().UTC().AppendFormat(out, "Mon, 02 Jan 2006 15:04:05 GMT")
		if a.keepAlive {
			out = append(out, "\r\nConnection: keep-alive\r\n"...)
		} else {
			out = append(out, "\r\nConnection: close\r\n"...)
		}
		out = append(out, a.headers...)
		out = append(out, "\r\n"...)
	}
	out = append(out, a.body...)
	for len(out) > 0 {
		n := min(len(out), writePiece)
		conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := conn.Write(out[:n]); err != nil {
			return err
		}
		out = out[n:]
	}
	return nil
}

// acceptedCoding is one coding of an Accept-Encoding header, with its weight.
var acceptedCoding = regexp.MustCompile(`(?i)^\s*([^\s;]+)\s*(?:;\s*q\s*=\s*([0-9.]+))?`)

// acceptsGzip tells whether the client takes a gzipped reply.
//
// Source: SimpleXMLRPCServer.py:SimpleXMLRPCRequestHandler.accept_encodings.
func acceptsGzip(req *request) bool {
	header, _ := req.get("accept-encoding")
	if header == "gzip" {
		return true
	}
	accepted := false
	for _, coding := range strings.Split(header, ",") {
		if m := acceptedCoding.FindStringSubmatch(coding); m != nil && m[1] == "gzip" {
			q, err := strconv.ParseFloat(m[2], 64)
			accepted = m[2] == "" || err == nil && q != 0
		}
	}
	return accepted
}

func gzipped(data []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // fails for unknown levels only
	w.Write(data)                                     // a Buffer takes everything
	w.Close()
	return out.Bytes()
}
