package golden

import (
	"fmt"
	"strings"
)

var httpTopics = []topic{
	httpPathsSession,
	httpMethodsSession,
	httpLengthSession,
	httpBodySession,
	httpHeadersSession,
	httpAnonymousSession,
	httpRawRequestsSession,
	httpRawLengthSession,
	httpRawHeadersSession,
	httpRawLinesSession,
	httpKeepAliveSession,
}

// pingBody is the smallest call that is answered.
const pingBody = "<methodCall><methodName>ping</methodName></methodCall>"

func httpPathsSession(dialect Dialect) *script {
	s := newScript(dialect, "http-paths",
		"Paths: / and /RPC2, compared as they stand. Python 3 makes one slash of several at the start.")
	for _, path := range []string{
		"/", "/RPC2", "/RPC2/", "/rpc2", "/RPC", "/RPC22", "/x", "/x?y", "/?", "/?x", "/RPC2?", "/RPC2?x=y",
		"/RPC2#x", "/#", "//", "///", "//RPC2", "///RPC2", "//x", "/RPC2//", "/./RPC2", "/../RPC2", "/x/../RPC2",
		"/%52PC2", "/RPC2%20", "/\\", "*", "http://127.0.0.1:8585/RPC2",
		"http://127.0.0.1:8585/", "http://127.0.0.1:8585", "http://other/", "HTTP://x/RPC2", "https://x/RPC2",
		"http:/RPC2", "http:", "/é", "/\xe9", "/<&>", "/'\"", "/;x", "/RPC2;x",
		"/" + strings.Repeat("x", 3000),
	} {
		s.post(path, pingBody, startLine("POST "+path+" HTTP/1.1"))
	}
	s.post("another path and no length", pingBody, startLine("POST /x HTTP/1.1"), without("Content-Length"))
	s.post("another path and a body that is no call", "x", startLine("POST /x HTTP/1.1"))
	s.post("another path and a long body", strings.Repeat("x", 20000), startLine("POST /x HTTP/1.1"))
	s.post("another path and a body that does not come", "", startLine("POST /x HTTP/1.1"),
		with("Content-Length", "100"))
	s.post("another path and an encoding that is not there", pingBody, startLine("POST /x HTTP/1.1"),
		with("Content-Encoding", "x"))
	return s
}

func httpMethodsSession(dialect Dialect) *script {
	s := newScript(dialect, "http-methods",
		"Methods other than POST: status 501 and a page in HTML, for HEAD without the page.")
	for _, method := range []string{
		"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW", "post", "Post", "POST1", "POSTS",
		"X-Y", "a", "!#$%&'*+.^_`|~", "error", "one_request", "PROPFIND", "head", "Head",
	} {
		s.post(method, pingBody, startLine(method+" /RPC2 HTTP/1.1"))
		s.post(method+" without a body", "", startLine(method+" / HTTP/1.1"),
			without("Content-Length", "Content-Type"))
	}
	for _, c := range []string{"GET / HTTP/1.0", "GET /x HTTP/1.1", "HEAD /x HTTP/1.0", "PUT /x HTTP/1.1",
		"GET http://127.0.0.1:8585/ HTTP/1.1", "GET // HTTP/1.1", "GET /é HTTP/1.1"} {
		s.post(c, "", startLine(c), without("Content-Length", "Content-Type"))
	}
	s.post("GET with a long body", strings.Repeat("x", 20000), startLine("GET / HTTP/1.1"))
	s.post("PUT with a body that does not come", "", startLine("PUT / HTTP/1.1"), with("Content-Length", "100"))
	return s
}

func httpLengthSession(dialect Dialect) *script {
	s := newScript(dialect, "http-length",
		"Content-Length: missing, padded, too short and too long for the body.")
	s.post("right", pingBody)
	s.post("missing", pingBody, without("Content-Length"))
	s.post("missing, no body", "", without("Content-Length"))
	s.post("missing, the client ends", pingBody, without("Content-Length"))
	s.halfClose()
	length := len(pingBody)
	s.post("zero", pingBody, with("Content-Length", "0"))
	s.post("zero, no body", "", with("Content-Length", "0"))
	s.post("leading zeros", pingBody, with("Content-Length", fmt.Sprintf("%06d", length)))
	s.post("white space about it", pingBody, with("Content-Length", fmt.Sprintf("  %d \t", length)))
	s.post("one short", pingBody, with("Content-Length", fmt.Sprint(length-1)))
	s.post("short: the first element only", pingBody+"x", with("Content-Length", fmt.Sprint(length)))
	s.post("one", pingBody, with("Content-Length", "1"))
	s.post("one too many, the client ends", pingBody, with("Content-Length", fmt.Sprint(length+1)))
	s.halfClose()
	s.post("many too many, the client ends", pingBody, with("Content-Length", "100000"))
	s.halfClose()
	s.post("very many too many, the client ends", pingBody, with("Content-Length", "2147483648"))
	s.halfClose()
	s.post("too many and no body, the client ends", "", with("Content-Length", "7"))
	s.halfClose()
	s.post("too many and a broken body, the client ends", pingBody[:30], with("Content-Length", fmt.Sprint(length)))
	s.halfClose()
	return s
}

