package expat_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"prserver/xmlrpc/expat"
)

// declared is a call in an encoding.
func declared(encoding, text string) []byte {
	return []byte("<?xml version='1.0' encoding='" + encoding + "'?><params><value>" + text + "</value></params>")
}

// valueText returns the text of the only value of a call, or the error.
func valueText(body []byte) string {
	v := ourView(body)
	if v.err != nil {
		return v.err.Error()
	}
	return strings.Join(v.events[2:len(v.events)-2], "")
}

// TestEncodings reads the encodings that we know as both Pythons do. In what
// they take for ASCII, other bytes are no characters.
func TestEncodings(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"UTF-8", "é日😀", "é日😀"},
		{"utf-8", "é", "é"},
		{"ISO-8859-1", "\xe9", "é"},
		{"iso-8859-1", "\x80\x9f\xa0\xff", "\u0080\u009f\u00a0ÿ"},
		{"ISO_8859-1", "\xe9", "é"},
		{"iso8859-1", "\xe9", "é"},
		{"Latin-1", "\xe9", "é"},
		{"latin1", "\xc3\xa9", "Ã©"},
		{"L1", "\xe9&#233;", "éé"},
		{"US-ASCII", "A&#233;", "Aé"},
		{"US-ASCII", "\xe9", "not well-formed (invalid token): line 1, column 56"},
		{"ascii", "\xc3\xa9", "not well-formed (invalid token): line 1, column 53"},
		{"utf8", "A", "A"},
		{"utf8", "é", "not well-formed (invalid token): line 1, column 52"},
		{"UTF_8", "é", "not well-formed (invalid token): line 1, column 53"},
		{"UTF-16", "A", "encoding specified in XML declaration is incorrect: line 1, column 30"},
		{"utf-16be", "A", "encoding specified in XML declaration is incorrect: line 1, column 30"},
		{"bogus", "A", "unknown encoding: bogus"},
		{"x.y-z_0", "A", "unknown encoding: x.y-z_0"},
	} {
		if got := valueText(declared(test.name, test.text)); got != test.want {
			t.Errorf("%s: %q: got %q, want %q", test.name, test.text, got, test.want)
		}
	}
}

// TestOtherEncodings pins that those that only Python has tables for are
// refused.
func TestOtherEncodings(t *testing.T) {
	for _, name := range []string{"iso-8859-15", "windows-1252", "koi8-r", "cp437", "latin2", "cp037", "utf-7", "utf-32", "shift_jis", "hex"} {
		err := ourView(declared(name, "A")).err
		var encoding *expat.EncodingError
		if !errors.As(err, &encoding) || encoding.Name != name {
			t.Errorf("%s: got %v, want an EncodingError", name, err)
		}
	}
}

// TestSurrogates pins that half a surrogate pair is a replacement character.
// expat refuses a second half, and takes what follows a first half for the
// second.
func TestSurrogates(t *testing.T) {
	for units, want := range map[string]string{
		"\xd8\x3d\xde\x00": "😀", "\xdc\x00": "\ufffd", "\x00x\xdf\xff\xdf\xff": "x\ufffd\ufffd",
		"\xd8\x00": "\ufffd", "\xd8\x00\x00x": "\ufffdx", "\xd8\x00\xd8\x3d\xde\x00": "\ufffd😀",
	} {
		body := wide(binary.BigEndian, "<params><value>") + units + wide(binary.BigEndian, "</value></params>")
		if got := valueText([]byte(body)); got != want {
			t.Errorf("% x: got %q, want %q", units, got, want)
		}
	}
}
