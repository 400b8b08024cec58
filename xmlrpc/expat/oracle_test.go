package expat_test

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"prserver/xmlrpc/expat"
)

// view is what a parser sees of a document: the elements in order, each as
// "<name>", "</name>" or its text.
type view struct {
	err    error
	events []string
	text   strings.Builder // since the last tag
}

func (v *view) tag(tag string) {
	if v.text.Len() > 0 {
		v.events = append(v.events, v.text.String())
		v.text.Reset()
	}
	v.events = append(v.events, tag)
}

// ourView is what our scanner sees.
func ourView(doc []byte) *view {
	v := &view{}
	v.err = expat.Scan(doc, v, false)
	return v
}

func (v *view) StartElement(tag []byte) error { v.tag("<" + string(tag) + ">"); return nil }
func (v *view) EndElement(tag []byte) error   { v.tag("</" + string(tag) + ">"); return nil }
func (v *view) Text(text []byte)              { v.text.Write(text) }

// oracle is what encoding/xml sees, and what of it expat does not accept.
type oracle struct {
	view
	doc        []byte // in UTF-8, without byte order mark
	wide       string // which UTF-16 the document was in
	version    string // what its declaration says
	encoding   string
	roots      int
	misplaced  bool // text or a declaration outside the root, or before it
	directive  bool // a declaration within the root
	duplicates bool // two attributes of one name
	lateDecl   bool // an XML declaration that is not at the start
	badDecl    bool // an XML declaration at the start that is none
	badTarget  bool // an instruction called xml in another spelling
	badHidden  bool // what is no XML character in a comment or an instruction
	badPI      bool // an instruction whose target does not end in white space
}

// oracleView reads doc with encoding/xml. Its RawToken does not translate
// names, but does not pair tags either: a second decoder does.
func oracleView(doc []byte) *oracle {
	o := &oracle{}
	o.doc, o.wide = narrow(doc)
	o.plainDecl()
	raw, strict := o.decoder(), o.decoder()
	depth := 0
	for {
		at := raw.InputOffset()
		token, err := raw.RawToken()
		if err == nil {
			_, err = strict.Token()
		}
		if err == io.EOF {
			// The strict decoder finds elements that are open only now.
			if _, err = strict.Token(); err == io.EOF {
				err = nil
			}
			o.err = err
			return o
		}
		if err != nil {
			o.err = err
			return o
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				o.roots++
			}
			depth++
			o.tag("<" + rawName(token.Name) + ">")
			seen := map[string]bool{}
			for _, a := range token.Attr {
				o.duplicates = o.duplicates || seen[rawName(a.Name)]
				seen[rawName(a.Name)] = true
			}
		case xml.EndElement:
			depth--
			o.tag("</" + rawName(token.Name) + ">")
		case xml.CharData:
			if depth > 0 {
				o.text.Write(token)
			} else if source := o.doc[at:raw.InputOffset()]; len(bytes.Trim(source, " \t\r\n")) > 0 {
				o.misplaced = true
			}
		case xml.Comment:
			o.badHidden = o.badHidden || !isText(token)
		case xml.ProcInst:
			o.instruction(token, at)
		case xml.Directive:
			o.misplaced = o.misplaced || depth == 0
			o.directive = o.directive || depth > 0
		}
	}
}

// flaws names what the oracle, but not expat, accepts in the document.
func (o *oracle) flaws() string {
	switch {
	case o.roots != 1:
		return "other than one root"
	case o.misplaced, o.directive:
		return "text or a declaration where it may not stand"
	case o.duplicates:
		return "duplicate attributes"
	case o.badDecl, o.lateDecl, o.badTarget:
		return "a bad XML declaration"
	case o.badHidden, o.badPI:
		return "a bad comment or instruction"
	}
	return ""
}

