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
	// ReasonForm: the text is not of the form that its kind has.
	ReasonForm Reason = iota
	// ReasonTail: a double begins with a number, but does not end with it.
	ReasonTail
	// ReasonLength: an integer has Count digits, more than Python 3 converts.
	ReasonLength
	// ReasonExponent: the exponent of a bigdecimal is too large.
	ReasonExponent
	// ReasonPadding: the Count base64 characters of the text are no whole
	// number of groups of four, and the padding does not make up for it.
	ReasonPadding
	// ReasonCharacters: Python cannot encode the characters from Start up to
	// End, in ASCII or, if they are in a number, in what Python 2 makes of it.
	ReasonCharacters
)

// ValueError is returned for a value whose text is not of its kind.
type ValueError struct {
	Kind   string
	Reason Reason
	Text   string
	// Number is what Python reads in place of the text of a number: without
	// leading white space, with ASCII digits for those of other scripts and
	// spaces for other white space. Of any other character Python 2 makes a
	// byte of Latin-1, and Python 3 a question mark if it is not ASCII.
	Number string
	Count  int
	// Start and End are in characters.
	Start, End int
}

func (e *ValueError) Error() string { return fmt.Sprintf("bad %s value %q", e.Kind, e.Text) }

// refuse makes e the error of a text with bad characters; the first run of
// them is what Python names.
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

// decodeBase64 decodes a text and skips what is not base64, as Python's
// binascii does. The error is a [*ValueError].
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
				return rawBase64(digits), nil // the last group; what follows is ignored
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

// CheckASCII returns a [*ValueError] if text has characters outside ASCII.
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
