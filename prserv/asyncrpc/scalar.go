package asyncrpc

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// How much memory the parts of a value take.
const (
	valueSize = 16 // an any
	nameSize  = 16
	listSize  = 24
)

// words are the values that are written as words.
var words = []struct {
	text  string
	value any
}{
	{"null", nil}, {"true", true}, {"false", false},
	{"NaN", math.NaN()}, {"Infinity", math.Inf(1)}, {"-Infinity", math.Inf(-1)},
}

// number reads a number, or -Infinity.
func (p *parser) number() (any, error) {
	start := p.pos
	if p.text[p.pos] == '-' {
		if p.skipWord("-Infinity") {
			return math.Inf(-1), nil
		}
		p.pos++
	}
	digits := p.digits()
	switch {
	case digits == 0:
		return nil, p.fail("a digit is missing")
	case digits > 1 && p.text[p.pos-digits] == '0':
		return nil, p.fail("a number begins with 0")
	}
	whole := true
	if p.at(".") {
		whole = false
		p.pos++
		if p.digits() == 0 {
			return nil, p.fail("a digit is missing")
		}
	}
	if p.at("eE") {
		whole = false
		p.pos++
		if p.at("+-") {
			p.pos++
		}
		if p.digits() == 0 {
			return nil, p.fail("a digit is missing")
		}
	}
	text := p.text[start:p.pos]
	if err := p.count(valueSize); err != nil {
		return nil, err
	}
	if !whole {
		f, _ := strconv.ParseFloat(text, 64) // what is too large is infinite
		return f, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if digits > maxIntDigits {
		return nil, p.fail("a number has too many digits")
	}
	n, _ := new(big.Int).SetString(text, 10)
	return n, p.count(len(text))
}

// digits skips digits, and returns how many.
func (p *parser) digits() int {
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
		p.pos++
	}
	return p.pos - start
}

// at tells whether one of some characters is next.
func (p *parser) at(chars string) bool {
	return p.pos < len(p.text) && strings.IndexByte(chars, p.text[p.pos]) >= 0
}

// string reads a text as a value.
func (p *parser) string() (any, error) {
	s, err := p.quoted()
	if err != nil {
		return nil, err
	}
	return s, p.count(valueSize)
}

// quoted reads a text in quotation marks.
func (p *parser) quoted() (string, error) {
	p.pos++
	start, text := p.pos, p.text
	for i := start; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			p.pos = i + 1
			return text[start:i], nil
		case c == '\\':
			p.pos = i
			return p.escaped(start)
		case c < ' ':
			p.pos = i
			return "", p.fail("a control character in a text")
		}
	}
	p.pos = len(text)
	return "", p.fail("a text without an end")
}

// escaped reads a text that began at start, from its first escape on.
func (p *parser) escaped(start int) (string, error) {
	out := []byte(p.text[start:p.pos])
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			return string(out), p.count(len(out))
		case c == '\\':
			var err error
			if out, err = p.escape(out); err != nil {
				return "", err
			}
		case c < ' ':
			return "", p.fail("a control character in a text")
		default:
			out = append(out, c)
			p.pos++
		}
	}
	return "", p.fail("a text without an end")
}

// escape reads an escape, and appends its character.
func (p *parser) escape(out []byte) ([]byte, error) {
	p.pos++
	if p.pos == len(p.text) {
		return nil, p.fail("a text without an end")
	}
	c := p.text[p.pos]
	if c == 'u' {
		return p.numbered(out)
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if i < 0 {
		return nil, p.fail("a wrong escape")
	}
	p.pos++
	return append(out, "\"\\/\b\f\n\r\t"[i]), nil
}

// numbered reads the rest of an escape with a number, and of its other half
// where there is one.
func (p *parser) numbered(out []byte) ([]byte, error) {
	r, ok := p.hex()
	if !ok {
		return nil, p.fail("a wrong escape")
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r), nil
	}
	if r < 0xDC00 && strings.HasPrefix(p.text[p.pos:], `\u`) {
		behind := p.pos
		p.pos++
		low, ok := p.hex()
		if !ok {
			return nil, p.fail("a wrong escape")
		}
		if whole := utf16.DecodeRune(r, low); whole != utf8.RuneError {
			return utf8.AppendRune(out, whole), nil
		}
		p.pos = behind
	}
	return appendHalfPair(out, r), nil
}

// hex reads the letter u and four digits.
func (p *parser) hex() (rune, bool) {
	if len(p.text)-p.pos < 5 {
		return 0, false
	}
	digits := p.text[p.pos+1 : p.pos+5]
	n, err := strconv.ParseUint(digits, 16, 16)
	p.pos += 5
	return rune(n), err == nil
}
