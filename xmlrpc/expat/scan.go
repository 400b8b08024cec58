package expat

import "fmt"

// token is what a piece of XML turned out to be.
type token uint8

const (
	tokOK          token = iota
	tokNone              // the data ends before it
	tokPartial           // the data ends inside it
	tokPartialChar       // the data ends inside one of its characters
	tokInvalid           // the offset that comes with it is the culprit's
	tokSpace
	tokComment
	tokPI
	tokXMLDecl
	tokElement // '<' and a name's first byte
	tokDoctype
	tokParamRef
	tokMarkup // something that is only valid inside a DOCTYPE
)

// SyntaxError says where a document stops being XML. Reason is one of
// expat's; Line counts from 1, Column from 0, in characters.
type SyntaxError struct {
	Reason       string
	Line, Column int
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s: line %d, column %d", e.Reason, e.Line, e.Column)
}

// expat's words.
const (
	errSyntax          = "syntax error"
	errNoElement       = "no element found"
	errInvalidToken    = "not well-formed (invalid token)"
	errUnclosedToken   = "unclosed token"
	errPartialChar     = "partial character"
	errMismatch        = "mismatched tag"
	errDuplicate       = "duplicate attribute"
	errJunk            = "junk after document element"
	errParamRef        = "illegal parameter entity reference"
	errUndefined       = "undefined entity"
	errBadCharRef      = "reference to invalid character number"
	errMisplacedDecl   = "XML or text declaration not at start of entity"
	errWrongEncoding   = "encoding specified in XML declaration is incorrect"
	errUnclosedSection = "unclosed CDATA section"
	errXMLDecl         = "XML declaration not well-formed"
)

// Handler receives what a document consists of. An error ends the scan.
type Handler interface {
	StartElement(tag []byte) error
	EndElement(tag []byte) error
	// Text may come in any number of pieces.
	Text(data []byte)
}

// scanner reads one document, all of which is in data, and finds the same
// errors at the same places as expat. It is no general XML parser: it has no
// name spaces, and a DOCTYPE ends it.
type scanner struct {
	data []byte
	to   Handler
	open [][]byte    // the tags of the elements that are open
	atts []attribute // of the start tag being read
	wide string      // which UTF-16 the document was, if it was
	half bool        // and that it ends in the middle of a character

	looseNames bool // see Dialect.LooseNames
}

// Scan reports data's content to to. It returns a [*SyntaxError], [ErrDoctype],
// an [*EncodingError] or the error of an event.
func Scan(data []byte, to Handler, looseNames bool) error {
	s := &scanner{data: data, to: to, looseNames: looseNames}
	p, err := s.prolog()
	if err != nil {
		return err
	}
	if p, err = s.content(p); err != nil {
		return err
	}
	return s.epilog(p)
}

// fail makes the error of what goes wrong at offset p.
func (s *scanner) fail(reason string, p int) error {
	e := &SyntaxError{Reason: reason, Line: 1}
	for i := 0; i < p; {
		c := classes[s.data[i]]
		switch {
		case c == cLF:
			e.Line++
			e.Column = 0
			i++
		case c == cCR:
			e.Line++
			e.Column = 0
			if i++; i < p && s.data[i] == '\n' {
				i++
			}
		case c.isLead():
			e.Column++
			i += c.leadLength()
		default:
			e.Column++
			i++
		}
	}
	return e
}

// failToken makes the error of a bad token that began at start and stopped at p.
func (s *scanner) failToken(tok token, start, p int) error {
	switch tok {
	case tokPartial:
		return s.fail(errUnclosedToken, start)
	case tokPartialChar:
		return s.fail(errPartialChar, start)
	}
	return s.fail(errInvalidToken, p)
}

// failAtEnd makes the error of data that ends at p, too early.
func (s *scanner) failAtEnd(p int) error {
	if s.half {
		return s.fail(errUnclosedToken, p)
	}
	return s.fail(errNoElement, p)
}

// newline is what every line end is reported as.
var newline = []byte{'\n'}

