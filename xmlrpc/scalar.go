package xmlrpc

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Kinds of [ValueError].
const (
	KindInt     = "int"
	KindDouble  = "double"
	KindDecimal = "bigdecimal"
	// KindDecimalRange is a bigdecimal with an exponent that is too large.
	KindDecimalRange = "bigdecimal range"
	KindBase64       = "base64"
	KindDateTime     = "dateTime.iso8601"
)

// ValueError is a value whose text is not of its kind.
type ValueError struct{ Kind, Text string }

func (e *ValueError) Error() string { return fmt.Sprintf("bad %s value %q", e.Kind, e.Text) }

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
		if n, ok := ParseInt(text, u.dialect.Numbers); ok {
			return n, nil
		}
		return nil, &ValueError{KindInt, text}
	case ElementDouble:
		if f, ok := ParseDouble(text, u.dialect.Numbers); ok {
			return f, nil
		}
		return nil, &ValueError{KindDouble, text}
	case ElementDecimal:
		d, kind := parseDecimal(text)
		if kind != "" {
			return nil, &ValueError{kind, text}
		}
		return d, nil
	case ElementBase64:
		b, ok := decodeBase64(text)
		if !ok {
			return nil, &ValueError{KindBase64, text}
		}
		return b, nil
	case ElementDateTime:
		if u.dialect.TextKeys && !isASCII(text) { // Python 2 makes it a byte string
			return nil, &ValueError{KindDateTime, text}
		}
		return DateTime(strings.TrimSpace(text)), nil
	}
	return text, nil
}

// decodeBase64 skips what is no base64, as Python's binascii does, and
// reports whether the rest is complete.
func decodeBase64(text string) (Binary, bool) {
	if !isASCII(text) {
		return nil, false
	}
	digits := make([]byte, 0, len(text))
	pads := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '=':
			if pads++; len(digits)%4 >= 2 && len(digits)%4+pads >= 4 {
				return rawBase64(digits) // the last group; what follows is ignored
			}
		case isBase64(c):
			digits = append(digits, c)
			pads = 0
		}
	}
	if len(digits)%4 != 0 {
		return nil, false
	}
	return rawBase64(digits)
}

func rawBase64(digits []byte) (Binary, bool) {
	b, err := base64.RawStdEncoding.DecodeString(string(digits))
	return b, err == nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Base64Digits counts the characters of text that mean something in base64.
func Base64Digits(text string) int {
	n := 0
	for i := range len(text) {
		if isBase64(text[i]) {
			n++
		}
	}
	return n
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}
