package compat

import (
	"fmt"
	"strings"
)

// errorPage returns the headers and the page that Python's HTTP server sends with
// an error.
//
// Source: BaseHTTPServer.py:BaseHTTPRequestHandler.send_error.
func (p python) errorPage(status int, reason string) (headers, body string) {
	reason = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(reason)
	e := explanations[status]
	if p == python2 {
		body = fmt.Sprintf(page2, status, reason, status, e.text2)
		return "Content-Type: text/html\r\n", body
	}
	text := e.text3
	if text == "" {
		text = e.text2
	}
	if more, ok := explained[reason]; ok {
		text = more
	}
	body = fmt.Sprintf(page3, status, reason, e.name, text)
	return fmt.Sprintf("Content-Type: text/html;charset=utf-8\r\nContent-Length: %d\r\n", len(body)), body
}

const page2 = "<head>\n<title>Error response</title>\n</head>\n<body>\n<h1>Error response</h1>\n" +
	"<p>Error code %d.\n<p>Message: %s.\n<p>Error code explanation: %d = %s.\n</body>\n"

const page3 = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\n" +
	"        \"http://www.w3.org/TR/html4/strict.dtd\">\n" +
	"<html>\n" +
	"    <head>\n" +
	"        <meta http-equiv=\"Content-Type\" content=\"text/html;charset=utf-8\">\n" +
	"        <title>Error response</title>\n" +
	"    </head>\n" +
	"    <body>\n" +
	"        <h1>Error response</h1>\n" +
	"        <p>Error code: %d</p>\n" +
	"        <p>Message: %s.</p>\n" +
	"        <p>Error code explanation: %s - %s.</p>\n" +
	"    </body>\n" +
	"</html>\n"

// explanations hold what the pages say about a status. name is how Python 3
// prints it. text3 is empty if both Pythons say the same.
var explanations = map[int]struct{ name, text2, text3 string }{
	400: {"HTTPStatus.BAD_REQUEST", "Bad request syntax or unsupported method", ""},
	414: {"HTTPStatus.REQUEST_URI_TOO_LONG", "URI is too long.", "URI is too long"},
	431: {"HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE", "???", ""},
	501: {"HTTPStatus.NOT_IMPLEMENTED", "Server does not support this operation", ""},
	505: {"HTTPStatus.HTTP_VERSION_NOT_SUPPORTED", "Cannot fulfill request.", "Cannot fulfill request"},
}

// explained holds the explanations that Python 3 gives for single reasons.
var explained = map[string]string{
	"Line too long":    "got more than 65536 bytes when reading header line",
	"Too many headers": "got more than 100 headers",
}
