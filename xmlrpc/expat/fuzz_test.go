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

// FuzzScan compares the scanner with encoding/xml.
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
	f.Fuzz(func(t *testing.T, doc []byte) {
		checkOracle(t, doc)
		checkAmount(t, doc)
	})
}

// checkAmount fails if the tags and the text of a document are much longer than
// the document. They may be three times as long, because a character that is
// two bytes in UTF-16 can be three in UTF-8.
func checkAmount(t *testing.T, doc []byte) {
	t.Helper()
	v := ourView(doc)
	amount := v.text.Len()
	for _, event := range v.events {
		amount += len(event)
	}
	if amount > 3*len(doc) {
		t.Errorf("%d bytes of tags and text from a document of %d bytes", amount, len(doc))
	}
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
		// One of the two does not read the encoding.
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

// These match what encoding/xml and expat treat differently.
var (
	// surrogateRef: encoding/xml puts U+FFFD for the number of a surrogate.
	surrogateRef = regexp.MustCompile(`(?i)&#(?:x0*d[89a-f][0-9a-f]{2}|0*5(?:529[6-9]|5[3-9]\d\d|6\d{3}|7[0-2]\d\d|73[0-3]\d|734[0-3]));`)
	// gluedAttribute: encoding/xml needs no white space after an attribute.
	gluedAttribute = regexp.MustCompile(`=\s*(?:'[^'<]*'|"[^"<]*")[^\s/>]`)
	// twoColons: encoding/xml refuses a name with two colons.
	twoColons = regexp.MustCompile(`[^\s<>/='"]*:[^\s<>/='"]*:`)
)

// knownRefusal reports whether the oracle's error is known to be one of
// encoding/xml alone.
func knownRefusal(o *oracle) bool {
	message := o.err.Error()
	switch {
	case strings.Contains(message, "unsupported version"): // expat reads every version
		return o.version != "1.0"
	case strings.Contains(message, "expected element name after <"),
		strings.Contains(message, "expected attribute name in element"),
		strings.Contains(message, "expected element name after </"):
		return twoColons.Match(o.doc)
	}
	return false
}

// knownTolerance reports whether encoding/xml is known to accept what expat
// refuses with err.
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
	case "unclosed token": // encoding/xml takes it for text
		return o.misplaced
	case "partial character":
		return o.misplaced || o.badHidden
	case "encoding specified in XML declaration is incorrect": // encoding/xml does not check "utf-8"
		return o.wide != "" && strings.EqualFold(o.encoding, "utf-8")
	case "not well-formed (invalid token)":
		return o.misplaced || o.directive || o.badHidden || o.badTarget || o.badPI ||
			gluedAttribute.Match(o.doc)
	}
	return false
}
