package prserv

import (
	"fmt"
	"math"
	"strings"
	"unicode"

	"prserver/prserv/asyncrpc"
)

// pythonText returns what Python's str() makes of a value of JSON.
func pythonText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	var b strings.Builder
	writeRepr(&b, v)
	return b.String()
}

// writeRepr writes Python's repr() of a value of JSON.
func writeRepr(b *strings.Builder, v any) {
	separator := ""
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case string:
		writeQuoted(b, v)
	case []any:
		b.WriteByte('[')
		for _, element := range v {
			b.WriteString(separator)
			writeRepr(b, element)
			separator = ", "
		}
		b.WriteByte(']')
	case asyncrpc.Object:
		b.WriteByte('{')
		for i, m := range v {
			if _, again := v[:i].Get(m.Name); again {
				continue
			}
			b.WriteString(separator)
			writeQuoted(b, m.Name)
			b.WriteString(": ")
			last, _ := v.Get(m.Name)
			writeRepr(b, last)
			separator = ", "
		}
		b.WriteByte('}')
	case float64:
		b.WriteString(pythonFloat(v))
	default:
		b.Write(asyncrpc.Append(nil, v))
	}
}

// pythonFloat writes a number as repr() does; JSON has other names for those that
// are none.
func pythonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return strings.ToLower(strings.TrimSuffix(string(asyncrpc.Append(nil, f)), "inity"))
	}
	return string(asyncrpc.Append(nil, f))
}

// writeQuoted writes a text in single quotes, or in double ones if that saves a
// backslash.
func writeQuoted(b *strings.Builder, s string) {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r == '\t' || r == '\n' || r == '\r':
			b.WriteString(map[rune]string{'\t': `\t`, '\n': `\n`, '\r': `\r`}[r])
		case r < 0x100:
			fmt.Fprintf(b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			fmt.Fprintf(b, `\U%08x`, r)
		}
	}
	b.WriteRune(quote)
}
