package expat_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"prserver/compat/golden"
	"prserver/xmlrpc/expat"
)

// FuzzScan holds the scanner against encoding/xml.
func FuzzScan(f *testing.F) {
	for _, word := range notXML {
		for _, p := range word.places {
			f.Add([]byte(p.body))
		}
	}
	requests, err := golden.Requests(filepath.Join("..", "..", "testdata", "golden"))
	if err != nil {
		f.Fatal(err)
	}
	seen := map[string]bool{}
	for _, request := range requests {
		if _, body, ok := bytes.Cut(request, []byte("\r\n\r\n")); ok && !seen[string(body)] && len(body) < 4<<10 {
			seen[string(body)] = true
			f.Add(body)
		}
	}
	f.Fuzz(checkOracle)
}

func checkOracle(t *testing.T, doc []byte) {
	t.Helper()
	ours, theirs := ourView(doc), oracleView(doc)
	var encoding *expat.EncodingError
	switch {
	case errors.Is(ours.err, expat.ErrDoctype):
		if !bytes.Contains(theirs.doc, []byte("<!DOCTYPE")) {
			t.Error("ErrDoctype without a DOCTYPE")
		}
	case errors.As(ours.err, &encoding) || errors.Is(theirs.err, errCharset):
		// One of the two does not know the encoding.
	case ours.err == nil && theirs.err != nil:
		if !knownRefusal(theirs) {
			t.Errorf("we accept what encoding/xml does not: %v", theirs.err)
		}
	case ours.err != nil && theirs.err == nil:
		if !knownTolerance(ours.err, theirs) {
			t.Errorf("encoding/xml accepts what we do not: %v", ours.err)
		}
	case ours.err == nil && theirs.flaws() != "":
		t.Errorf("we accept a document with %s", theirs.flaws())
	case ours.err == nil && !slices.Equal(ours.events, theirs.events):
		t.Errorf("we see        %q\nencoding/xml sees %q", ours.events, theirs.events)
	}
}

// The differences known between encoding/xml and expat, each with its check.

var (
	// A surrogate's number, for which encoding/xml puts U+FFFD.
	surrogateRef = regexp.MustCompile(`(?i)&#(?:x0*d[89a-f][0-9a-f]{2}|0*5(?:529[6-9]|5[3-9]\d\d|6\d{3}|7[0-2]\d\d|73[0-3]\d|734[0-3]));`)
	// Two attributes without white space between them, or one glued to '/'.
	gluedAttribute = regexp.MustCompile(`=\s*(?:'[^'<]*'|"[^"<]*")[^\s/>]`)
	// A name with two colons, which name spaces do not allow.
	twoColons = regexp.MustCompile(`[^\s<>/='"]*:[^\s<>/='"]*:`)
)

// knownRefusal tells whether encoding/xml has a reason of its own to refuse
// what expat accepts.
func knownRefusal(o *oracle) bool {
	message := o.err.Error()
	switch {
	case strings.Contains(message, "unsupported version"): // expat reads any
		return o.version != "1.0"
	case strings.Contains(message, "expected element name after <"),
		strings.Contains(message, "expected attribute name in element"),
		strings.Contains(message, "expected element name after </"):
		return twoColons.Match(o.doc)
	}
	return false
}

// knownTolerance tells whether encoding/xml accepts what expat, for the
// reason in err, does not.
func knownTolerance(err error, o *oracle) bool {
	var syntax *expat.SyntaxError
	if !errors.As(err, &syntax) {
		return false
	}
	switch syntax.Reason {
	case "no element found":
		return o.roots == 0
	case "junk after document element":
		return o.roots > 1 || o.misplaced || o.lateDecl
	case "syntax error", "illegal parameter entity reference":
		return o.misplaced
	case "duplicate attribute":
		return o.duplicates
	case "reference to invalid character number":
		return surrogateRef.Match(o.doc)
	case "XML or text declaration not at start of entity":
		return o.lateDecl
	case "XML declaration not well-formed":
		return o.badDecl
	case "unclosed token": // of what may not stand there anyway
		return o.misplaced
	case "partial character":
		return o.misplaced || o.badHidden
	case "encoding specified in XML declaration is incorrect": // UTF-8 it does not ask about
		return o.wide != "" && strings.EqualFold(o.encoding, "utf-8")
	case "not well-formed (invalid token)":
		return o.misplaced || o.directive || o.badHidden || o.badTarget || o.badPI ||
			gluedAttribute.Match(o.doc)
	}
	return false
}
