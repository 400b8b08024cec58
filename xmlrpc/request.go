package xmlrpc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"prserver/xmlrpc/spool"
)

const (
	maxLine = 65536   // bytes in a request line
	maxHead = 1 << 20 // bytes in all header lines together
	// maxContinued is in how many lines a header may go on; none that matters
	// has as many.
	maxContinued = 100
	http09       = "HTTP/0.9"
)

// request is the head of an HTTP request, as far as it matters here.
type request struct {
	method, path, version string
	headers               []headerLine
	dialect               *Dialect
}

// headerLine is a header. Its value is made of its lines once the dialect is
// known.
type headerLine struct {
	name, value string
	lines       []string // what stands behind the colon, and the lines behind that
}

// knownHeaders are the headers that matter.
var knownHeaders = []string{
	"content-length", "content-encoding", "accept-encoding", "user-agent", "connection",
}

// get returns the value of a header; of several that the client's generation
// of the reference would believe.
func (req *request) get(name string) (value string, ok bool) {
	for _, h := range req.headers {
		if h.name == name {
			if value, ok = h.value, true; !req.dialect.LastHeaderWins {
				break
			}
		}
	}
	return value, ok
}

// statusError is a request that is answered with an HTTP error. The reference
// sends a page with those its HTTP server finds and no body with those its
// XML-RPC server finds.
type statusError struct {
	status int
	reason string
	page   bool
}

func (e *statusError) Error() string { return fmt.Sprintf("%d %s", e.status, e.reason) }

func page(status int, format string, args ...any) error {
	return &statusError{status: status, reason: fmt.Sprintf(format, args...), page: true}
}

// errNoRequest is a connection that is closed without an answer.
var errNoRequest = errors.New("no request")

// readRequest reads the head of a request from r. The error is errNoRequest,
// a [*statusError] or r's. The request is never nil and has a dialect: as long
// as the client has not named itself, that of a client without a name.
//
// Source: BaseHTTPServer.py:BaseHTTPRequestHandler.parse_request.
func readRequest(r *bufio.Reader, dialectOf func(userAgent string) *Dialect, account spool.Account) (*request, error) {
	req := &request{version: http09, dialect: dialectOf("")}
	line, err := readLine(r, maxLine, account)
	switch {
	case err != nil:
		return req, err
	case line == nil:
		req.version = ""
		return req, page(414, "Request-URI Too Long")
	}
	text := string(bytes.TrimRight(line, "\r\n"))
	if err := req.parseLine(text); err != nil {
		// Headers are not waited for; if User-Agent has come, it tells whom
		// to word the error for.
		ahead, _ := r.Peek(r.Buffered())
		if _, agent, named := strings.Cut("\n"+string(ahead), "\nUser-Agent: "); named {
			req.dialect = dialectOf(agent)
			err = req.parseLine(text)
		}
		if err != nil {
			return req, err
		}
	}
	guessed := req.dialect
	err = req.readHeaders(r, dialectOf, account)
	if req.dialect != guessed {
		if lineErr := req.parseLine(text); lineErr != nil {
			return req, lineErr
		}
	}
	if req.dialect.OneSlash && strings.HasPrefix(req.path, "//") {
		req.path = "/" + strings.TrimLeft(req.path, "/")
	}
	return req, err
}

// parseLine takes the request line apart.
func (req *request) parseLine(line string) error {
	req.version = http09
	words := req.dialect.words(line)
	quote := req.dialect.Quote
	if n := len(words); n == 3 || n > 3 && req.dialect.VersionLast {
		version := words[n-1]
		major, ok := req.dialect.httpMajor(version)
		if !ok {
			return page(400, "Bad request version (%s)", quote(version))
		}
		if major >= 2 {
			return page(505, req.dialect.BadVersion, strings.TrimPrefix(version, "HTTP/"))
		}
		req.version = version
	}
	switch {
	case len(words) == 0:
		return errNoRequest
	case len(words) == 1 || len(words) > 3:
		return page(400, "Bad request syntax (%s)", quote(line))
	case len(words) == 2 && words[0] != "GET":
		return page(400, "Bad HTTP/0.9 request type (%s)", quote(words[0]))
	}
	req.method, req.path = words[0], words[1]
	return nil
}

