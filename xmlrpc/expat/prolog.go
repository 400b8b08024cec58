package expat

import "errors"

// ErrDoctype is what becomes of a document with a DOCTYPE. The reference
// expands the entities it declares; a few hundred bytes can so become
// gigabytes, and no PR client ever sent one.
var ErrDoctype = errors.New("DOCTYPE is not accepted")

// prolog reads what precedes the document element and returns the offset of
// its '<'.
func (s *scanner) prolog() (int, error) {
	p, err := s.detectEncoding()
	if err != nil {
		return p, err
	}
	for first := true; ; first = false {
		start := p
		var tok token
		p, tok = s.outside(p)
		switch tok {
		case tokElement:
			return p, nil
		case tokSpace, tokComment, tokPI:
		case tokXMLDecl:
			if !first {
				return p, s.fail(errMisplacedDecl, start)
			}
			if p, err = s.xmlDecl(start, p); err != nil {
				return p, err
			}
		case tokDoctype:
			return p, ErrDoctype
		case tokNone:
			return p, s.failAtEnd(p)
		case tokMarkup:
			return p, s.fail(errSyntax, start)
		case tokParamRef:
			return p, s.fail(errParamRef, start)
		default:
			return p, s.failToken(tok, start, p)
		}
	}
}

// epilog reads what follows the document element.
func (s *scanner) epilog(p int) error {
	for {
		start := p
		var tok token
		p, tok = s.outside(p)
		switch tok {
		case tokNone:
			if s.half {
				return s.failAtEnd(p)
			}
			return nil
		case tokSpace, tokComment, tokPI:
		case tokXMLDecl, tokElement, tokDoctype, tokMarkup, tokParamRef:
			return s.fail(errJunk, start)
		default:
			return s.failToken(tok, start, p)
		}
	}
}

// outside reads one token outside the document element. What only a DOCTYPE
// could contain has to be told from what is no token at all: the first is a
// syntax error (or junk), the second an invalid token at its first bad
// character.
func (s *scanner) outside(p int) (int, token) {
	if p >= len(s.data) {
		return p, tokNone
	}
	c := classes[s.data[p]]
	switch c {
	case cSpace, cCR, cLF:
		p, _ = s.spaces(p)
		return p, tokSpace
	case cLt:
		return s.outsideMarkup(p)
	case cQuot, cApos:
		return s.literal(p+1, s.data[p])
	case cPercent:
		return s.percent(p + 1)
	case cComma, cLsqb, cBar, cGt, cLpar:
		return p + 1, tokMarkup
	case cRsqb:
		if p++; p < len(s.data) && s.data[p] == ']' && p+1 == len(s.data) {
			return p, tokPartial
		}
		return p, tokMarkup
	case cRpar:
		if p++; p == len(s.data) {
			return p, tokMarkup
		}
		switch c := classes[s.data[p]]; c {
		case cAst, cQuest, cPlus, cSpace, cCR, cLF, cGt, cComma, cBar, cRpar:
			return p, tokMarkup
		}
		return p, tokInvalid
	case cNum:
		return s.poundName(p + 1)
	}
	return s.bareName(p, c)
}

func (s *scanner) outsideMarkup(start int) (int, token) {
	p := start + 1
	if p >= len(s.data) {
		return p, tokPartial
	}
	c := classes[s.data[p]]
	switch {
	case c == cExcl:
		return s.declaration(p + 1)
	case c == cQuest:
		return s.instruction(p + 1)
	case c == cNameStart || c == cHex || c.isLead():
		return start, tokElement
	}
	return p, tokInvalid
}

// declaration reads a comment or the start of a declaration; p is behind "<!".
func (s *scanner) declaration(p int) (int, token) {
	if p >= len(s.data) {
		return p, tokPartial
	}
	keyword := p
	switch classes[s.data[p]] {
	case cMinus:
		return s.comment(p + 1)
	case cLsqb:
		return p + 1, tokMarkup
	}
	for ; p < len(s.data); p++ {
		switch classes[s.data[p]] {
		case cNameStart, cHex:
			continue
		case cPercent:
			if p == keyword {
				return p, tokInvalid
			}
			if p+1 >= len(s.data) {
				return p, tokPartial
			}
			if next := classes[s.data[p+1]]; next.isSpace() || next == cPercent {
				return p, tokInvalid
			}
		case cSpace, cCR, cLF:
			if p == keyword {
				return p, tokInvalid
			}
		default:
			return p, tokInvalid
		}
		if string(s.data[keyword:p]) == "DOCTYPE" {
			return p, tokDoctype
		}
		return p, tokMarkup
	}
	return p, tokPartial
}

