package main

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strconv"
)

// writeRequest puts the request that BitBake's client sends for a getPR into
// c.request.
func (c *caller) writeRequest(key int, checksum string) {
	c.body.Reset()
	fmt.Fprintf(&c.body, "<?xml version='1.0'?>\n<methodCall>\n<methodName>getPR</methodName>\n<params>\n"+
		"<param>\n<value><string>bench-package-%d-1.0-r0</string></value>\n</param>\n"+
		"<param>\n<value><string>core2-64</string></value>\n</param>\n"+
		"<param>\n<value><string>%s</string></value>\n</param>\n</params>\n</methodCall>\n", key, checksum)
	c.request.Reset()
	c.request.WriteString("POST /RPC2 HTTP/1.1\r\nHost: " + c.addr + "\r\nAccept-Encoding: gzip\r\n" +
		"Content-Type: text/xml\r\nUser-Agent: Python-xmlrpc/3.8\r\n")
	if c.load.KeepAlive {
		c.request.WriteString("Connection: keep-alive\r\n")
	}
	fmt.Fprintf(&c.request, "Content-Length: %d\r\n\r\n", c.body.Len())
	c.request.Write(c.body.Bytes())
}

// readReply reads a reply and reports whether the connection stays open. It
// returns an error unless the reply holds an integer.
func (c *caller) readReply() (open bool, err error) {
	status, err := c.reader.ReadSlice('\n')
	if err != nil {
		return false, fmt.Errorf("no answer: %w", err)
	}
	if !bytes.HasPrefix(status, []byte("HTTP/")) {
		return false, fmt.Errorf("no HTTP answer: %s", quoted(status))
	}
	if !bytes.Contains(status, []byte(" 200 ")) {
		return false, fmt.Errorf("the server answered %s", quoted(status))
	}
	length := -1
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return false, cutShort(err)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("content-length")):
			length, err = strconv.Atoi(string(value))
			if err != nil || length < 0 {
				return false, fmt.Errorf("the answer's Content-Length is %s", quoted(value))
			}
		case bytes.EqualFold(name, []byte("connection")):
			open = bytes.EqualFold(value, []byte("keep-alive"))
		}
	}
	c.body.Reset()
	if open && length >= 0 {
		_, err = io.CopyN(&c.body, c.reader, int64(length))
	} else {
		// Read to the end: without a length only the end tells how long it is, and
		// the side that closes first keeps the port busy. Here that must not be us,
		// or this machine runs out of ports.
		open = false
		_, err = io.Copy(&c.body, c.reader)
	}
	if err == nil && c.body.Len() < length {
		err = io.EOF
	}
	if err != nil {
		return false, cutShort(err)
	}
	return open, checkValue(c.body.Bytes())
}

// cutShort returns the error of an answer that ended too early.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("half an answer: %w", err)
}

var faultString = regexp.MustCompile(`<name>faultString</name>\s*<value>(?:<string>)?([^<]*)`)

// checkValue returns an error unless body is a reply with an integer. The error
// says what came instead.
func checkValue(body []byte) error {
	// A fault holds an integer too, its code.
	if bytes.Contains(body, []byte("<value><int>")) && !bytes.Contains(body, []byte("<fault>")) {
		return nil
	}
	if fault := faultString.FindSubmatch(body); fault != nil {
		return fmt.Errorf("the server answered the fault %s", quoted([]byte(html.UnescapeString(string(fault[1])))))
	}
	if bytes.Contains(body, []byte("<nil/>")) {
		return errors.New("the server answered nil, no value: its log says why")
	}
	return fmt.Errorf("no value in the answer %s", quoted(body))
}
