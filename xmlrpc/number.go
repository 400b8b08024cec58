package xmlrpc

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// Numbers says how a generation of Python writes numbers.
type Numbers uint8

const (
	// Numbers2 allows white space behind the sign of an integer.
	Numbers2 Numbers = iota
	// Numbers3 allows single underscores between digits.
	Numbers3
)

// ParseInt reads an integer as Python's int() does: white space around it, a
// sign, decimal digits of any script. The result is an int64 or, where it does
// not fit, a *big.Int; ok tells whether text is an integer at all.
func ParseInt(text string, as Numbers) (n any, ok bool) {
	if as == Numbers3 && TooManyDigits(text) > 0 {
		return nil, false
	}
	digits := strings.TrimFunc(text, unicode.IsSpace)
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return n, true
	}
	digits, ok = asciiDigits(digits, as)
	if !ok {
		return nil, false
	}
	if as == Numbers2 && digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[:1] + strings.TrimLeftFunc(digits[1:], unicode.IsSpace)
	}
	unsigned := strings.TrimLeft(digits, "+-")
	if significant := strings.TrimLeft(unsigned, "0"); len(significant) > maxDigits {
		// Too large for everything a PR server does: the first digits will do.
		digits = digits[:len(digits)-len(significant)+maxDigits]
	}
	if unsigned == "" || len(digits)-len(unsigned) > 1 || strings.Trim(unsigned, "0123456789") != "" {
		return nil, false
	}
	big, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return nil, false
	}
	if big.IsInt64() {
		return big.Int64(), true
	}
	return big, true
}

// maxDigits is how long an integer Python 3 converts; the time that takes
// grows with the square of the length.
const maxDigits = 4300

// TooManyDigits returns the number of digits of an integer that Python 3
// refuses for its length, and 0 of any other text.
func TooManyDigits(text string) int {
	if len(text) <= maxDigits {
		return 0
	}
	digits, ok := asciiDigits(strings.TrimFunc(text, unicode.IsSpace), Numbers3)
	if !ok {
		return 0
	}
	if digits != "" && (digits[0] == '+' || digits[0] == '-') {
		digits = digits[1:]
	}
	n := 0
	for n < len(digits) && isDigit(digits[n]) {
		n++
	}
	if n <= maxDigits {
		return 0
	}
	return n
}

// ParseDouble reads a number as Python's float() does. See [ParseInt].
func ParseDouble(text string, as Numbers) (f float64, ok bool) {
	number, ok := asciiDigits(strings.TrimFunc(text, unicode.IsSpace), as)
	if !ok {
		return 0, false
	}
	n := DoublePrefix(number)
	if n == 0 || n < len(number) {
		return 0, false
	}
	if strings.EqualFold(strings.TrimLeft(number, "+-"), "nan") {
		return math.NaN(), true
	}
	// What is left to fail is the range, where Python answers infinity too.
	f, _ = strconv.ParseFloat(number, 64)
	return f, true
}

// DoublePrefix returns how many bytes at the start of s are a number, an
// infinity or no number at all by name.
func DoublePrefix(s string) int {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	for _, word := range []string{"infinity", "inf", "nan"} {
		if len(s)-i >= len(word) && strings.EqualFold(s[i:i+len(word)], word) {
			return i + len(word)
		}
	}
	digits := 0
	for ; i < len(s) && isDigit(s[i]); i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && isDigit(s[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		return 0
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		e := i + 1
		if e < len(s) && (s[e] == '+' || s[e] == '-') {
			e++
		}
		if e < len(s) && isDigit(s[e]) {
			for i = e; i < len(s) && isDigit(s[i]); i++ {
			}
		}
	}
	return i
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// asciiDigits replaces decimal digits of other scripts by ASCII ones, and
// white space by spaces, and takes out underscores, if they are allowed; one
// that is not between digits makes it return false.
func asciiDigits(s string, as Numbers) (string, bool) {
	if strings.IndexFunc(s, func(r rune) bool { return r == '_' || r >= 0x80 }) < 0 {
		return s, true
	}
	out := make([]byte, 0, len(s))
	last := rune(0)
	for _, r := range s {
		switch {
		case r == '_':
			if as != Numbers3 || last < '0' || last > '9' {
				return "", false
			}
			last = r
			continue
		case r >= 0x80 && unicode.IsSpace(r):
			r = ' '
		case r >= 0x80:
			d, ok := DigitValue(r)
			if !ok {
				return "", false
			}
			r = '0' + rune(d)
		}
		if last == '_' && (r < '0' || r > '9') {
			return "", false
		}
		out = append(out, byte(r))
		last = r
	}
	return string(out), last != '_'
}

// DigitValue returns the value of a decimal digit of any script.
func DigitValue(r rune) (int, bool) {
	// Unicode's decimal digits stand in runs of ten that start with zero.
	for _, run := range unicode.Nd.R16 {
		if r >= rune(run.Lo) && r <= rune(run.Hi) {
			return int(r-rune(run.Lo)) % 10, true
		}
	}
	for _, run := range unicode.Nd.R32 {
		if r >= rune(run.Lo) && r <= rune(run.Hi) {
			return int(r-rune(run.Lo)) % 10, true
		}
	}
	return 0, false
}
