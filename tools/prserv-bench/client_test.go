package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"prserver/compat"
	"prserver/xmlrpc"
)

// TestWriteRequest reads a request with Go's HTTP server and our decoder.
func TestWriteRequest(t *testing.T) {
	for _, keep := range []bool{false, true} {
		c := &caller{addr: "prhost.example:8585", load: load{KeepAlive: keep}}
		c.writeRequest(1, "first")
		c.writeRequest(17, "abc") // writes over what was there
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(c.request.Bytes())))
		if err != nil {
			t.Fatal(err)
		}
		if r.Method != "POST" || r.URL.Path != "/RPC2" || r.Host != "prhost.example:8585" {
			t.Errorf("request is %s %s of %s", r.Method, r.URL, r.Host)
		}
		want := http.Header{"Accept-Encoding": {"gzip"}, "Content-Type": {"text/xml"}, "User-Agent": {"Python-xmlrpc/3.8"},
			"Content-Length": {fmt.Sprint(r.ContentLength)}}
		if keep {
			want.Set("Connection", "keep-alive")
		}
		if got := r.Header; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("keep-alive %v: header %v, want %v", keep, got, want)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		call, err := xmlrpc.Decode(body, compat.DialectFor(r.UserAgent()))
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%+v", *call)
		for _, part := range []string{"getPR", "bench-package-17-1.0-r0", "core2-64", "abc"} {
			if !strings.Contains(got, part) {
				t.Errorf("call %s lacks %s", got, part)
			}
		}
	}
}

const headClose = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"

func reply(head, body string) string { return fmt.Sprintf(head, len(body), body) }

const (
	faultBody = "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n" +
		"<value><int>1</int></value>\n</member>\n<member>\n<name>faultString</name>\n" +
		"<value><string>&lt;class 'sqlite3.OperationalError'&gt;:no</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n"
	nilBody = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><nil/></value></param>\n</params>\n</methodResponse>\n"
)

func TestReadReply(t *testing.T) {
	kept := strings.Replace(headClose, "close", "Keep-Alive", 1)
	tests := []struct {
		name, reply string
		open        bool
		err         string // empty if there is none
	}{
		{"value", reply(headClose, nothing), false, ""},
		{"value, kept", reply(kept, nothing), true, ""},
		{"value of HTTP/1.0 without a length", "HTTP/1.0 200 OK\r\n\r\n" + nothing, false, ""},
		{"kept, but without a length", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n" + nothing, false, ""},
		{"lines without CR, names in small letters", "HTTP/1.1 200 OK\ncontent-length: " + fmt.Sprint(len(nothing)) + "\n\n" + nothing, false, ""},
		{"header line without a colon", "HTTP/1.1 200 OK\r\nwhatever\r\n\r\n" + nothing, false, ""},
		{"nothing", "", false, "no answer: EOF"},
		{"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", false, `no HTTP answer: "SSH-2.0-OpenSSH_9.6"`},
		{"another status", "HTTP/1.1 404 Not Found\r\n\r\n", false, `the server answered "HTTP/1.1 404 Not Found"`},
		{"endless line", strings.Repeat("x", 5000), false, "no answer: bufio: buffer full"},
		{"cut in the header", "HTTP/1.1 200 OK\r\nConnection: cl", false, "half an answer: unexpected EOF"},
		{"cut in the body", reply(headClose, nothing)[:150], false, "half an answer: unexpected EOF"},
		{"cut in the body, kept", reply(kept, nothing)[:150], false, "half an answer: unexpected EOF"},
		{"cut behind the value", strings.TrimSuffix(reply(headClose, nothing), "\n"), false, "half an answer: unexpected EOF"},
		{"length that is none", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", false, `the answer's Content-Length is "many"`},
		{"length below 0", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, `the answer's Content-Length is "-1"`},
		{"empty body", reply(headClose, ""), false, `no value in the answer ""`},
		{"page", reply(headClose, "<html>\n"+strings.Repeat("x", 500)), false, `no value in the answer "<html>\n` + strings.Repeat("x", 193) + `"...`},
		{"nil", reply(headClose, nilBody), false, "the server answered nil, no value: its log says why"},
		{"nil, kept", reply(kept, nilBody), true, "the server answered nil, no value: its log says why"},
		{"fault", reply(headClose, faultBody), false, `the server answered the fault "<class 'sqlite3.OperationalError'>:no"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := &caller{reader: bufio.NewReader(strings.NewReader(test.reply))}
			open, err := c.readReply()
			got := ""
			if err != nil {
				got = err.Error()
			}
			if open != test.open || got != test.err {
				t.Errorf("got open %v, error %q; want %v, %q", open, got, test.open, test.err)
			}
		})
	}
}

// TestReadReplyKept reads several replies from one connection.
func TestReadReplyKept(t *testing.T) {
	kept := strings.Replace(headClose, "close", "keep-alive", 1)
	c := &caller{reader: bufio.NewReader(strings.NewReader(
		reply(kept, nothing) + reply(kept, nilBody) + reply(headClose, nothing)))}
	for i, want := range []struct{ open, fails bool }{{true, false}, {true, true}, {false, false}} {
		open, err := c.readReply()
		if open != want.open || (err != nil) != want.fails {
			t.Errorf("reply %d: open %v, error %v", i, open, err)
		}
	}
}
