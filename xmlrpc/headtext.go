package xmlrpc

import "strings"

// The head of a request is bytes to Python 2. To Python 3 it is text in Latin-1,
// in which more characters are white space and letters.

// isSpace tells whether a byte of a head is white space.
func (d *Dialect) isSpace(b byte) bool {
	switch {
	case b == ' ', b >= '\t' && b <= '\r':
		return true
	case b >= 0x1C && b <= 0x1F, b == 0x85, b == 0xA0:
		return d.TextHead
	}
	return false
}

// words splits a line of a head at white space.
func (d *Dialect) words(line string) []string {
	var words []string
	start := -1
	for i := range len(line) {
		switch space := d.isSpace(line[i]); {
		case space && start >= 0:
			words = append(words, line[start:i])
			start = -1
		case !space && start < 0:
			start = i
		}
	}
	if start >= 0 {
		words = append(words, line[start:])
	}
	return words
}

// trim removes the white space around a part of a head.
func (d *Dialect) trim(s string) string {
	for s != "" && d.isSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && d.isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// headInt reads an integer in a head. See [parseInt]; Latin-1 has no digits
// outside ASCII. In ASCII alone, Python 3 too knows the white space of C only.
func (d *Dialect) headInt(text string) (any, error) {
	if !isASCII(text) {
		text = d.trim(text)
	}
	if !isASCII(text) {
		return nil, &ValueError{Kind: KindInt, Text: text}
	}
	return parseInt(text, d.Numbers)
}

// headerValue returns the value of a header: what stands behind its colon, and
// the lines in which it goes on.
//
// Source: rfc822.py:Message.readheaders in Python 2,
// email/_policybase.py:Compat32.header_source_parse in Python 3.
func (d *Dialect) headerValue(lines []string) string {
	if d.TextHead {
		return strings.TrimRight(strings.TrimLeft(strings.Join(lines, ""), " \t"), "\r\n")
	}
	value := d.trim(lines[0])
	for _, line := range lines[1:] {
		value = d.trim(value + "\n " + d.trim(line))
	}
	return value
}

// lower makes the letters of a part of a head small.
func (d *Dialect) lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' || d.TextHead && c >= 0xC0 && c <= 0xDE && c != 0xD7 {
			b[i] = c | 0x20
		}
	}
	return string(b)
}
