package golden

import (
	"bytes"
	"strconv"
	"strings"
)

// A field is one header line.
type field struct{ name, value string }

// A request is an HTTP request in the making. Nothing in it is checked, so that a test of bad requests may put
// anything into any part.
type request struct {
	line   string
	fields []field
	body   string
}

// The request line of Python's client, and the Host it would name. No server looks at the latter.
const (
	postLine = "POST /RPC2 HTTP/1.1"
	hostName = "127.0.0.1:8585"
)

// The User-Agent headers by which our server tells who is asking.
const (
	agentPy2 = "xmlrpclib.py/1.0.1 (by www.pythonware.com)"
	agentPy3 = "Python-xmlrpc/3.8"
)

// post returns the request that the dialect's client sends for a body: xmlrpclib.Transport.send_request and
// send_content of Python 2.7, xmlrpc.client.Transport.send_request of 3.8. They differ in the order.
func post(dialect Dialect, body string) *request {
	r := &request{line: postLine, body: body}
	r.add("Host", hostName)
	r.add("Accept-Encoding", "gzip")
	switch dialect {
	case Py2:
		r.add("User-Agent", agentPy2)
		r.add("Content-Type", "text/xml")
	default:
		r.add("Content-Type", "text/xml")
		r.add("User-Agent", agentPy3)
	}
	r.add("Content-Length", strconv.Itoa(len(body)))
	return r
}

func (r *request) add(name, value string) {
	r.fields = append(r.fields, field{name, value})
}

// set gives the first header of that name another value.
func (r *request) set(name, value string) {
	for i := range r.fields {
		if r.fields[i].name == name {
			r.fields[i].value = value
			return
		}
	}
	r.add(name, value)
}

func (r *request) drop(name string) {
	kept := r.fields[:0]
	for _, f := range r.fields {
		if f.name != name {
			kept = append(kept, f)
		}
	}
	r.fields = kept
}

// bytes returns the request with the line end that Python's clients use.
func (r *request) bytes() []byte {
	return r.join(lineEnd)
}

func (r *request) join(end string) []byte {
	var out bytes.Buffer
	out.WriteString(r.line + end)
	for _, f := range r.fields {
		out.WriteString(f.name + ": " + f.value + end)
	}
	out.WriteString(end + r.body)
	return out.Bytes()
}

// A change alters the request that Python's client would have sent.
type change func(*request)

func with(name, value string) change {
	return func(r *request) { r.set(name, value) }
}

func plus(name, value string) change {
	return func(r *request) { r.add(name, value) }
}

func without(names ...string) change {
	return func(r *request) {
		for _, name := range names {
			r.drop(name)
		}
	}
}

func startLine(text string) change {
	return func(r *request) { r.line = text }
}

// renamed gives every header another spelling of its name.
func renamed(spell func(string) string) change {
	return func(r *request) {
		for i := range r.fields {
			r.fields[i].name = spell(r.fields[i].name)
		}
	}
}

// A script is a session in the making.
type script struct {
	Session
	dialect Dialect
}

func newScript(dialect Dialect, name string, about ...string) *script {
	return &script{Session: Session{Name: name, About: about}, dialect: dialect}
}

// call adds a call as Python's client marshals it.
func (s *script) call(about, method string, args ...any) {
	s.post(about, marshalCall(method, args...))
}

// post adds a POST of the given body.
func (s *script) post(about, body string, changes ...change) {
	r := post(s.dialect, body)
	for _, change := range changes {
		change(r)
	}
	s.raw(about, string(r.bytes()))
}

// raw adds anything.
func (s *script) raw(about, bytes string) {
	s.Exchanges = append(s.Exchanges, Exchange{About: oneLine(about), Request: []byte(bytes)})
}

// halfClose lets the client of the exchange added last close its sending side.
func (s *script) halfClose() {
	s.Exchanges[len(s.Exchanges)-1].HalfClose = true
}

// maxAbout keeps a comment line readable where it repeats what is sent.
const maxAbout = 120

// oneLine makes a text fit for a comment line.
func oneLine(text string) string {
	if runes := []rune(text); len(runes) > maxAbout {
		text = string(runes[:maxAbout]) + "…"
	}
	quoted := strconv.QuoteToGraphic(text)
	text = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	return strings.TrimSpace(strings.ReplaceAll(text, `\\`, `\`))
}
