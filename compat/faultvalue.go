package compat

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode"

	"prserver/xmlrpc"
)

// badValue words a value whose text is not of its kind.
func (p python) badValue(e *xmlrpc.ValueError) (string, string) {
	switch e.Kind {
	case xmlrpc.KindInt, xmlrpc.KindDouble:
		if p == python2 {
			return p.badNumber2(e)
		}
		if e.Kind == xmlrpc.KindInt {
			if n := xmlrpc.TooManyDigits(e.Text); n > 0 {
				return p.builtin("ValueError"), fmt.Sprintf(textTooManyDigits, n)
			}
			return p.builtin("ValueError"), fmt.Sprintf(textBadInt, cut(p.repr(e.Text), reprLimit))
		}
		return p.builtin("ValueError"), fmt.Sprintf(textNoDouble, p.repr(blankIsEmpty(e.Text)))
	case xmlrpc.KindDecimalRange:
		return class("decimal.InvalidOperation"), textDecimalRange
	case xmlrpc.KindDecimal:
		return class("decimal.InvalidOperation"), textBadDecimal
	}
	if firstNonASCII(e.Text) >= 0 { // base64 and dateTime.iso8601
		return p.builtin("UnicodeEncodeError"), (&encodeError{codec: "ascii", text: e.Text}).text2(p)
	}
	if n := xmlrpc.Base64Digits(e.Text); p == python3 && n%4 == 1 {
		return class("binascii.Error"), fmt.Sprintf(textBase64Lone, n)
	}
	return class("binascii.Error"), textBase64Padding
}

// blankIsEmpty: of white space alone Python shows nothing.
func blankIsEmpty(s string) string {
	if strings.TrimFunc(s, unicode.IsSpace) == "" {
		return ""
	}
	return s
}

// reprLimit is how many characters of a bad number Python shows.
const reprLimit = 200

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// badNumber2 words a bad number of Python 2, which first makes bytes of its
// text: digits of any script become ASCII ones, white space a space and what
// Latin-1 has its byte; with anything else it gives up.
func (p python) badNumber2(e *xmlrpc.ValueError) (string, string) {
	var text []byte
	for _, r := range e.Text {
		d, isDigit := xmlrpc.DigitValue(r)
		switch {
		case unicode.IsSpace(r):
			text = append(text, ' ')
		case isDigit:
			text = append(text, '0'+byte(d))
		case r < 0x100:
			text = append(text, byte(r))
		default:
			return p.builtin("UnicodeEncodeError"), (&encodeError{codec: "decimal", text: e.Text}).text2(p)
		}
	}
	s := strings.TrimLeft(string(text), " ")
	if e.Kind == xmlrpc.KindInt {
		if len(s) > reprLimit {
			s = s[:reprLimit]
		}
		return p.builtin("ValueError"), fmt.Sprintf(textBadInt, p.reprBytes(s))
	}
	format := textNoDouble
	if xmlrpc.DoublePrefix(s) > 0 {
		format = textDoubleTail2
	}
	if len(s) > reprLimit {
		s = s[:reprLimit]
	}
	return p.builtin("ValueError"), fmt.Sprintf(format, s)
}

// badKey words a struct key that is no string.
func (p python) badKey(key any) (string, string) {
	if p == python3 {
		return p.unhashable(key)
	}
	switch key.(type) {
	case xmlrpc.Binary, xmlrpc.DateTime:
		return p.builtin("AttributeError"), textNoWrite
	}
	return p.builtin("AttributeError"), fmt.Sprintf(textNoAttribute, p.typeName(key))
}

func (p python) unhashable(v any) (string, string) {
	switch v.(type) {
	case xmlrpc.Binary, xmlrpc.DateTime:
		if p == python2 {
			return p.builtin("TypeError"), textUnhashable2
		}
	}
	return p.builtin("TypeError"), fmt.Sprintf(textUnhashable, p.typeName(v))
}

// typeName is what Python calls the type of a value.
func (p python) typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64:
		return "int"
	case *big.Int:
		if p == python2 {
			return "long"
		}
		return "int"
	case float64:
		return "float"
	case string:
		if p == python2 && firstNonASCII(v) >= 0 {
			return "unicode"
		}
		return "str"
	case xmlrpc.Decimal:
		return "decimal.Decimal"
	case []any:
		return "list"
	case xmlrpc.Struct:
		return "dict"
	case xmlrpc.Binary:
		return "Binary"
	case xmlrpc.DateTime:
		return "DateTime"
	}
	return fmt.Sprintf("%T", v)
}

// badFault words a fault, sent as a call, that is none.
func (p python) badFault(e *xmlrpc.FaultCallError) (string, string) {
	st, ok := e.Value.(xmlrpc.Struct)
	switch {
	case !e.HasValue:
		return p.builtin("IndexError"), textOutOfRange
	case !ok:
		return p.builtin("TypeError"), fmt.Sprintf(textNoMapping, p.instanceName(e.Value))
	}
	given := map[string]bool{}
	for _, m := range st {
		name, isText := m.Name.(string)
		switch {
		case !isText:
			return p.builtin("TypeError"), textKeyword
		case name == "self" && p == python2:
			return p.builtin("TypeError"), textManySelf2
		case name == "self":
			return p.builtin("TypeError"), textManySelf
		}
		given[name] = true
	}
	params := []string{"faultCode", "faultString"}
	missing := slices.DeleteFunc(params, func(name string) bool { return given[name] })
	if p == python2 {
		return p.builtin("TypeError"), fmt.Sprintf(textFaultCount2, 3-len(missing))
	}
	return p.builtin("TypeError"), "__init__() " + missingArguments(missing)
}

// instanceName is the name of a value's type where Python 2 does not tell
// one of its old classes from another.
func (p python) instanceName(v any) string {
	switch v.(type) {
	case xmlrpc.Binary, xmlrpc.DateTime:
		if p == python2 {
			return "instance"
		}
	}
	return p.typeName(v)
}

// encodeError is a text that a codec of Python has no bytes for.
type encodeError struct{ codec, text string }

func (e *encodeError) Error() string { return "no " + e.codec + " for " + e.text }

// text2 words the error; the codec names the first run of characters it
// cannot encode.
func (e *encodeError) text2(p python) string {
	reason, limit := textASCIIRange, rune(0x80)
	if e.codec == "decimal" {
		reason, limit = textDecimalRange2, 0x100
	}
	start, end := -1, -1
	var first rune
	i := 0
	for _, r := range e.text {
		_, isDigit := xmlrpc.DigitValue(r)
		bad := r >= limit && !(e.codec == "decimal" && (isDigit || unicode.IsSpace(r)))
		if bad && start < 0 {
			start, first = i, r
		}
		if start >= 0 {
			if !bad {
				break
			}
			end = i
		}
		i++
	}
	if end > start {
		return fmt.Sprintf("'%s' codec can't encode characters in position %d-%d: %s", e.codec, start, end, reason)
	}
	prefix := ""
	if p == python2 {
		prefix = "u"
	}
	return fmt.Sprintf("'%s' codec can't encode character %s'%s' in position %d: %s", e.codec, prefix, escape(first), start, reason)
}
