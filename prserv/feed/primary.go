package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// readPrimary reads the index of a repository of rpms, primary.xml. Of each
// element package it takes the few that count, and skips all others without
// parsing them, which encoding/xml takes twenty times as long for. The error
// is a [*lineError].
func (r *reader) readPrimary(text io.Reader, file string) error {
	s := &tagScanner{in: bufio.NewReaderSize(text, 64<<10), line: 1}
	fail := func(format string, args ...any) error { return &lineError{s.line, fmt.Errorf(format, args...)} }
	var f *rpmFields
	begun, line := false, 0
	for {
		t, err := s.next()
		switch {
		case errors.Is(err, io.EOF) && begun && s.open == 0:
			return nil
		case errors.Is(err, io.EOF):
			return fail("%w", errTruncated)
		case err != nil:
			return &lineError{s.line, err}
		}
		switch {
		case !begun && t.name != "metadata":
			return fail("it is no index of rpm packages: it begins with <%.40s>", t.name)
		case !begun:
			begun = true
		case t.name == "package" && !t.closes:
			f, line = &rpmFields{}, s.line
		case f == nil:
		case t.name == "package":
			if f.name == "" || f.version == "" || f.release == "" {
				return fail("a package lacks a name, a version or a release")
			}
			if err := r.takeRpm(f, file, line); err != nil {
				return &lineError{line, err}
			}
			f = nil
		case t.closes:
		case t.name == "name" && t.depth == 3:
			err = s.text(&f.name)
		case t.name == "arch" && t.depth == 3:
			err = s.text(&f.arch)
		case t.name == "rpm:sourcerpm":
			err = s.text(&f.source)
		case t.name == "version" && t.depth == 3:
			f.epoch, f.version, f.release, err = versionOf(t.raw)
		}
		if err != nil {
			return &lineError{s.line, err}
		}
	}
}

// versionOf returns the attributes of version epoch="0" ver="1.0" rel="r0".
func versionOf(tag []byte) (epoch, ver, rel string, err error) {
	for rest := bytes.TrimSpace(bytes.TrimPrefix(tag, []byte("version"))); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		name, after, ok := bytes.Cut(rest, []byte("="))
		after = bytes.TrimLeft(after, " \t\r\n")
		if !ok || len(after) == 0 || after[0] != '"' && after[0] != '\'' {
			return "", "", "", errors.New("it is no XML: an attribute of a version has no value")
		}
		value, behind, ok := bytes.Cut(after[1:], after[:1])
		if !ok || len(value) > maxValue || !utf8.Valid(value) {
			return "", "", "", fmt.Errorf("%.40q is no version", value)
		}
		rest = behind
		switch string(bytes.TrimSpace(name)) {
		case "epoch":
			epoch = unescape.Replace(string(value))
		case "ver":
			ver = unescape.Replace(string(value))
		case "rel":
			rel = unescape.Replace(string(value))
		}
	}
	return epoch, ver, rel, nil
}

// tagScanner finds the tags of an XML document and counts its lines.
type tagScanner struct {
	in   *bufio.Reader
	line int
	open int // how many elements are open
}

// tag is a tag. An element that another one contains is deeper by 1.
type tag struct {
	name   string // one of names, or "" unless it is the first
	depth  int
	closes bool   // </name>
	raw    []byte // of a version: what stands between < and />, until the next tag is read
}

// names are those that are compared, so that no memory is needed for others.
var names = map[string]string{"metadata": "metadata", "package": "package", "name": "name", "arch": "arch",
	"version": "version", "rpm:sourcerpm": "rpm:sourcerpm"}

// next returns the next tag. The error is io.EOF if there is none.
func (s *tagScanner) next() (tag, error) {
	for {
		if err := s.skip('<'); err != nil {
			return tag{}, err
		}
		raw, err := s.in.ReadSlice('>')
		s.line += bytes.Count(raw, []byte("\n"))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return tag{}, errors.New("a tag is longer than 64 KiB")
		case errors.Is(err, io.EOF):
			return tag{}, errTruncated
		case err != nil:
			return tag{}, err
		case raw[0] == '?':
			continue
		case raw[0] == '!' && bytes.HasPrefix(raw, []byte("!--")):
			for !bytes.HasSuffix(raw, []byte("-->")) {
				if raw, err = s.in.ReadSlice('>'); err != nil {
					return tag{}, unpackError(noEOF(err))
				}
				s.line += bytes.Count(raw, []byte("\n"))
			}
			continue
		case raw[0] == '!':
			return tag{}, fmt.Errorf("<%.20s is nothing that an index has", raw)
		}
		return s.tag(raw[:len(raw)-1])
	}
}

// tag takes apart what stands between < and >.
func (s *tagScanner) tag(raw []byte) (tag, error) {
	body, closes := bytes.CutPrefix(raw, []byte("/"))
	body, empty := bytes.CutSuffix(body, []byte("/"))
	name := body
	if i := bytes.IndexAny(body, " \t\r\n"); i >= 0 {
		name = body[:i]
	}
	if len(name) == 0 {
		return tag{}, errors.New("it is no XML: a tag has no name")
	}
	depth := s.open + 1
	switch {
	case closes && s.open == 0:
		return tag{}, errors.New("it is no XML: an element ends that has not begun")
	case closes:
		depth = s.open
		s.open--
	case !empty:
		s.open++
	}
	t := tag{name: names[string(name)], depth: depth, closes: closes}
	switch {
	case t.name == "version":
		t.raw = body
	case t.name == "" && depth == 1:
		t.name = strings.ToValidUTF8(string(name), "?")
	}
	return t, nil
}

// skip skips what comes before a byte, and that.
func (s *tagScanner) skip(until byte) error {
	for {
		text, err := s.in.ReadSlice(until)
		s.line += bytes.Count(text, []byte("\n"))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// text puts the text that follows a tag into to.
func (s *tagScanner) text(to *string) error {
	raw, err := s.in.ReadSlice('<')
	switch {
	case errors.Is(err, bufio.ErrBufferFull) || len(raw) > maxValue:
		return fmt.Errorf("a name is longer than %d bytes", maxValue)
	case err != nil:
		return unpackError(noEOF(err))
	case !utf8.Valid(raw):
		return errors.New("a name is not UTF-8")
	}
	s.line += bytes.Count(raw, []byte("\n"))
	*to = strings.TrimSpace(unescape.Replace(string(raw[:len(raw)-1])))
	return s.in.UnreadByte()
}

// unescape replaces the entities that XML knows by itself.
var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")
