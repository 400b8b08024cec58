package xmlrpc_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"prserver/compat/golden"
	"prserver/xmlrpc"
)

// FuzzDecode holds the scanner against encoding/xml, and looks that no call
// takes more time or memory than its size warrants.
func FuzzDecode(f *testing.F) {
	for _, word := range notXML {
		for _, p := range word.places {
			f.Add([]byte(p.body))
		}
	}
	for _, tests := range [][]decoded{bothRead, py2Reads, py3Reads} {
		for _, test := range tests {
			f.Add(params(test.inner))
		}
	}
	for _, m := range slices.Concat(badValues, noCalls) {
		f.Add([]byte(m.body))
	}
	seen := map[string]bool{}
	for _, request := range recorded(f) {
		if _, body, ok := bytes.Cut(request, []byte("\r\n\r\n")); ok && !seen[string(body)] {
			seen[string(body)] = true
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		checkCost(t, body)
		checkOracle(t, body)
	})
}

// recorded returns the requests recorded from the reference, each once.
func recorded(f *testing.F) [][]byte {
	f.Helper()
	var requests [][]byte
	seen := map[string]bool{}
	for _, dialect := range []golden.Dialect{golden.Py2, golden.Py3} {
		sessions, err := golden.ReadDir(filepath.Join("..", "testdata", "golden", string(dialect)))
		if errors.Is(err, os.ErrNotExist) {
			f.Logf("without recordings: %v", err)
			continue
		}
		if err != nil {
			f.Fatal(err)
		}
		for _, session := range sessions {
			for _, exchange := range session.Exchanges {
				if key := string(exchange.Request); !seen[key] && len(key) < 4<<10 {
					seen[key] = true
					requests = append(requests, exchange.Request)
				}
			}
		}
	}
	return requests
}

// checkCost measures again where it was too much: the first time fills the
// tables of names, and others may be at work in the process.
func checkCost(t *testing.T, body []byte) {
	t.Helper()
	const tries = 5
	limit := uint64(128<<10 + 300*len(body))
	for _, d := range dialects {
		var took time.Duration
		var size uint64
		for range tries {
			start, before := time.Now(), allocated()
			_, err := xmlrpc.Decode(body, d)
			var fault *xmlrpc.Fault
			if err != nil && !errors.As(err, &fault) && d.Fault(err) == nil {
				t.Errorf("%s: no fault for %v", d.Name, err)
			}
			took, size = time.Since(start), allocated()-before
			if took < time.Second && size < limit {
				break
			}
		}
		if took > time.Second || size > limit {
			t.Errorf("%s: %d bytes took %v and %d bytes of memory, want at most %d", d.Name, len(body), took, size, limit)
		}
	}
}

func checkOracle(t *testing.T, doc []byte) {
	t.Helper()
	ours, theirs := ourView(doc), oracleView(doc)
	var encoding *xmlrpc.EncodingError
	switch {
	case errors.Is(ours.err, xmlrpc.ErrDoctype):
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
	var syntax *xmlrpc.SyntaxError
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
