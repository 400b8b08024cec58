package expat

// class is the lexical class of a byte, as in expat's tables. The document has
// been converted to UTF-8.
type class uint8

const (
	cOther  class = iota
	cNonXML       // not allowed anywhere
	cTrail        // a UTF-8 continuation byte
	cLead2
	cLead3
	cLead4
	cSpace // space and tab
	cCR
	cLF
	cNameStart // a letter, '_' or ':'
	cHex       // A to F: starts a name and is a hexadecimal digit
	cDigit
	cName // '.'
	cMinus
	cLt
	cGt
	cAmp
	cSemi
	cNum
	cQuot
	cApos
	cExcl
	cQuest
	cLsqb
	cRsqb
	cPercent
	cLpar
	cRpar
	cAst
	cPlus
	cComma
	cBar
)

var classes = func() (t [256]class) {
	for b := range t {
		switch {
		case b < ' ':
			t[b] = cNonXML
		case b >= 'A' && b <= 'F' || b >= 'a' && b <= 'f':
			t[b] = cHex
		case b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z':
			t[b] = cNameStart
		case b >= '0' && b <= '9':
			t[b] = cDigit
		case b < 0x80:
			t[b] = cOther
		case b < 0xC0:
			t[b] = cTrail
		case b < 0xE0:
			t[b] = cLead2
		case b < 0xF0:
			t[b] = cLead3
		case b < 0xF5:
			t[b] = cLead4
		default:
			t[b] = cNonXML
		}
	}
	for b, c := range map[byte]class{
		'\t': cSpace, ' ': cSpace, '\r': cCR, '\n': cLF,
		'_': cNameStart, ':': cNameStart, '.': cName, '-': cMinus,
		'<': cLt, '>': cGt, '&': cAmp, ';': cSemi, '#': cNum,
		'"': cQuot, '\'': cApos, '!': cExcl, '?': cQuest,
		'[': cLsqb, ']': cRsqb, '%': cPercent, '(': cLpar, ')': cRpar,
		'*': cAst, '+': cPlus, ',': cComma, '|': cBar,
	} {
		t[b] = c
	}
	return t
}()

func (c class) isSpace() bool { return c == cSpace || c == cCR || c == cLF }

// isLead reports whether the byte starts a character of several bytes.
func (c class) isLead() bool { return c == cLead2 || c == cLead3 || c == cLead4 }

// leadLength returns the length in bytes of the character that a lead byte
// starts.
func (c class) leadLength() int { return int(c-cLead2) + 2 }

// sequence checks the character of several bytes at p, whose first byte has
// class c, and returns its length. The token is tokOK, tokInvalid, or
// tokPartialChar if the data ends inside the character.
func (s *scanner) sequence(p int, c class) (int, token) {
	n := c.leadLength()
	if len(s.data)-p < n {
		return n, tokPartialChar
	}
	b := s.data[p : p+n]
	for _, t := range b[1:] {
		if t&0xC0 != 0x80 {
			return n, tokInvalid
		}
	}
	bad := false
	switch n {
	case 2:
		bad = b[0] < 0xC2
	case 3:
		bad = b[0] == 0xE0 && b[1] < 0xA0 || // overlong
			b[0] == 0xED && b[1] > 0x9F || // surrogates
			b[0] == 0xEF && b[1] == 0xBF && b[2] > 0xBD // U+FFFE and U+FFFF
	case 4:
		bad = b[0] == 0xF0 && b[1] < 0x90 || b[0] == 0xF4 && b[1] > 0x8F
	}
	if bad {
		return n, tokInvalid
	}
	return n, tokOK
}

// anyChar returns the offset after the character at p, which may be any that
// XML allows.
func (s *scanner) anyChar(p int) (int, token) {
	c := classes[s.data[p]]
	switch {
	case c == cNonXML || c == cTrail:
		return p, tokInvalid
	case c.isLead():
		n, tok := s.sequence(p, c)
		if tok != tokOK {
			return p, tok
		}
		return p + n, tokOK
	}
	return p + 1, tokOK
}

// nameStart returns the offset after the first character of the name at p.
func (s *scanner) nameStart(p int) (int, token) {
	if p >= len(s.data) {
		return p, tokPartial
	}
	c := classes[s.data[p]]
	switch {
	case c == cNameStart || c == cHex:
		return p + 1, tokOK
	case c.isLead():
		n, nc, tok := s.nameSequence(p, c)
		if tok == tokOK && nc != nameStart {
			tok = tokInvalid
		}
		if tok != tokOK {
			return p, tok
		}
		return p + n, tokOK
	}
	return p, tokInvalid
}

// nameSequence checks a character of a name like sequence, and returns its
// class as well. With looseNames it accepts bytes that are not UTF-8.
func (s *scanner) nameSequence(p int, c class) (int, nameClass, token) {
	n, tok := s.sequence(p, c)
	if s.looseNames && tok == tokInvalid {
		tok = tokOK
	}
	if tok != tokOK {
		return n, nameNever, tok
	}
	if n == 4 { // expat has no such characters in names
		return n, nameNever, tokOK
	}
	b := s.data[p : p+n]
	r := rune(b[0]) & (0x7F >> n)
	for _, t := range b[1:] {
		r = r<<6 | rune(t)&0x3F
	}
	return n, classifyName(r), tokOK
}

// nameRest returns the offset after the rest of a name. The token is
// tokPartial if the data ends there.
func (s *scanner) nameRest(p int) (int, token) {
	for p < len(s.data) {
		c := classes[s.data[p]]
		switch {
		case c == cNameStart || c == cHex || c == cDigit || c == cName || c == cMinus:
			p++
		case c.isLead():
			n, nc, tok := s.nameSequence(p, c)
			if tok == tokOK && nc == nameNever {
				tok = tokInvalid
			}
			if tok != tokOK {
				return p, tok
			}
			p += n
		default:
			return p, tokOK
		}
	}
	return p, tokPartial
}

// name returns the offset after the name at p. The token is tokPartial if the
// data ends there.
func (s *scanner) name(p int) (int, token) {
	p, tok := s.nameStart(p)
	if tok != tokOK {
		return p, tok
	}
	return s.nameRest(p)
}

// spaces returns the offset after the white space at p, if any. The token is
// tokPartial if the data ends there.
func (s *scanner) spaces(p int) (int, token) {
	for ; p < len(s.data); p++ {
		if !classes[s.data[p]].isSpace() {
			return p, tokOK
		}
	}
	return p, tokPartial
}
