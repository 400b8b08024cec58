package expat

import "unicode/utf8"

// attribute is where an attribute of a start tag stands. XML-RPC gives
// attributes no meaning, but a bad one is a syntax error.
type attribute struct {
	name, nameEnd   int
	value, valueEnd int
}

// startTag reads the start tag or empty element that starts at start.
func (s *scanner) startTag(start int) (int, error) {
	nameEnd, tok := s.name(start + 1)
	p := nameEnd
	s.atts = s.atts[:0]
	if tok == tokOK {
		p, tok = s.attributes(p)
	}
	empty := false
	if tok == tokOK && s.data[p] == '/' {
		empty = true
		if p++; p >= len(s.data) {
			tok = tokPartial
		}
	}
	if tok == tokOK && s.data[p] != '>' {
		tok = tokInvalid
	}
	if tok != tokOK {
		return p, s.failToken(tok, start, p)
	}
	if err := s.checkAttributes(start); err != nil {
		return p, err
	}
	name := s.data[start+1 : nameEnd]
	if err := s.to.StartElement(name); err != nil {
		return p, err
	}
	if empty {
		return p + 1, s.to.EndElement(name)
	}
	s.open = append(s.open, name)
	return p + 1, nil
}

// attributes reads the attributes that follow a tag's name at p into s.atts
// and returns the offset of the first other character.
func (s *scanner) attributes(p int) (int, token) {
	var tok token
	for {
		spaceAt := p
		p, tok = s.spaces(p)
		if tok != tokOK || s.data[p] == '>' || s.data[p] == '/' {
			return p, tok
		}
		if p == spaceAt {
			return p, tokInvalid
		}
		a := attribute{name: p}
		if p, tok = s.name(p); tok != tokOK {
			return p, tok
		}
		a.nameEnd = p
		if p, tok = s.spaces(p); tok != tokOK {
			return p, tok
		}
		if s.data[p] != '=' {
			return p, tokInvalid
		}
		if p, tok = s.spaces(p + 1); tok != tokOK {
			return p, tok
		}
		quote := s.data[p]
		if quote != '"' && quote != '\'' {
			return p, tokInvalid
		}
		p++
		a.value = p
		if p, tok = s.attributeValue(p, quote); tok != tokOK {
			return p, tok
		}
		a.valueEnd = p
		s.atts = append(s.atts, a)
		p++
	}
}

// attributeValue steps to the quote that ends the value at p.
func (s *scanner) attributeValue(p int, quote byte) (int, token) {
	for p < len(s.data) {
		var tok token
		switch s.data[p] {
		case quote:
			return p, tokOK
		case '<':
			return p, tokInvalid
		case '&':
			p, tok = s.refToken(p + 1)
		default:
			p, tok = s.anyChar(p)
		}
		if tok != tokOK {
			return p, tok
		}
	}
	return p, tokPartial
}

// checkAttributes finds what is wrong with the attributes of the well-formed
// tag at start.
func (s *scanner) checkAttributes(start int) error {
	if len(s.atts) == 0 {
		return nil
	}
	seen := make(map[string]bool, len(s.atts))
	for _, a := range s.atts {
		name := string(s.data[a.name:a.nameEnd])
		if seen[name] {
			return s.fail(errDuplicate, a.name)
		}
		seen[name] = true
		for p := a.value; p < a.valueEnd; p++ {
			if s.data[p] != '&' {
				continue
			}
			end, _ := s.refToken(p + 1)
			switch _, kind := expand(s.data[p+1 : end-1]); kind {
			case refBadNumber:
				return s.fail(errBadCharRef, p)
			case refUnknown:
				return s.fail(errUndefined, start)
			}
			p = end - 1
		}
	}
	return nil
}

// reference reads and reports the reference that starts at start.
func (s *scanner) reference(start int) (int, error) {
	p, tok := s.refToken(start + 1)
	if tok != tokOK {
		return p, s.failToken(tok, start, p)
	}
	r, kind := expand(s.data[start+1 : p-1])
	switch kind {
	case refBadNumber:
		return p, s.fail(errBadCharRef, start)
	case refUnknown:
		return p, s.fail(errUndefined, start)
	}
	var buf [utf8.UTFMax]byte
	s.to.Text(buf[:utf8.EncodeRune(buf[:], r)])
	return p, nil
}

// refToken steps over the reference whose '&' is before p.
func (s *scanner) refToken(p int) (int, token) {
	if p < len(s.data) && s.data[p] == '#' {
		return s.numberToken(p + 1)
	}
	p, tok := s.name(p)
	if tok == tokOK && s.data[p] != ';' {
		tok = tokInvalid
	}
	if tok != tokOK {
		return p, tok
	}
	return p + 1, tokOK
}

func (s *scanner) numberToken(p int) (int, token) {
	hex := p < len(s.data) && s.data[p] == 'x'
	if hex {
		p++
	}
	for first := p; p < len(s.data); p++ {
		c := classes[s.data[p]]
		if c == cDigit || hex && c == cHex {
			continue
		}
		if c != cSemi || p == first {
			return p, tokInvalid
		}
		return p + 1, tokOK
	}
	return p, tokPartial
}

type refKind uint8

const (
	refOK refKind = iota
	refBadNumber
	refUnknown
)

// expand returns the character that a well-formed reference stands for, given
// what is between '&' and ';'.
func expand(ref []byte) (rune, refKind) {
	switch string(ref) {
	case "lt":
		return '<', refOK
	case "gt":
		return '>', refOK
	case "amp":
		return '&', refOK
	case "quot":
		return '"', refOK
	case "apos":
		return '\'', refOK
	}
	if ref[0] != '#' {
		return 0, refUnknown
	}
	digits, base := ref[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n := 0
	for _, d := range digits {
		switch {
		case d <= '9':
			n = n*base + int(d-'0')
		default:
			n = n*base + int(d|0x20-'a') + 10
		}
		if n >= 0x110000 {
			return 0, refBadNumber
		}
	}
	switch {
	case n >= 0xD800 && n <= 0xDFFF, n == 0xFFFE, n == 0xFFFF,
		n < ' ' && n != '\t' && n != '\n' && n != '\r':
		return 0, refBadNumber
	}
	return rune(n), refOK
}
