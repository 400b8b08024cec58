package xmlrpc

import (
	"strconv"
	"strings"
	"unicode"
)

// maxExponent is the largest exponent of a Decimal.
const maxExponent = 999999999999999999

// parseDecimal reads what Python's decimal.Decimal takes for a number and
// writes it as Python does. Where it does not, kind says what is wrong: the
// form ([KindDecimal]) or the size ([KindDecimalRange]).
//
// Source: the to-scientific-string rule of the General Decimal Arithmetic
// Specification, which Python cites.
func parseDecimal(text string) (d Decimal, kind string) {
	text = strings.ReplaceAll(strings.TrimFunc(text, unicode.IsSpace), "_", "")
	text, ok := asciiDigits(text, Numbers3)
	if !ok || text == "" {
		return "", KindDecimal
	}
	sign := ""
	if text[0] == '-' || text[0] == '+' {
		sign = strings.Trim(text[:1], "+")
		text = text[1:]
	}
	switch lower := strings.ToLower(text); {
	case lower == "inf" || lower == "infinity":
		return Decimal(sign + "Infinity"), ""
	case strings.HasPrefix(lower, "nan") && strings.Trim(lower[3:], "0123456789") == "":
		return Decimal(sign + "NaN" + strings.TrimLeft(lower[3:], "0")), ""
	case strings.HasPrefix(lower, "snan") && strings.Trim(lower[4:], "0123456789") == "":
		return Decimal(sign + "sNaN" + strings.TrimLeft(lower[4:], "0")), ""
	}
	if text == "" || DoublePrefix(text) != len(text) {
		return "", KindDecimal
	}
	mantissa, exp, _ := strings.Cut(strings.ToLower(text), "e")
	exponent := 0
	if exp != "" {
		var err error
		if exponent, err = strconv.Atoi(exp); err != nil || exponent > maxExponent || exponent < -maxExponent {
			return "", KindDecimalRange
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		digits = "0"
	}
	return Decimal(sign + scientific(digits, exponent)), ""
}

// scientific writes digits * 10^exponent.
func scientific(digits string, exponent int) string {
	adjusted := exponent + len(digits) - 1
	if exponent <= 0 && adjusted >= -6 {
		switch point := len(digits) + exponent; {
		case exponent == 0:
			return digits
		case point > 0:
			return digits[:point] + "." + digits[point:]
		default:
			return "0." + strings.Repeat("0", -point) + digits
		}
	}
	s := digits[:1]
	if len(digits) > 1 {
		s += "." + digits[1:]
	}
	if adjusted >= 0 {
		return s + "E+" + strconv.Itoa(adjusted)
	}
	return s + "E" + strconv.Itoa(adjusted)
}