// comment reads a comment; p is behind "<!-".
func (s *scanner) comment(p int) (int, token) {
	if p >= len(s.data) {
		return p, tokPartial
	}
	if s.data[p] != '-' {
		return p, tokInvalid
	}
	for p++; p < len(s.data); {
		next, tok := s.anyChar(p)
		if tok != tokOK {
			return next, tok
		}
		if s.data[p] == '-' && next < len(s.data) && s.data[next] == '-' {
			if next+1 >= len(s.data) {
				return next, tokPartial
			}
			if s.data[next+1] != '>' {
				return next + 1, tokInvalid
			}
			return next + 2, tokComment
		}
		p = next
	}
	return p, tokPartial
}

// instruction reads a processing instruction; p is behind "<?".
func (s *scanner) instruction(p int) (int, token) {
	target := p
	p, tok := s.name(p)
	if tok != tokOK {
		return p, tok
	}
	c := classes[s.data[p]]
	if !c.isSpace() && c != cQuest {
		return p, tokInvalid
	}
	kind := tokPI
	if name := s.data[target:p]; len(name) == 3 &&
		name[0]|0x20 == 'x' && name[1]|0x20 == 'm' && name[2]|0x20 == 'l' {
		if kind = tokXMLDecl; string(name) != "xml" {
			return p, tokInvalid
		}
	}
	if c == cQuest {
		if p++; p >= len(s.data) {
			return p, tokPartial
		}
		if s.data[p] != '>' {
			return p, tokInvalid
		}
		return p + 1, kind
	}
	for p++; p < len(s.data); {
		next, tok := s.anyChar(p)
		if tok != tokOK {
			return next, tok
		}
		if s.data[p] == '?' && next < len(s.data) && s.data[next] == '>' {
			return next + 1, kind
		}
		p = next
	}
	return p, tokPartial
}

// literal reads a quoted string; p is behind its opening quote.
func (s *scanner) literal(p int, quote byte) (int, token) {
	for p < len(s.data) {
		next, tok := s.anyChar(p)
		if tok != tokOK {
			return next, tok
		}
		if s.data[p] != quote {
			p = next
			continue
		}
		if next == len(s.data) {
			return next, tokMarkup
		}
		switch c := classes[s.data[next]]; c {
		case cSpace, cCR, cLF, cGt, cPercent, cLsqb:
			return next, tokMarkup
		}
		return next, tokInvalid
	}
	return p, tokPartial
}

// percent reads what may be a parameter entity reference; p is behind '%'.
func (s *scanner) percent(p int) (int, token) {
	if p < len(s.data) {
		if c := classes[s.data[p]]; c.isSpace() || c == cPercent {
			return p, tokMarkup
		}
	}
	p, tok := s.name(p)
	if tok != tokOK {
		return p, tok
	}
	if s.data[p] != ';' {
		return p, tokInvalid
	}
	return p + 1, tokParamRef
}

// poundName reads a reserved name; p is behind '#'.
func (s *scanner) poundName(p int) (int, token) {
	p, tok := s.nameStart(p)
	if tok != tokOK {
		return p, tok
	}
	p, tok = s.nameRest(p)
	if tok != tokOK {
		if tok == tokPartial {
			tok = tokMarkup
		}
		return p, tok
	}
	switch c := classes[s.data[p]]; c {
	case cSpace, cCR, cLF, cRpar, cGt, cPercent, cBar:
		return p, tokMarkup
	}
	return p, tokInvalid
}

// bareName reads a name or name token that stands alone; c is the class of
// its first byte.
func (s *scanner) bareName(p int, c class) (int, token) {
	startsName := c == cNameStart || c == cHex
	switch {
	case startsName, c == cDigit, c == cName, c == cMinus:
		p++
	case c.isLead():
		n, nc, tok := s.nameSequence(p, c)
		if tok != tokOK {
			return p, tok
		}
		if nc == nameNever {
			return p, tokInvalid
		}
		startsName = nc == nameStart
		p += n
	default:
		return p, tokInvalid
	}
	p, tok := s.nameRest(p)
	if tok != tokOK {
		if tok == tokPartial {
			tok = tokMarkup
		}
		return p, tok
	}
	switch c := classes[s.data[p]]; c {
	case cGt, cRpar, cComma, cBar, cLsqb, cPercent, cSpace, cCR, cLF:
		return p, tokMarkup
	case cPlus, cAst, cQuest:
		if startsName {
			return p + 1, tokMarkup
		}
	}
	return p, tokInvalid
}
