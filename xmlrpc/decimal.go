package xmlrpc

import (
	"strconv"
	"strings"
)

// maxExponent is the largest exponent of Python's Decimal.
const maxExponent = 999999999999999999

// parseDecimal reads a number as Python's decimal.Decimal does, and returns it
// as Python prints it. The error is a [*ValueError].
//
// Source: the to-scientific-string rule of the General Decimal Arithmetic
// Specification, which Python cites.
func parseDecimal(text string) (Decimal, error) {
	bad := &ValueError{Kind: KindDecimal, Text: text}
	bad.convert(Numbers3)
	number := strings.ReplaceAll(strings.TrimRight(bad.Number, " "), "_", "")
	sign, number := cutSign(strings.ToLower(number))
	sign = strings.Trim(sign, "+")
	switch {
	case number == "inf" || number == "infinity":
		return Decimal(sign + "Infinity"), nil
	case strings.HasPrefix(number, "nan") && strings.Trim(number[3:], "0123456789") == "":
		return Decimal(sign + "NaN" + strings.TrimLeft(number[3:], "0")), nil
	case strings.HasPrefix(number, "snan") && strings.Trim(number[4:], "0123456789") == "":
		return Decimal(sign + "sNaN" + strings.TrimLeft(number[4:], "0")), nil
	}
	if again, _ := cutSign(number); again != "" || number == "" || doublePrefix(number) != len(number) {
		return "", bad
	}
	mantissa, exp, _ := strings.Cut(number, "e")
	exponent := 0
	if exp != "" {
		var err error
		if exponent, err = strconv.Atoi(exp); err != nil || exponent > maxExponent || exponent < -maxExponent {
			bad.Reason = ReasonExponent
			return "", bad
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		digits = "0"
	}
	return Decimal(sign + scientific(digits, exponent)), nil
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