func httpBodySession(dialect Dialect) *script {
	s := newScript(dialect, "http-body", "What follows the body, and how the body comes.")
	ping := string(post(dialect, pingBody).bytes())
	s.raw("a second request on the connection is not answered", ping+ping)
	s.raw("a line end after the body", ping+"\r\n")
	s.raw("garbage after the body", ping+"garbage\x00\xff")
	s.raw("the client ends after the body", ping)
	s.halfClose()
	s.raw("lines end in a line feed only", string(post(dialect, pingBody).join("\n")))
	s.post("a large body",
		"<methodCall><methodName>ping</methodName>"+strings.Repeat("<!-- "+strings.Repeat("x", 990)+" -->\n",
			60)+"</methodCall>")
	s.post("a body with CRLF", strings.ReplaceAll(marshalCall("ping"), "\n", "\r\n"))
	s.post("a Content-Type that is no XML", pingBody, with("Content-Type", "application/json"))
	s.post("no Content-Type", pingBody, without("Content-Type"))
	s.post("a charset that is not the body's", pingBody, with("Content-Type", "text/xml; charset=utf-16"))
	return s
}

func httpHeadersSession(dialect Dialect) *script {
	s := newScript(dialect, "http-headers", "Headers: spelling, order, number, repetition, and those nobody reads.")
	s.post("names in lower case", pingBody, renamed(strings.ToLower))
	s.post("names in upper case", pingBody, renamed(strings.ToUpper))
	s.post("no Host, HTTP/1.0", pingBody, startLine("POST /RPC2 HTTP/1.0"), without("Host"))
	s.post("HTTP/1.0", pingBody, startLine("POST /RPC2 HTTP/1.0"))
	s.post("another Host", pingBody, with("Host", "example.org"))
	s.post("an empty Host", pingBody, with("Host", ""))
	s.post("Connection: close", pingBody, plus("Connection", "close"))
	s.post("Connection: Close", pingBody, plus("Connection", "Close"))
	s.post("Connection: x", pingBody, plus("Connection", "x"))
	s.post("a header of bitbake's", pingBody, plus("Bitbake-token", "0123456789abcdef"))
	s.post("authorization", pingBody, plus("Authorization", "Basic dTpw"))
	s.post("a cookie", pingBody, plus("Cookie", "a=b"))
	s.post("a header that is not ASCII", pingBody, plus("X-Name", "é\xe9"))
	s.post("an empty header", pingBody, plus("X-Empty", ""))
	s.post("a long header", pingBody, plus("X-Long", strings.Repeat("x", 20000)))
	s.post("white space before the values", pingBody, with("Accept-Encoding", "   gzip"),
		with("Content-Encoding", "\tidentity"))
	s.post("no white space before the values", strings.Replace(pingBody, ">ping", "> ping", 1), with("X", ""))
	// Python 3.8 takes no more than 100 header lines, the empty one counted.
	for _, total := range []int{10, 50, 98, 99} {
		s.post(fmt.Sprintf("%d header lines", total), pingBody, padded(total))
	}
	s.post("User-Agent twice", pingBody, plus("User-Agent", "second"))
	s.post("Content-Type twice", pingBody, plus("Content-Type", "x"))
	s.post("Content-Length twice, the same", pingBody, plus("Content-Length", fmt.Sprint(len(pingBody))))
	s.post("a second Host", pingBody, plus("X-Forwarded-Host", "x"))
	s.post("Upgrade", pingBody, plus("Upgrade", "h2c"), plus("Connection", "Upgrade, HTTP2-Settings"),
		plus("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA"))
	return s
}

// padded adds headers up to a total.
func padded(total int) change {
	return func(r *request) {
		for len(r.fields) < total {
			r.add(fmt.Sprintf("X-%d", len(r.fields)), "x")
		}
	}
}

