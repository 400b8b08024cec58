package sqlite

import (
	"math"
	"strconv"
	"strings"
)

// SQLite writes real numbers with 15 digits, and since 3.43 some of them
// otherwise than before. Keys that came as doubles have to stay the same keys
// with any SQLite, and dumps the same text, so neither is left to it here.

// formatReal writes f with at most the given number of digits, and with a
// decimal point always: as SQLite's "%!.15g" for 15.
func formatReal(f float64, digits int) string {
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
		return pointed(strconv.FormatFloat(f, 'f', digits-1-exponent, 64))
	}
	return pointed(mantissa) + "e" + exp
}

// pointed takes off the zeros behind the decimal point but for the first.
func pointed(s string) string {
	if !strings.Contains(s, ".") {
		return s + ".0"
	}
	s = strings.TrimRight(s, "0")
	if strings.HasSuffix(s, ".") {
		s += "0"
	}
	return s
}

// quoteReal writes f so that SQLite reads the same number.
func quoteReal(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "9.0e+999"
	case math.IsInf(f, -1):
		return "-9.0e+999"
	}
	s := formatReal(f, 15)
	if back, err := strconv.ParseFloat(s, 64); err != nil || back != f {
		s = formatReal(f, 17)
	}
	return s
}
