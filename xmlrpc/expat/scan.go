package expat

import "fmt"

// token is the lexical class of a piece of XML, as in expat's tokenizer.
type token uint8

const (
	tokOK          token = iota
	tokNone              // the data ends before the token
	tokPartial           // the data ends inside the token
	tokPartialChar       // the data ends inside a character of the token
	tokInvalid           // the offset returned with it is that of the bad byte
	tokSpace
	tokComment
	tokPI
	tokXMLDecl
	tokElement // '<' and the first byte of a name
	tokDoctype
	tokParamRef
	tokMarkup // valid inside a DOCTYPE only
)

// SyntaxError is returned for a document that is not well-formed. Reason is
// expat's message; Line counts from 1, Column from 0, in characters.
type SyntaxError struct {
	Reason       string
	Line, Column int
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s: line %d, column %d", e.Reason, e.Line, e.Column)
}

// The values of [SyntaxError.Reason] are expat's messages.
const (
	reasonSyntax          = "syntax error"
	reasonNoElement       = "no element found"
	reasonInvalidToken    = "not well-formed (invalid token)"
	reasonUnclosedToken   = "unclosed token"
	reasonPartialChar     = "partial character"
	reasonMismatch        = "mismatched tag"
	reasonDuplicate       = "duplicate attribute"
	reasonJunk            = "junk after document element"
	reasonParamRef        = "illegal parameter entity reference"
	reasonUndefined       = "undefined entity"
	reasonBadCharRef      = "reference to invalid character number"
	reasonMisplacedDecl   = "XML or text declaration not at start of entity"
	reasonWrongEncoding   = "encoding specified in XML declaration is incorrect"
	reasonUnclosedSection = "unclosed CDATA section"
	reasonXMLDecl         = "XML declaration not well-formed"
)

// Handler receives the tags and the text of a document in order. The slices are
// valid during the call only. They are UTF-8, except for tags if [Scan] accepts
// loose names. An error ends the scan.
type Handler interface {
	StartElement(tag []byte) error
	EndElement(tag []byte) error
	// Text may be called several times for one run of text.
	Text(data []byte)
}

// scanner reads one document.
type scanner struct {
	data    []byte // the whole document
	handler Handler
	open    [][]byte    // the tags of the open elements
	atts    []attribute // of the current start tag
	utf16   string      // "UTF-16BE" or "UTF-16LE" if the document was either
	half    bool        // the UTF-16 document ends inside a code unit

	looseNames bool // see Scan
}

// Scan reads the document in data and reports it to handler. With looseNames
// it accepts bytes in names that are not UTF-8, as expat did before 2.4.5. The
// error is a [*SyntaxError], [ErrDoctype], an [*EncodingError] or one that
// handler returned.
func Scan(data []byte, handler Handler, looseNames bool) error {
	s := &scanner{data: data, handler: handler, looseNames: looseNames}
	p, err := s.prolog()
	if err != nil {
		return err
	}
	if p, err = s.content(p); err != nil {
		return err
	}
	return s.epilog(p)
}

// fail returns the error for offset p.
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

// failToken returns the error for a bad token that starts at start and is bad
// at p.
func (s *scanner) failToken(tok token, start, p int) error {
	switch tok {
	case tokPartial:
		return s.fail(reasonUnclosedToken, start)
	case tokPartialChar:
		return s.fail(reasonPartialChar, start)
	}
	return s.fail(reasonInvalidToken, p)
}

// failAtEnd returns the error for a document that ends too early, at p.
func (s *scanner) failAtEnd(p int) error {
	if s.half {
		return s.fail(reasonUnclosedToken, p)
	}
	return s.fail(reasonNoElement, p)
}

// newline is how every line end is reported.
var newline = []byte{'\n'}

// content reads the document element, which starts at p, and returns the
// offset after it.
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
			s.handler.Text(newline)
			if p++; p == len(s.data) {
				return p, s.fail(reasonNoElement, start)
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

// characters reports the text from p up to the next markup, reference or
// carriage return, and returns the offset of that.
func (s *scanner) characters(p int) (int, error) {
	start := p
	for p < len(s.data) {
		c := classes[s.data[p]]
		switch {
		case c == cAmp || c == cLt || c == cCR:
			s.handler.Text(s.data[start:p])
			return p, nil
		case c == cRsqb:
			if len(s.data)-p >= 3 && s.data[p+1] == ']' && s.data[p+2] == '>' {
				return p, s.fail(reasonInvalidToken, p+2)
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
	s.handler.Text(s.data[start:p])
	return p, nil
}

// markup reads the markup inside the document element whose '<' is at start.
func (s *scanner) markup(start int) (int, error) {
	p := start + 1
	if p >= len(s.data) {
		return p, s.fail(reasonUnclosedToken, start)
	}
	var tok token
	switch s.data[p] {
	case '!':
		if p++; p >= len(s.data) {
			return p, s.fail(reasonUnclosedToken, start)
		}
		switch s.data[p] {
		case '-':
			p, tok = s.comment(p + 1)
		case '[':
			return s.cdata(start, p+1)
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
		return p, s.fail(reasonMisplacedDecl, start)
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
		return p, s.fail(reasonMismatch, nameAt)
	}
	s.open = s.open[:last]
	return p + 1, s.handler.EndElement(name)
}

// cdata reads the CDATA section that starts at start; p is the offset after
// "<![".
func (s *scanner) cdata(start, p int) (int, error) {
	const opening = "CDATA["
	if len(s.data)-p < len(opening) {
		return p, s.fail(reasonUnclosedToken, start)
	}
	for i := range len(opening) {
		if s.data[p] != opening[i] {
			return p, s.fail(reasonInvalidToken, p)
		}
		p++
	}
	for run := p; ; {
		if p >= len(s.data) {
			return p, s.fail(reasonUnclosedSection, p)
		}
		switch s.data[p] {
		case ']':
			rest := s.data[p:]
			if len(rest) >= 3 && rest[1] == ']' && rest[2] == '>' {
				s.handler.Text(s.data[run:p])
				return p + 3, nil
			}
			if len(rest) == 1 || len(rest) == 2 && rest[1] == ']' {
				return p, s.fail(reasonUnclosedSection, p)
			}
			p++
		case '\r':
			s.handler.Text(s.data[run:p])
			s.handler.Text(newline)
			if p+1 == len(s.data) {
				return p, s.fail(reasonUnclosedSection, p)
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
