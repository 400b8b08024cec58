package store

import (
	"math"
	"strconv"
	"strings"
)

// SQLite writes real numbers with 15 digits, and since 3.43 some of them
// otherwise than before. Keys that came as doubles have to stay the same keys
// with any SQLite, and dumps the same text, so neither is left to it.

// FormatReal writes f with at most the given number of digits, and always with
// a decimal point. With 15 it is SQLite's "%!.15g", which is how a column of
// type TEXT stores a real number.
func FormatReal(f float64, digits int) string {
	switch {
	case math.IsInf(f, 1):
		return "Inf"
	case math.IsInf(f, -1):
		return "-Inf"
	case f == 0:
		return "0.0"
	}
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', digits-1, 64), "e")
	exponent, _ := strconv.Atoi(exp)
	if exponent >= -4 && exponent < digits {
		return trimZeros(strconv.FormatFloat(f, 'f', digits-1-exponent, 64))
	}
	return trimZeros(mantissa) + "e" + exp
}

// trimZeros takes off the zeros behind the decimal point, except the first.
func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s + ".0"
	}
	s = strings.TrimRight(s, "0")
	if strings.HasSuffix(s, ".") {
		s += "0"
	}
	return s
}
