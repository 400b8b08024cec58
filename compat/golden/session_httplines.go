package golden

import (
	"fmt"
	"strings"
)

// httpRawLinesSession has first lines of all kinds. Most of the replies say nothing of headers that follow, so
// that the dialect is the server's own.
func httpRawLinesSession(dialect Dialect) *script {
	s := newScript(dialect, "http-raw-lines",
		"Request lines that are none, versions that are none, HTTP/0.9, other protocols. Go's net/http answers most of",
		"these itself, before any handler.")
	rest := strings.TrimPrefix(string(post(dialect, pingBody).bytes()), postLine)
	for _, first := range []string{
		"POST /RPC2 HTTP/1.1", "POST /RPC2 HTTP/1.0", "POST /RPC2 HTTP/0.9", "POST /RPC2 HTTP/1.2",
		"POST /RPC2 HTTP/1.9", "POST /RPC2 HTTP/1.10", "POST /RPC2 HTTP/0.0", "POST /RPC2 HTTP/2.0",
		"POST /RPC2 HTTP/2.1", "POST /RPC2 HTTP/3.0", "POST /RPC2 HTTP/10.0", "POST /RPC2 HTTP/1",
		"POST /RPC2 HTTP/2", "POST /RPC2 HTTP/", "POST /RPC2 HTTP", "POST /RPC2 HTTP/1.", "POST /RPC2 HTTP/.1",
		"POST /RPC2 HTTP/1.1.1", "POST /RPC2 HTTP/01.01", "POST /RPC2 HTTP/001.000",
		"POST /RPC2 HTTP/1.01", "POST /RPC2 HTTP/-1.1", "POST /RPC2 HTTP/+1.1", "POST /RPC2 HTTP/1.-1",
		"POST /RPC2 HTTP/1_0.1", "POST /RPC2 HTTP/1,1", "POST /RPC2 HTTP/a.b", "POST /RPC2 HTTP/1.x",
		"POST /RPC2 HTTP/1.1x", "POST /RPC2 HTTP/x1.1", "POST /RPC2 HTTP/1/1", "POST /RPC2 HTTP/1.1/",
		"POST /RPC2 HTTX/1.1", "POST /RPC2 http/1.1", "POST /RPC2 Http/1.1", "POST /RPC2 XHTTP/1.1",
		"POST /RPC2 HTTPS/1.1", "POST /RPC2 HTTP/\xb2.0", "POST /RPC2 HTTP/1.\xe9",
		"POST /RPC2 HTTP/99999999999999999999.1", "POST /RPC2 HTTP/1.99999999999999999999",
		"POST /RPC2 HTTP/" + strings.Repeat("1", 4301) + ".0",
		"POST /RPC2 é", "POST /RPC2 \"x'", "POST /RPC2 \\", "POST /RPC2 <&>", "POST /RPC2 %s",
		"POST  /RPC2  HTTP/1.1", "POST\t/RPC2\tHTTP/1.1", " POST /RPC2 HTTP/1.1", "POST /RPC2 HTTP/1.1 ",
		"POST /RPC2 HTTP/1.1\t\t", "\tPOST /RPC2 HTTP/1.1", "POST\x0b/RPC2\x0cHTTP/1.1",
		"POST\x85/RPC2\xa0HTTP/1.1", "POST\x1c/RPC2\x1dHTTP/1.1", "POST\r/RPC2\rHTTP/1.1", "POST /RPC2 HTTP/1.1\r",
		"POST /RPC2 HTTP/1.1\r\r", "POST /RP C2 HTTP/1.1", "POST /RPC2 x HTTP/1.1", "POST /RPC2 HTTP/1.1 x",
		"POST a b c d e HTTP/1.1", "POST HTTP/1.1", "POST/RPC2 HTTP/1.1", "POST /RPC2HTTP/1.1", "/RPC2 HTTP/1.1",
		"HTTP/1.1", "HTTP/1.1 200 OK",
		"POST", "POST ", "POST /RPC2", "POST /RPC2 ", "GET", "GET /", "GET / ", "GET /RPC2", "GET /x", "GET //",
		"get /", "Get /", "HEAD /", "PUT /", "PO\x00ST / HTTP/1.1", "\x00 / HTTP/1.1", "é / HTTP/1.1",
		"\xe9 / HTTP/1.1", "\xff\xfe / HTTP/1.1", "日本 / HTTP/1.1", "'x' / HTTP/1.1", "\"x' / HTTP/1.1",
		"\\ / HTTP/1.1", "<b> / HTTP/1.1", "a&b / HTTP/1.1", "a-b / HTTP/1.1", "a/b / HTTP/1.1", "() / HTTP/1.1",
		"\u200b / HTTP/1.1", "\x7f / HTTP/1.1", "\xad / HTTP/1.1", "\xa0 / HTTP/1.1", "\xb5 / HTTP/1.1",
		"x", "hello", "hello world", "hello wide world", "one two three four", "<?xml version='1.0'?>",
		"<methodCall>", "{}", "PRI * HTTP/2.0", "EHLO x", "SSH-2.0-OpenSSH_9.2p1", "PRSERVICE 1.0", "PRSERVICE 1.1",
		"it's", "say \"x\"", "it's \"x\"", "back\\slash", "tab\there", "nul\x00here", "esc\x1b[31m", "caf\xe9", "é",
		"<script>alert(1)</script>", "a&amp;b", "%s%d%(x)s", strings.Repeat("x", 2000),
	} {
		s.raw(first, first+rest)
		s.halfClose()
	}
	for _, bytes := range []string{
		"", "\n", "\r\n", "\r\n\r\n", "\r", " \r\n", "\t\n", "\x00", "\x00\n", "\x00\r\n\r\n", "\xff\xff\xff\xff",
		"\xff\xfe\n", "x", "GET", "GET /", "GET / HTTP/1.0", "GET /\n", "GET /\r\n", "GET /\r\n\r\n",
		"GET /x\r\n\r\n", "GET / HTTP/1.0\n\n", "GET / HTTP/1.0\r\n", "GET / HTTP/1.1\r\n\r\n",
		"HEAD / HTTP/1.0\r\n\r\n", "POST / HTTP/1.0", "POST / HTTP/1.0\r\n", "POST / HTTP/1.0\r\n\r\n",
		"\r\nPOST / HTTP/1.0\r\n\r\n", "\n\nGET / HTTP/1.0\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"PRSERVICE 1.0\n\n{\"get-pr\": {\"version\": \"a\"}}\n", "{\"ping\": {}}\n",
		"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + binary(160),
		"\x16\x03\x01\x00\x31\x01\x00\x00\x2d\x03\x03" + binary(45) + "\n",
		"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", "\x1f\x8b\x08\x00\x00\x00\x00\x00",
		"SSH-2.0-OpenSSH_9.2p1\r\n", "\x05\x01\x00", "\x04\x01\x00\x50\x7f\x00\x00\x01\x00", "*1\r\n$4\r\nPING\r\n",
		"<?xml version='1.0'?>\n<methodCall>\n<methodName>ping</methodName>\n</methodCall>\n",
		binary(255), binary(2000),
	} {
		s.raw(fmt.Sprintf("nothing but %q, the client ends", bytes), bytes)
		s.halfClose()
	}
	for _, n := range []int{65536, 65537} {
		path := "/" + strings.Repeat("x", n-len("POST / HTTP/1.1\r\n"))
		s.raw(fmt.Sprintf("a request line of %d bytes", n), "POST "+path+" HTTP/1.1"+rest)
		s.raw(fmt.Sprintf("a line of %d bytes without end", n), strings.Repeat("x", n))
		s.halfClose()
	}
	return s
}

// binary is n bytes without a pattern and without a line feed.
func binary(n int) string {
	out := make([]byte, n)
	state := uint32(n)
	for i := range out {
		state = state*1664525 + 1013904223
		out[i] = byte(state >> 24)
		if out[i] == '\n' {
			out[i] = 0
		}
	}
	return string(out)
}
