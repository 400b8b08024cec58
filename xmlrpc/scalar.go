package xmlrpc

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kinds of [ValueError].
const (
	KindString   = "string"
	KindInt      = "int"
	KindDouble   = "double"
	KindDecimal  = "bigdecimal"
	KindBase64   = "base64"
	KindDateTime = "dateTime.iso8601"
)

// Reason says what is wrong with the text of a value.
type Reason uint8

const (
	// ReasonForm: the text has not the form of its kind.
	ReasonForm Reason = iota
	// ReasonTail: a double is a number and something after it.
	ReasonTail
	// ReasonLength: an integer has Count digits, which is more than Python 3
	// converts.
	ReasonLength
	// ReasonExponent: the exponent of a bigdecimal is too large.
	ReasonExponent
	// ReasonPadding: the text has Count base64 characters, which do not make
	// whole groups of four, and too little padding.
	ReasonPadding
	// ReasonCharacters: Python cannot encode the characters from Start up to
	// End: in ASCII, or in the bytes that Python 2 reads a number from.
	ReasonCharacters
)

// ValueError is returned for a value whose text is not of its kind.
type ValueError struct {
	Kind   string
	Reason Reason
	Text   string // as in the call
	// Number is what Python converts the text of a number to before it reads
	// it. Leading white space is gone, digits are ASCII, and white space is
	// spaces. Other characters outside ASCII are bytes of Latin-1 in Python 2
	// and question marks in Python 3.
	Number     string
	Count      int // of digits or base64 characters
	Start, End int // offsets in Text, in characters
}

func (e *ValueError) Error() string { return fmt.Sprintf("bad %s value %q", e.Kind, e.Text) }

// refuse sets the reason to the first run of bad characters in the text.
func (e *ValueError) refuse(bad func(rune) bool) {
	e.Reason = ReasonCharacters
	chars := []rune(e.Text)
	e.Start = slices.IndexFunc(chars, bad)
	e.End = e.Start
	for e.End < len(chars) && bad(chars[e.End]) {
		e.End++
	}
}

func (u *unmarshaller) scalar(e Element, text string) (any, error) {
	switch e {
	case ElementNil:
		return nil, nil
	case ElementBoolean:
		if text != "0" && text != "1" {
			return nil, ErrBoolean
		}
		return text == "1", nil
	case ElementInt:
		return parseInt(text, u.dialect.Numbers)
	case ElementDouble:
		return parseDouble(text, u.dialect.Numbers)
	case ElementDecimal:
		return parseDecimal(text)
	case ElementBase64:
		return decodeBase64(text)
	case ElementDateTime:
		if u.dialect.TextKeys { // Python 2 makes it a byte string
			if err := CheckASCII(KindDateTime, text); err != nil {
				return nil, err
			}
		}
		return DateTime(strings.TrimSpace(text)), nil
	}
	return text, nil
}

// decodeBase64 decodes base64 as Python's binascii does, which skips all other
// characters. The error is a [*ValueError].
func decodeBase64(text string) (Binary, error) {
	if err := CheckASCII(KindBase64, text); err != nil {
		return nil, err
	}
	digits := make([]byte, 0, len(text))
	pads := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '=':
			if pads++; len(digits)%4 >= 2 && len(digits)%4+pads >= 4 {
				return rawBase64(digits), nil // binascii ignores the rest
			}
		case isBase64(c):
			digits = append(digits, c)
			pads = 0
		}
	}
	if len(digits)%4 != 0 {
		return nil, &ValueError{Kind: KindBase64, Reason: ReasonPadding, Text: text, Count: len(digits)}
	}
	return rawBase64(digits), nil
}

func rawBase64(digits []byte) Binary {
	b, _ := base64.RawStdEncoding.DecodeString(string(digits)) // fails for a lone digit only
	return b
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// CheckASCII returns a [*ValueError] of the given kind if text has characters
// outside ASCII, and nil otherwise.
func CheckASCII(kind, text string) error {
	if isASCII(text) {
		return nil
	}
	e := &ValueError{Kind: kind, Text: text}
	e.refuse(func(r rune) bool { return r >= utf8.RuneSelf })
	return e
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