// httpMajor tells whether an HTTP version is of the major number 2 or above,
// or else says 1.
func (d *Dialect) httpMajor(version string) (int, bool) {
	number, named := strings.CutPrefix(version, "HTTP/")
	major, minor, dotted := strings.Cut(number, ".")
	if !named || !dotted {
		return 0, false
	}
	n, err := d.headInt(major)
	if _, minorErr := d.headInt(minor); err != nil || minorErr != nil {
		return 0, false
	}
	if small, fits := n.(int64); fits && small < 2 {
		return 1, true
	}
	return 2, true
}

// readHeaders reads the header lines and the empty line behind them.
func (req *request) readHeaders(r *bufio.Reader, dialectOf func(string) *Dialect, account spool.Account) error {
	var last *headerLine
	believed := true
	agent := "" // as far as it is known
	total, count, longest := 0, 0, 0
	for {
		line, err := readLine(r, maxHead, account)
		if err != nil && err != io.EOF {
			return err
		}
		total += len(line)
		if err == nil && line == nil || total > maxHead {
			return page(431, "Line too long")
		}
		longest = max(longest, len(line))
		text := string(bytes.TrimRight(line, "\r\n"))
		if text == "" {
			break
		}
		count++
		if text[0] == ' ' || text[0] == '\t' {
			if last != nil && len(last.lines) < maxContinued {
				if err := account.Hold(len(line)); err != nil {
					return err
				}
				last.lines = append(last.lines, string(line))
			}
			continue
		}
		name, value, ok := strings.Cut(text, ":")
		// Behind a line that is no header the reference believes no header, if
		// it reads it as such.
		if loose := dialectOf(agent).BadHeaderEndsHead; loose && !ok {
			break
		} else if !loose {
			ok = ok && isToken(name)
		}
		believed = believed && ok
		last = nil
		if believed {
			last = req.keep(name, value+string(line[len(text):]))
		}
		if last != nil && last.name == "user-agent" {
			agent = strings.TrimSpace(value)
		}
	}
	req.setValues()
	agent, _ = req.get("user-agent")
	req.dialect = dialectOf(agent)
	req.setValues()
	switch limit := req.dialect.HeaderLimit; {
	case limit > 0 && longest > maxLine:
		return page(431, "Line too long")
	case limit > 0 && count >= limit:
		return page(431, "Too many headers")
	}
	return nil
}

// setValues sets the values of the headers, as the dialect has them.
func (req *request) setValues() {
	for i, h := range req.headers {
		req.headers[i].value = req.dialect.headerValue(h.lines)
	}
}

// isToken tells whether a header name has nothing but printable ASCII in it.
func isToken(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// keep stores a header if it matters and returns where. Of several of a name
// the first and the last are kept, one of which counts.
func (req *request) keep(name, value string) *headerLine {
	for _, known := range knownHeaders {
		if len(name) != len(known) || !strings.EqualFold(name, known) {
			continue
		}
		line, found := headerLine{name: known, lines: []string{value}}, 0
		for i := range req.headers {
			if req.headers[i].name == known {
				if found++; found == 2 {
					req.headers[i] = line
					return &req.headers[i]
				}
			}
		}
		req.headers = append(req.headers, line)
		return &req.headers[len(req.headers)-1]
	}
	return nil
}

// readLine reads up to and including a newline, or to the end of the data. It
// returns nil for a line longer than limit. For a line that r cannot hold it
// takes room, which is not given back.
func readLine(r *bufio.Reader, limit int, account spool.Account) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err == nil {
		return line, nil
	}
	whole := bytes.Clone(line)
	for err == bufio.ErrBufferFull && len(whole) <= limit {
		line, err = r.ReadSlice('\n')
		if err := account.Hold(len(line)); err != nil {
			return nil, err
		}
		whole = append(whole, line...)
	}
	if len(whole) > limit {
		return nil, nil
	}
	if err == io.EOF && len(whole) > 0 {
		err = nil
	}
	return whole, err
}