func httpAnonymousSession(dialect Dialect) *script {
	s := newScript(dialect, "http-anonymous",
		"Clients that do not say which Python they are, so that a server in the other dialect's place cannot know: the",
		"answers are those of this one.")
	for _, agent := range []string{"", "curl/7.88.1", "Mozilla/5.0", "Go-http-client/1.1", "Python", "xmlrpclib"} {
		s.post("User-Agent: "+agent, marshalCall("getPR", 1), with("User-Agent", agent))
	}
	s.post("no User-Agent", marshalCall("getPR", 1), without("User-Agent"))
	s.post("no User-Agent, a good call", pingBody, without("User-Agent"))
	s.post("no header but the length", pingBody, without("User-Agent", "Host", "Accept-Encoding", "Content-Type"),
		startLine("POST / HTTP/1.0"))
	s.post("no header at all", "",
		without("User-Agent", "Host", "Accept-Encoding", "Content-Type", "Content-Length"),
		startLine("POST / HTTP/1.0"))
	s.post("another path", "", without("User-Agent"), startLine("POST /x HTTP/1.0"))
	s.post("another method", "", without("User-Agent"), startLine("GET / HTTP/1.0"))
	s.post("HEAD", "", without("User-Agent"), startLine("HEAD / HTTP/1.0"))
	return s
}

func httpRawLengthSession(dialect Dialect) *script {
	s := newScript(dialect, "http-raw-length",
		"A Content-Length that is no number, or not one. Python makes an int of it; Go's net/http answers such a request",
		"itself, before any handler.")
	right := fmt.Sprint(len(pingBody))
	for _, value := range []string{
		"", " ", "x", right + "x", "x" + right, "+" + right, "-" + right, "-0", "- 1", right[:1] + "_" + right[1:],
		"_" + right, right + ".0", "5e1", "0x36", "0o66", "'" + right + "'", "\"" + right + "\"",
		right + "," + right, right + ", 3", "3, " + right, right + ";x", "\u0665\u0664", "５４", "\xa0" + right,
		right + "\xa0", "\x0b" + right, right + "\x00",
		"nan", "None", "99999999999999999999999999", "9223372036854775807", "9223372036854775808", "1e400", "True",
	} {
		s.post(fmt.Sprintf("Content-Length: %q, the client ends", value), pingBody, with("Content-Length", value))
		s.halfClose()
	}
	s.post("-1, which reads to the end", pingBody, with("Content-Length", "-1"))
	s.halfClose()
	s.post("-1 and a body that is no call", "x", with("Content-Length", "-1"))
	s.halfClose()
	s.post("twice, the second wrong", pingBody, plus("Content-Length", "3"))
	s.post("twice, the first wrong", pingBody, with("Content-Length", "3"), plus("Content-Length", right))
	s.post("twice, the second no number", pingBody, plus("Content-Length", "x"))
	s.post("twice, in different case", pingBody, plus("content-length", "3"))
	for _, coding := range []string{"chunked", "identity", "gzip", "x", "Chunked", "chunked, chunked", ""} {
		s.post("Transfer-Encoding: "+coding+" and a length", pingBody, plus("Transfer-Encoding", coding))
		s.post("Transfer-Encoding: "+coding+" and no length", "36\r\n"+pingBody+"\r\n0\r\n\r\n",
			without("Content-Length"), plus("Transfer-Encoding", coding))
	}
	s.post("chunked, the chunks counted by the length", "36\r\n"+pingBody+"\r\n0\r\n\r\n",
		plus("Transfer-Encoding", "chunked"))
	return s
}

func httpRawRequestsSession(dialect Dialect) *script {
	s := newScript(dialect, "http-raw-requests",
		"Paths and header values that Go's net/http answers itself, before any handler.")
	for _, path := range []string{"/%", "/%zz", "/%4", "RPC2", "x", "127.0.0.1:8585", ":", "//[", "http://[/",
		"http://a b"} {
		s.post(path, pingBody, startLine("POST "+path+" HTTP/1.1"))
	}
	s.post("OPTIONS *", "", startLine("OPTIONS * HTTP/1.1"), without("Content-Length", "Content-Type"))
	s.post("OPTIONS * with a body", pingBody, startLine("OPTIONS * HTTP/1.1"))
	s.post("CONNECT", "", startLine("CONNECT 127.0.0.1:8585 HTTP/1.1"), without("Content-Length", "Content-Type"))
	for _, value := range []string{"\x7f", "gzip\x0b", "\x01", "gzip\x00"} {
		s.post(fmt.Sprintf("Content-Encoding: %q", value), pingBody, with("Content-Encoding", value))
		s.post(fmt.Sprintf("Accept-Encoding: %q", value), longCall(dialect, 1500), with("Accept-Encoding", value))
	}
	return s
}

