package sqldump

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// lexer takes a statement apart.
type lexer struct {
	text  []byte
	at    int // where the next piece begins
	depth int // how many functions the value at hand stands in
}

// space skips white space and comments, into which sqlite3 writes errors.
func (l *lexer) space() {
	for l.at < len(l.text) {
		switch rest := l.text[l.at:]; {
		case rest[0] == ' ' || rest[0] == '\n' || rest[0] == '\t' || rest[0] == '\r':
			l.at++
		case rest[0] == '/' && bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest[2:], []byte("*/"))
			if end < 0 {
				return
			}
			l.at += 2 + end + 2
		default:
			return
		}
	}
}

// end tells whether the statement is over.
func (l *lexer) end() bool {
	l.space()
	return l.at == len(l.text)
}

// symbol takes a character, and tells whether it was the next one.
func (l *lexer) symbol(c byte) bool {
	l.space()
	if l.at < len(l.text) && l.text[l.at] == c {
		l.at++
		return true
	}
	return false
}

// word takes letters, digits and underscores, maybe none.
func (l *lexer) word() []byte {
	l.space()
	from := l.at
	for l.at < len(l.text) {
		c := l.text[l.at]
		if !(c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z') {
			break
		}
		l.at++
	}
	return l.text[from:l.at]
}

// keyword takes a word and returns it in capitals.
func (l *lexer) keyword() string { return string(bytes.ToUpper(l.word())) }

// name takes the name of a table, which may be quoted.
func (l *lexer) name() string {
	l.space()
	if l.at == len(l.text) {
		return ""
	}
	switch c := l.text[l.at]; c {
	case '"', '\'', '`':
		name, _ := l.quoted(c)
		return string(name)
	case '[':
		name, _, _ := bytes.Cut(l.text[l.at+1:], []byte{']'})
		l.at = min(l.at+len(name)+2, len(l.text))
		return string(name)
	}
	return string(l.word())
}

// quoted takes a text in quotes and returns what stands between them.
func (l *lexer) quoted(quote byte) ([]byte, bool) {
	if !l.symbol(quote) {
		return nil, false
	}
	n := bytes.IndexByte(l.text[l.at:], quote)
	if n < 0 {
		return nil, false
	}
	if next := l.at + n + 1; next == len(l.text) || l.text[next] != quote {
		text := l.text[l.at : l.at+n]
		l.at = next
		return text, true
	}
	var text []byte // a quote in the text is written twice
	for {
		text = append(text, l.text[l.at:l.at+n]...)
		l.at += n + 1
		if l.at == len(l.text) || l.text[l.at] != quote {
			return text, true
		}
		text = append(text, quote)
		l.at++
		if n = bytes.IndexByte(l.text[l.at:], quote); n < 0 {
			return nil, false
		}
	}
}

// value takes a value. If it is the same text as last, that is returned, which
// saves an allocation: most texts are those of the row before.
func (l *lexer) value(last any) (any, error) {
	l.space()
	from := l.at
	var c byte
	if l.at < len(l.text) {
		c = l.text[l.at]
	}
	switch {
	case c == '\'':
		if text, ok := l.quoted(c); ok {
			if s, ok := last.(string); ok && s == string(text) {
				return last, nil
			}
			return string(text), nil
		}
	case c == '-' || c >= '0' && c <= '9':
		l.at++
		for l.at < len(l.text) && strings.IndexByte("0123456789.eE+-", l.text[l.at]) >= 0 {
			l.at++
		}
		number := string(l.text[from:l.at])
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			return n, nil
		}
		// Infinity is dumped as a number beyond all others.
		if f, err := strconv.ParseFloat(number, 64); err == nil || errors.Is(err, strconv.ErrRange) {
			return f, nil
		}
	case (c == 'X' || c == 'x') && l.at+1 < len(l.text) && l.text[l.at+1] == '\'':
		l.at++
		if text, ok := l.quoted('\''); ok {
			if blob, err := hex.DecodeString(string(text)); err == nil {
				return blob, nil
			}
		}
	default:
		if v, ok := l.function(); ok {
			return v, nil
		}
	}
	return nil, fmt.Errorf("%.40q is not a value that a PR server dumps", l.text[from:])
}

// function takes NULL, or a text whose line breaks sqlite3 has escaped:
// replace('a\nb','\n',char(10)), or from 3.50 on unistr('a\u000ab').
func (l *lexer) function() (any, bool) {
	switch l.keyword() {
	case "NULL":
		return nil, true
	case "UNISTR":
		if !l.symbol('(') {
			return nil, false
		}
		text, ok := l.quoted('\'')
		return string(unescape(text)), ok && l.symbol(')')
	case "REPLACE":
		if l.depth++; l.depth > 2 || !l.symbol('(') { // one for \r, one for \n
			return nil, false
		}
		v, err := l.value(nil)
		l.depth--
		text, ok := v.(string)
		if err != nil || !ok || !l.symbol(',') {
			return nil, false
		}
		mark, ok := l.quoted('\'')
		if !ok || len(mark) == 0 || !l.symbol(',') || l.keyword() != "CHAR" || !l.symbol('(') {
			return nil, false
		}
		n, err := strconv.ParseUint(string(l.word()), 10, 7)
		text = strings.ReplaceAll(text, string(mark), string(rune(n)))
		return text, err == nil && l.symbol(')') && l.symbol(')')
	}
	return nil, false
}

// escaped matches an escaped character or backslash in a text of unistr.
var escaped = regexp.MustCompile(`\\(?:\\|u[0-9A-Fa-f]{4})`)

func unescape(text []byte) []byte {
	return escaped.ReplaceAllFunc(text, func(e []byte) []byte {
		if len(e) == 2 {
			return e[:1]
		}
		n, _ := strconv.ParseUint(string(e[2:]), 16, 16)
		return utf8.AppendRune(nil, rune(n))
	})
}
