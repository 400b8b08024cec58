package expat

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// EncodingError is an XML declaration that names an encoding we do not read.
type EncodingError struct{ Name string }

func (e *EncodingError) Error() string { return "unknown encoding: " + e.Name }

// detectEncoding looks for a byte order mark or the zero bytes of UTF-16,
// turns UTF-16 into UTF-8, and returns the offset to start at. Positions stay
// what they were: they count characters, the mark included.
func (s *scanner) detectEncoding() (int, error) {
	d := s.data
	if len(d) < 2 {
		if len(d) == 1 && (d[0] == 0xEF || d[0] == 0xFE || d[0] == 0xFF || d[0] == 0) {
			return 0, s.fail(errUnclosedToken, 0)
		}
		return 0, nil
	}
	switch {
	case d[0] == 0xEF && d[1] == 0xBB:
		if len(d) == 2 {
			return 0, s.fail(errUnclosedToken, 0)
		}
		if d[2] == 0xBF {
			return 3, nil
		}
	case d[0] == 0xFE && d[1] == 0xFF:
		s.fromUTF16(binary.BigEndian, "UTF-16BE")
		return 3, nil
	case d[0] == 0xFF && d[1] == 0xFE:
		s.fromUTF16(binary.LittleEndian, "UTF-16LE")
		return 3, nil
	case d[0] == 0:
		s.fromUTF16(binary.BigEndian, "UTF-16BE")
	case d[1] == 0:
		s.fromUTF16(binary.LittleEndian, "UTF-16LE")
	}
	return 0, nil
}

func (s *scanner) fromUTF16(order binary.ByteOrder, name string) {
	units := make([]uint16, len(s.data)/2)
	for i := range units {
		units[i] = order.Uint16(s.data[2*i:])
	}
	s.wide = name
	s.half = len(s.data)%2 != 0
	s.data = []byte(string(utf16.Decode(units)))
}

// xmlDecl reads the XML declaration between start and end and turns what
// follows into UTF-8 if it says that it is something else. It returns the
// offset to go on at.
func (s *scanner) xmlDecl(start, end int) (int, error) {
	d := declaration{s: s, p: start + len("<?xml"), end: end - len("?>")}
	bad := func(p int) (int, error) { return p, s.fail(errXMLDecl, p) }

	if !d.next() || d.name == "" {
		return bad(d.p)
	}
	if d.name != "version" {
		return bad(d.nameAt)
	}
	if !d.next() {
		return bad(d.p)
	}
	encoding, encodingAt := "", 0
	if d.name == "encoding" {
		encoding, encodingAt = d.value, d.valueAt
		if c := classes[s.data[d.valueAt]]; c != cNameStart && c != cHex {
			return bad(d.valueAt)
		}
		if !d.next() {
			return bad(d.p)
		}
	}
	if d.name != "" {
		if d.name != "standalone" {
			return bad(d.nameAt)
		}
		if d.value != "yes" && d.value != "no" {
			return bad(d.valueAt)
		}
		for d.p < d.end && classes[s.data[d.p]].isSpace() {
			d.p++
		}
		if d.p != d.end {
			return bad(d.p)
		}
	}
	return end, s.switchEncoding(encoding, encodingAt, end)
}

// declaration steps through the pseudo attributes of an XML declaration.
type declaration struct {
	s               *scanner
	p, end          int
	name, value     string
	nameAt, valueAt int
}

// next reads a pseudo attribute, or finds that none is left and clears name.
// Where it returns false, p is the culprit.
func (d *declaration) next() bool {
	data := d.s.data
	d.name = ""
	if d.p == d.end {
		return true
	}
	if !classes[data[d.p]].isSpace() {
		return false
	}
	skip := func() {
		for d.p < d.end && classes[data[d.p]].isSpace() {
			d.p++
		}
	}
	before := d.p
	if skip(); d.p == d.end {
		d.p = before
		return true
	}
	d.nameAt = d.p
	for ; ; d.p++ {
		if d.p == d.end || data[d.p] >= 0x80 {
			return false
		}
		if data[d.p] == '=' || classes[data[d.p]].isSpace() {
			break
		}
	}
	nameEnd := d.p
	skip()
	if nameEnd == d.nameAt || d.p == d.end || data[d.p] != '=' {
		return false
	}
	d.p++
	skip()
	if d.p == d.end || data[d.p] != '"' && data[d.p] != '\'' {
		return false
	}
	quote := data[d.p]
	d.p++
	d.valueAt = d.p
	for ; d.p == d.end || data[d.p] != quote; d.p++ {
		if d.p == d.end {
			return false
		}
		switch c := classes[data[d.p]]; c {
		case cNameStart, cHex, cDigit, cName, cMinus:
			if data[d.p] != ':' {
				continue
			}
		}
		return false
	}
	d.name = string(data[d.nameAt:nameEnd])
	d.value = string(data[d.valueAt:d.p])
	d.p++
	return true
}

// switchEncoding turns the data from offset p on into UTF-8.
func (s *scanner) switchEncoding(name string, nameAt, p int) error {
	upper := strings.ToUpper(name)
	isWide := strings.HasPrefix(upper, "UTF-16")
	switch {
	case name == "":
		return nil
	case isWide && s.wide != "" && (upper == "UTF-16" || upper == s.wide):
		return nil
	case isWide, s.wide != "" && (upper == "UTF-8" || upper == "US-ASCII" || upper == "ISO-8859-1"):
		return s.fail(errWrongEncoding, nameAt)
	case s.wide != "":
		return &EncodingError{Name: name}
	case upper == "UTF-8":
		return nil
	case asciiNames[strings.ToLower(name)]:
		// A byte that is no ASCII becomes one that is no XML.
		s.rewrite(p, func(byte) rune { return 0 })
		return nil
	case latin1Names[strings.ToLower(name)]:
		s.rewrite(p, func(b byte) rune { return rune(b) })
		return nil
	}
	return &EncodingError{Name: name}
}

// asciiNames are the encodings that the reference reads as ASCII. What it
// reads as UTF-8 bears one name only: for others it asks Python for the
// meaning of every single byte, and in UTF-8 those from 0x80 up have none.
var asciiNames = map[string]bool{
	"us-ascii": true, "ascii": true, "ansi_x3.4-1968": true, "utf8": true, "utf_8": true,
}

// latin1Names are some of the names of Latin-1. Python has tables for a
// hundred other encodings, which no client of a PR server ever used.
var latin1Names = map[string]bool{
	"iso-8859-1": true, "iso8859-1": true, "iso_8859-1": true, "latin1": true, "latin-1": true, "l1": true,
}

// rewrite replaces every byte from 0x80 up behind offset p by a character.
func (s *scanner) rewrite(p int, char func(byte) rune) {
	if bytes.IndexFunc(s.data[p:], func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return
	}
	out := make([]byte, p, 2*len(s.data)-p)
	copy(out, s.data)
	for _, b := range s.data[p:] {
		if b < utf8.RuneSelf {
			out = append(out, b)
		} else {
			out = utf8.AppendRune(out, char(b))
		}
	}
	s.data = out
}