// httpRawHeadersSession writes the header lines itself: %s stands for a line put in between.
func httpRawHeadersSession(dialect Dialect) *script {
	s := newScript(dialect, "http-raw-headers",
		"Header lines out of shape: without colon, continued, with odd names, ended by other than CRLF, too long, too",
		"many. Go's net/http answers most of these itself, before any handler.")
	agent := map[Dialect]string{Py2: agentPy2, Py3: agentPy3}[dialect]
	for _, odd := range []string{
		"no colon", "no colon\r\nX: y", ": no name", ":", "X", "X:", " X: y", "\tX: y", " continued", "X : y",
		"X\t: y", "X Y: z", "X: y\r\n continued", "X: y\r\n\tcontinued\r\n and more", "X: y\r\n \r\n", "X: y\r\n :",
		"X@: y", "X(: y", "é: y", "\xe9: y", "X\x00: y", "X: \x00", "X: \x01", "X: \x7f", "X: \xff", "X: a\rb",
		"X: a\r\rb", "X: a\x0bb", "X: a\x0cb",
		"X: a\x85b", "X: a\x1cb", "From x", "From: x", "From x y z", ">From x", "<x>: y", "\"X\": y", "X: y\nY: z",
		"X: y\n", "\r", "X: y\r", "Content-Length : 3", "Content-Length\t: 3", "Content-Length: 3",
		"content-Length:3", " Content-Length: 3", "Host", "Host: a\r\nHost: b", "Host: a b", "Host: é",
		"Accept-Encoding: x", "Content-Encoding: x\r\n y",
	} {
		head := "POST /RPC2 HTTP/1.1\r\nUser-Agent: " + agent + "\r\n"
		length := fmt.Sprintf("Content-Length: %d\r\n", len(pingBody))
		s.raw("before the length: "+odd, head+odd+"\r\n"+length+"\r\n"+pingBody)
		s.halfClose()
		s.raw("after the length: "+odd, head+length+odd+"\r\n\r\n"+pingBody)
		s.halfClose()
	}
	for _, n := range []int{65536, 65537} {
		long := "X: " + strings.Repeat("x", n-len("X: \r\n"))
		s.post(fmt.Sprintf("a header line of %d bytes", n), pingBody, plus(long[:1], long[3:]))
	}
	s.raw("a line of 70,000 bytes without colon",
		"POST /RPC2 HTTP/1.1\r\nUser-Agent: "+agent+"\r\n"+strings.Repeat("x", 70000)+"\r\n\r\n")
	for _, total := range []int{100, 101, 102, 1000} {
		s.post(fmt.Sprintf("%d header lines", total), pingBody, padded(total))
		s.post(fmt.Sprintf("%d header lines, the length last", total), pingBody, without("Content-Length"),
			padded(total-1), plus("Content-Length", fmt.Sprint(len(pingBody))))
	}
	s.post("no Host, HTTP/1.1", pingBody, without("Host"))
	s.post("two Hosts", pingBody, plus("Host", "x"))
	s.post("a Host with a slash", pingBody, with("Host", "a/b"))
	s.raw("the headers end with the connection",
		"POST /RPC2 HTTP/1.1\r\nUser-Agent: "+agent+"\r\nContent-Length: 3")
	s.halfClose()
	s.raw("the headers end with the connection, after a line",
		"POST /RPC2 HTTP/1.1\r\nUser-Agent: "+agent+"\r\nContent-Length: 3\r\n")
	s.halfClose()
	s.post("Expect: 100-continue", pingBody, plus("Expect", "100-continue"))
	s.post("Expect: something else", pingBody, plus("Expect", "x"))
	return s
}

func httpKeepAliveSession(dialect Dialect) *script {
	s := newScript(dialect, "differs-keep-alive",
		"A client that asks to keep the connection. The reference closes after every reply and says nothing; we keep the",
		"connection for whoever asks for it in so many words.")
	for _, value := range []string{"keep-alive", "Keep-Alive", "keep-alive, x"} {
		s.post(value, pingBody, plus("Connection", value))
		s.post(value+", HTTP/1.0", pingBody, plus("Connection", value), startLine("POST /RPC2 HTTP/1.0"))
	}
	return s
}
