package compat

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"prserver/prserv/store"
	"prserver/xmlrpc"
)

// repr returns Python's repr() of a text. In Python 2 the text is a unicode
// object, so a 'u' stands before the quotes.
func (p python) repr(s string) string {
	quoted := p.quoted(s, func(r rune) bool {
		return r < 0x7F || p == python3 && unicode.IsPrint(r)
	})
	if p == python2 {
		return "u" + quoted
	}
	return quoted
}

// reprBytes returns Python's repr() of bytes that the client sent: Python 2 keeps
// a byte string, Python 3 decodes it as Latin-1.
func (p python) reprBytes(s string) string {
	latin1 := make([]rune, 0, len(s))
	for i := range len(s) {
		latin1 = append(latin1, rune(s[i]))
	}
	return p.quoted(string(latin1), func(r rune) bool {
		return r < 0x7F || p == python3 && unicode.IsPrint(r)
	})
}

// reprStored returns Python's repr() of a text from an XML-RPC call: Python 2 makes
// a byte string of it if it is ASCII.
func (p python) reprStored(s string) string {
	if p == python2 && isASCII(s) {
		return p.reprBytes(s)
	}
	return p.repr(s)
}

// quoted puts s in single quotes, or in double ones if that saves a backslash. It
// escapes characters that are not printable.
func (p python) quoted(s string, printable func(rune) bool) string {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r >= ' ' && printable(r):
			b.WriteRune(r)
		default:
			b.WriteString(escape(r))
		}
	}
	b.WriteRune(quote)
	return b.String()
}

// escape returns a character as the shortest escape with its number.
func escape(r rune) string {
	switch {
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// str returns Python's str() of a value from a call. In Python 2 a text outside
// ASCII is a [*xmlrpc.ValueError], because a byte string cannot hold it. Bytes
// outside ASCII are an error there too, because its sqlite3 module refuses them.
func (p python) str(v any) (string, error) {
	switch v := v.(type) {
	case string:
		if p == python2 {
			if err := xmlrpc.CheckASCII(xmlrpc.KindString, v); err != nil {
				return "", err
			}
		}
		return v, nil
	case float64:
		if p == python2 {
			return shortDouble(v), nil
		}
	case xmlrpc.DateTime:
		return string(v), nil
	case xmlrpc.Decimal:
		return string(v), nil
	case xmlrpc.Binary:
		if p == python2 {
			if !isASCII(string(v)) {
				return "", store.ErrUndecodable
			}
			return string(v), nil
		}
		latin1 := make([]rune, len(v))
		for i, b := range v {
			latin1[i] = rune(b)
		}
		return string(latin1), nil
	}
	var b strings.Builder
	err := p.reprValue(&b, v, 0)
	return b.String(), err
}

// maxDepth is how deep a value may be nested for repr(). Python gives up at about
// 1,000.
const maxDepth = 900

// reprValue writes Python's repr() of a value. It returns [xmlrpc.ErrTooDeep] if
// the value is nested too deeply.
func (p python) reprValue(b *strings.Builder, v any, depth int) error {
	if depth > maxDepth {
		return xmlrpc.ErrTooDeep
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case *big.Int:
		b.WriteString(v.String())
		if p == python2 && depth > 0 {
			b.WriteByte('L')
		}
	case float64:
		b.WriteString(xmlrpc.FormatDouble(v))
	case string:
		b.WriteString(p.reprStored(v))
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := p.reprValue(b, item, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case xmlrpc.Struct:
		b.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := p.reprValue(b, m.Name, depth+1); err != nil {
				return err
			}
			b.WriteString(": ")
			if err := p.reprValue(b, m.Value, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	default:
		// Python prints the address of the object, which nobody can rely on.
		fmt.Fprintf(b, "<%T>", v)
	}
	return nil
}

// shortDouble returns Python 2's str() of a float: twelve digits, with an exponent
// if they leave no room for a decimal point.
func shortDouble(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) || f == 0 {
		return xmlrpc.FormatDouble(f)
	}
	const digits = 12
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', digits-1, 64), "e")
	exponent, _ := strconv.Atoi(exp)
	rounded, _ := strconv.ParseFloat(mantissa+"e"+exp, 64)
	if exponent >= -4 && exponent < digits-1 {
		return xmlrpc.FormatDouble(rounded)
	}
	return strings.TrimSuffix(strings.TrimRight(mantissa, "0"), ".") + "e" + exp
}

// blob returns the value that stands in a reply for bytes of the database: Python
// 3 sends base64. Python 2 cannot send its buffer objects, which is an error.
func (p python) blob(b xmlrpc.Blob) (any, error) {
	if p == python2 {
		return nil, errBuffer
	}
	return xmlrpc.Binary(b), nil
}
