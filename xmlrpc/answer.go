package xmlrpc

import (
	"io"
	"net"
	"strconv"
	"time"

	"prserver/xmlrpc/spool"
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
	body      *spool.Spool // nil is none
	keepAlive bool
}

func (a *answer) add(name, value string) {
	a.headers = append(a.headers, name...)
	a.headers = append(a.headers, ": "...)
	a.headers = append(a.headers, value...)
	a.headers = append(a.headers, "\r\n"...)
}

// accept makes a the answer with a reply.
func (a *answer) accept(reply *spool.Spool, packed bool) {
	a.status, a.reason = 200, "OK"
	a.body = reply
	a.add("Content-type", "text/xml")
	if packed {
		a.add("Content-Encoding", "gzip")
	}
	a.add("Content-length", strconv.FormatInt(reply.Size(), 10))
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
			a.body = spool.Of([]byte(body))
		}
	case e.status == 404:
		a.body = spool.Of([]byte("No such page"))
		a.add("Content-type", "text/plain")
		a.add("Content-length", strconv.FormatInt(a.body.Size(), 10))
	default:
		a.add("Content-length", "0")
	}
}

// close lets go of the body.
func (a *answer) close() {
	if a.body != nil {
		a.body.Close()
	}
}

// writeTo sends the answer, each piece within the timeout. A request of
// HTTP/0.9 gets the body alone.
func (a *answer) writeTo(conn net.Conn, timeout time.Duration) error {
	// One write for a head and a small body, and no copy of a long one.
	var held []byte
	if a.body != nil {
		held = a.body.Held()
	}
	first := min(len(held), smallReply)
	out := make([]byte, 0, 512+len(a.headers)+first)
	if a.version != http09 {
		out = a.appendHead(out)
	}
	out = append(out, held[:first]...)
	held = held[first:]
	for len(out) > 0 {
		conn.SetWriteDeadline(time.Now().Add(timeout))
		if _, err := conn.Write(out); err != nil {
			return err
		}
		out = held[:min(len(held), writePiece)]
		held = held[len(out):]
	}
	if a.body == nil {
		return nil
	}
	file, err := a.body.File()
	if file == nil || err != nil {
		return err
	}
	for {
		conn.SetWriteDeadline(time.Now().Add(timeout))
		switch _, err := io.CopyN(conn, file, writePiece); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func (a *answer) appendHead(out []byte) []byte {
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
	return append(out, "\r\n"...)
}