// content reads the document element, which starts at p, and returns the
// offset behind it.
func (s *scanner) content(p int) (int, error) {
	for {
		start := p
		if p >= len(s.data) {
			return p, s.failAtEnd(p)
		}
		var err error
		switch classes[s.data[p]] {
		case cLt:
			p, err = s.markup(p)
			if err == nil && len(s.open) == 0 {
				return p, nil
			}
		case cAmp:
			p, err = s.reference(p)
		case cCR:
			s.to.Text(newline)
			if p++; p == len(s.data) {
				return p, s.fail(errNoElement, start)
			}
			if s.data[p] == '\n' {
				p++
			}
		default:
			p, err = s.characters(p)
		}
		if err != nil {
			return p, err
		}
	}
}

// characters reports the run of text that starts at p.
func (s *scanner) characters(p int) (int, error) {
	start := p
	for p < len(s.data) {
		c := classes[s.data[p]]
		switch {
		case c == cAmp || c == cLt || c == cCR:
			s.to.Text(s.data[start:p])
			return p, nil
		case c == cRsqb:
			if len(s.data)-p >= 3 && s.data[p+1] == ']' && s.data[p+2] == '>' {
				return p, s.fail(errInvalidToken, p+2)
			}
			p++
		case c == cNonXML || c == cTrail || c.isLead():
			next, tok := s.anyChar(p)
			if tok != tokOK {
				return p, s.failToken(tok, p, p)
			}
			p = next
		default:
			p++
		}
	}
	s.to.Text(s.data[start:p])
	return p, nil
}

// markup reads what the '<' at start begins inside the document element.
func (s *scanner) markup(start int) (int, error) {
	p := start + 1
	if p >= len(s.data) {
		return p, s.fail(errUnclosedToken, start)
	}
	var tok token
	switch s.data[p] {
	case '!':
		if p++; p >= len(s.data) {
			return p, s.fail(errUnclosedToken, start)
		}
		switch s.data[p] {
		case '-':
			p, tok = s.comment(p + 1)
		case '[':
			return s.section(start, p+1)
		default:
			tok = tokInvalid
		}
	case '?':
		p, tok = s.instruction(p + 1)
	case '/':
		return s.endTag(start)
	default:
		return s.startTag(start)
	}
	switch tok {
	case tokComment, tokPI:
		return p, nil
	case tokXMLDecl:
		return p, s.fail(errMisplacedDecl, start)
	}
	return p, s.failToken(tok, start, p)
}

// endTag reads the end tag that starts at start.
func (s *scanner) endTag(start int) (int, error) {
	nameAt := start + 2
	nameEnd, tok := s.name(nameAt)
	p := nameEnd
	if tok == tokOK {
		p, tok = s.spaces(p)
	}
	if tok == tokOK && s.data[p] != '>' {
		tok = tokInvalid
	}
	if tok != tokOK {
		return p, s.failToken(tok, start, p)
	}
	name := s.data[nameAt:nameEnd]
	last := len(s.open) - 1
	if string(s.open[last]) != string(name) {
		return p, s.fail(errMismatch, nameAt)
	}
	s.open = s.open[:last]
	return p + 1, s.to.EndElement(name)
}

// section reads the CDATA section that starts at start; p is behind "<![".
func (s *scanner) section(start, p int) (int, error) {
	const opening = "CDATA["
	if len(s.data)-p < len(opening) {
		return p, s.fail(errUnclosedToken, start)
	}
	for i := range len(opening) {
		if s.data[p] != opening[i] {
			return p, s.fail(errInvalidToken, p)
		}
		p++
	}
	for run := p; ; {
		if p >= len(s.data) {
			return p, s.fail(errUnclosedSection, p)
		}
		switch s.data[p] {
		case ']':
			rest := s.data[p:]
			if len(rest) >= 3 && rest[1] == ']' && rest[2] == '>' {
				s.to.Text(s.data[run:p])
				return p + 3, nil
			}
			if len(rest) == 1 || len(rest) == 2 && rest[1] == ']' {
				return p, s.fail(errUnclosedSection, p)
			}
			p++
		case '\r':
			s.to.Text(s.data[run:p])
			s.to.Text(newline)
			if p+1 == len(s.data) {
				return p, s.fail(errUnclosedSection, p)
			}
			if p++; s.data[p] == '\n' {
				p++
			}
			run = p
		default:
			next, tok := s.anyChar(p)
			if tok != tokOK {
				return p, s.failToken(tok, p, p)
			}
			p = next
		}
	}
}