func (o *oracle) instruction(token xml.ProcInst, at int64) {
	o.badHidden = o.badHidden || !isText(token.Inst)
	switch {
	case token.Target == "xml" && at == 0:
		o.badDecl = !strictDecl.Match(o.doc)
	case token.Target == "xml":
		o.lateDecl = true
	case strings.EqualFold(token.Target, "xml"):
		o.badTarget = true
	}
	// The decoder does not say what stood between target and text.
	behind := o.doc[at+int64(len("<?"+token.Target)):]
	o.badPI = o.badPI || !bytes.HasPrefix(behind, []byte("?>")) && len(bytes.TrimLeft(behind[:1], " \t\r\n")) > 0
}

func rawName(name xml.Name) string {
	if name.Space != "" {
		return name.Space + ":" + name.Local
	}
	return name.Local
}

// isText tells whether text holds XML's characters only.
func isText(text []byte) bool {
	for _, r := range string(text) {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return utf8.Valid(text)
}

// An XML declaration as expat wants it, at the start of a document.
var strictDecl = regexp.MustCompile(`^<\?xml\s+version\s*=\s*(?:'([\w.-]*)'|"([\w.-]*)")` +
	`(?:\s+encoding\s*=\s*(?:'([A-Za-z][\w.-]*)'|"([A-Za-z][\w.-]*)"))?` +
	`(?:\s+standalone\s*=\s*(?:'(?:yes|no)'|"(?:yes|no)"))?\s*\?>`)

// plainDecl takes the white space from the equals signs of the declaration,
// which encoding/xml does not look for there, and Latin-1 from the document.
func (o *oracle) plainDecl() {
	decl := strictDecl.FindSubmatch(o.doc)
	if decl == nil {
		return
	}
	o.version, o.encoding = string(decl[1])+string(decl[2]), string(decl[3])+string(decl[4])
	rest := o.doc[len(decl[0]):]
	if o.wide == "" && isLatin1(o.encoding) {
		runes := make([]rune, len(rest))
		for i, b := range rest {
			runes[i] = rune(b)
		}
		rest = []byte(string(runes))
	}
	o.doc = append(regexp.MustCompile(`\s*=\s*`).ReplaceAll(decl[0], []byte("=")), rest...)
}

func isLatin1(name string) bool {
	switch strings.ToLower(name) {
	case "iso-8859-1", "latin1", "latin-1":
		return true
	}
	return false
}

// decoder returns a strict decoder for the document.
func (o *oracle) decoder() *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(o.doc))
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch lower := strings.ToLower(charset); {
		case o.wide != "" && (lower == "utf-16" || lower == o.wide):
			return in, nil
		case o.wide != "" || strings.HasPrefix(lower, "utf-16"):
			return nil, errors.New("the declared encoding is not that of the document")
		case isLatin1(lower):
			return in, nil // and UTF-8 by now
		case lower == "us-ascii" || lower == "ascii":
			data, err := io.ReadAll(in)
			if bytes.ContainsFunc(data, func(r rune) bool { return r >= utf8.RuneSelf }) {
				return nil, errors.New("not ASCII")
			}
			return bytes.NewReader(data), err
		}
		return nil, fmt.Errorf("%w %q", errCharset, charset)
	}
	return d
}

var errCharset = errors.New("the oracle does not read")

// narrow returns the document in UTF-8, without byte order mark, and which
// UTF-16 it was in, if it was.
func narrow(doc []byte) (utf8Doc []byte, wide string) {
	var order binary.ByteOrder = binary.BigEndian
	wide = "utf-16be"
	switch {
	case len(doc) < 2:
		return doc, ""
	case bytes.HasPrefix(doc, []byte("\xef\xbb\xbf")):
		return doc[3:], ""
	case doc[0] == 0xFF && doc[1] == 0xFE, doc[0] != 0 && doc[1] == 0:
		order, wide = binary.LittleEndian, "utf-16le"
	case doc[0] != 0 && !bytes.HasPrefix(doc, []byte("\xfe\xff")):
		return doc, ""
	}
	var units []uint16
	for i := 0; i+1 < len(doc); i += 2 {
		units = append(units, order.Uint16(doc[i:]))
	}
	if units[0] == 0xFEFF {
		units = units[1:]
	}
	out := []byte(string(utf16.Decode(units)))
	if len(doc)%2 != 0 {
		out = append(out, '<') // half a unit is a token that does not end
	}
	return out, wide
}
