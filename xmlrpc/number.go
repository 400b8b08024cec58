package xmlrpc

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Numbers says how a Python writes numbers.
type Numbers uint8

const (
	// Numbers2 allows white space between the sign and the digits of an
	// integer.
	Numbers2 Numbers = iota
	// Numbers3 allows single underscores between digits.
	Numbers3
)

// maxDigits is the length of the longest integer that Python 3 converts: the
// time for it grows with the square of the length.
const maxDigits = 4300

// parseInt reads an integer as Python's int() does: white space around it, a
// sign, decimal digits of any script. It returns an int64, or a *big.Int if
// the number needs more bits. The error is a [*ValueError].
func parseInt(text string, as Numbers) (any, error) {
	if len(text) <= maxDigits {
		if n, err := strconv.ParseInt(strings.TrimFunc(text, unicode.IsSpace), 10, 64); err == nil {
			return n, nil
		}
	}
	bad := &ValueError{Kind: KindInt, Text: text}
	if !bad.convert(as) {
		return nil, bad
	}
	sign, number := cutSign(strings.TrimRight(bad.Number, " "))
	if as == Numbers2 && sign != "" {
		number = strings.TrimLeft(number, " ")
	}
	digits, rest, ok := cutDigits(number, as)
	if as == Numbers3 && ok && len(digits) > maxDigits {
		bad.Reason, bad.Count = ReasonLength, len(digits)
		return nil, bad
	}
	if !ok || rest != "" {
		return nil, bad
	}
	digits = strings.TrimLeft(digits[:len(digits)-1], "0") + digits[len(digits)-1:]
	if len(digits) > maxDigits {
		// Too large for anything a PR server does: the first digits will do.
		digits = digits[:maxDigits]
	}
	n, _ := new(big.Int).SetString(sign+digits, 10) // cannot fail with digits alone
	if n.IsInt64() {
		return n.Int64(), nil
	}
	return n, nil
}

// parseDouble reads a number as Python's float() does. See [parseInt].
func parseDouble(text string, as Numbers) (float64, error) {
	bad := &ValueError{Kind: KindDouble, Text: text}
	if !bad.convert(as) {
		return 0, bad
	}
	number, ok := strings.TrimRight(bad.Number, " "), true
	if as == Numbers3 {
		number, ok = withoutUnderscores(number)
	}
	switch n := doublePrefix(number); {
	case n == 0 || !ok:
		return 0, bad
	case n < len(number):
		bad.Reason = ReasonTail
		return 0, bad
	}
	if _, unsigned := cutSign(number); strings.EqualFold(unsigned, "nan") {
		return math.NaN(), nil
	}
	// What is left to fail is the range, where Python returns infinity too.
	f, _ := strconv.ParseFloat(number, 64)
	return f, nil
}

// convert sets e.Number to what Python reads in place of e.Text. It returns
// false, and sets the reason, if Python 2 cannot convert the text.
//
// Source: PyUnicode_EncodeDecimal in Python 2's unicodeobject.c,
// _PyUnicode_TransformDecimalAndSpaceToASCII in Python 3's.
func (e *ValueError) convert(as Numbers) bool {
	text := strings.TrimLeftFunc(e.Text, unicode.IsSpace)
	if isASCII(text) && !strings.ContainsAny(text, "\t\n\v\f\r") {
		e.Number = text
		return true
	}
	number := make([]byte, 0, len(text))
	for _, r := range text {
		digit, isDigit := digitValue(r)
		switch {
		case unicode.IsSpace(r):
			number = append(number, ' ')
		case isDigit:
			number = append(number, '0'+byte(digit))
		case r < utf8.RuneSelf || as == Numbers2 && r <= unicode.MaxLatin1:
			number = append(number, byte(r))
		case as == Numbers2:
			e.refuse(func(r rune) bool {
				_, isDigit := digitValue(r)
				return r > unicode.MaxLatin1 && !isDigit && !unicode.IsSpace(r)
			})
			return false
		default:
			number = append(number, '?')
		}
	}
	e.Number = string(number)
	return true
}

func cutSign(number string) (sign, rest string) {
	if number != "" && (number[0] == '+' || number[0] == '-') {
		return number[:1], number[1:]
	}
	return "", number
}

// cutDigits returns the digits at the start of number and what follows them;
// ok is false if there are none, or underscores that do not separate them.
func cutDigits(number string, as Numbers) (digits, rest string, ok bool) {
	n := 0
	for n < len(number) && (isDigit(number[n]) || as == Numbers3 && number[n] == '_') {
		n++
	}
	digits, ok = withoutUnderscores(number[:n])
	return digits, number[n:], ok && n > 0
}

// withoutUnderscores takes the underscores out of number; ok is false if one
// of them is not between two digits.
func withoutUnderscores(number string) (plain string, ok bool) {
	for i := range len(number) {
		if number[i] == '_' && (i == 0 || !isDigit(number[i-1]) || i+1 == len(number) || !isDigit(number[i+1])) {
			return "", false
		}
	}
	return strings.ReplaceAll(number, "_", ""), true
}

// doublePrefix returns how many bytes at the start of s are a number, or the
// name of an infinity or of NaN.
func doublePrefix(s string) int {
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

// digitValue returns the value of a decimal digit of any script.
func digitValue(r rune) (int, bool) {
	if !unicode.IsDigit(r) {
		return 0, false
	}
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
