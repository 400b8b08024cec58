package asyncrpc

import (
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"
)

const (
	// maxDepth is how deep a message may be nested. Python's servers take 979
	// levels, and from Python 3.12 on 1,493.
	maxDepth = 1000
	// maxIntDigits is how many digits Python reads of a whole number.
	maxIntDigits = 4300
	// countFrom is how much memory the values of a message take at a time:
	// nobody counts those of a small one.
	countFrom = 64 << 10
	// keptScratch is how many elements a parser keeps for the next message.
	keptScratch = 64
)

// ErrTooDeep is returned for JSON that is nested too deeply.
var ErrTooDeep = errors.New("nested too deeply")

// SyntaxError is returned for what is no JSON.
type SyntaxError struct {
	Offset int // in bytes
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("no JSON: %s at byte %d", e.Reason, e.Offset)
}

// Unmarshal reads a JSON value as Python's json.loads does. It is nil, a bool, an
// int64, a *big.Int where that is too small, a float64 (also for NaN, Infinity
// and -Infinity), a string, a []any or an [Object]. The error is [ErrTooDeep] or
// a [*SyntaxError].
func Unmarshal(data []byte) (any, error) {
	return unmarshal(string(data), func(int) error { return nil })
}

// unmarshal is [Unmarshal] for a text. The strings in the value are parts of it.
// What else the value takes in memory is asked of hold, unless that is little;
// its error is returned.
func unmarshal(text string, hold func(int) error) (any, error) {
	p := parsers.Get().(*parser)
	p.text, p.pos, p.depth, p.uncounted, p.hold = text, 0, 0, 0, hold
	v, err := p.document()
	p.text, p.hold = "", nil
	if len(text) <= countFrom && cap(p.values) <= keptScratch && cap(p.members) <= keptScratch {
		p.values, p.members = p.values[:0], p.members[:0]
		parsers.Put(p)
	}
	return v, err
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

// parser reads one JSON text.
type parser struct {
	text      string
	pos       int
	depth     int
	values    []any    // the elements of the open arrays
	members   []Member // the members of the open objects
	uncounted int      // bytes that were not asked of hold yet
	hold      func(int) error
}

func (p *parser) fail(reason string) error { return &SyntaxError{p.pos, reason} }

// count notes that values take n more bytes.
func (p *parser) count(n int) error {
	if p.uncounted += n; p.uncounted < countFrom {
		return nil
	}
	n, p.uncounted = p.uncounted, 0
	return p.hold(n)
}

// skipSpace skips white space and returns the character behind it; 0 is the end.
func (p *parser) skipSpace() byte {
	for ; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (p *parser) document() (any, error) {
	if !utf8.ValidString(p.text) {
		return nil, &SyntaxError{0, "invalid UTF-8"}
	}
	v, err := p.value(p.skipSpace())
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); p.pos < len(p.text) {
		return nil, p.fail("more behind the value")
	}
	return v, nil
}

// value reads the value that begins with c at the position.
func (p *parser) value(c byte) (any, error) {
	switch {
	case c == '"':
		return p.string()
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for _, w := range words {
		if p.skipWord(w.text) {
			return w.value, nil
		}
	}
	return nil, p.fail("a value is missing")
}

func (p *parser) skipWord(w string) bool {
	if len(p.text)-p.pos < len(w) || p.text[p.pos:p.pos+len(w)] != w {
		return false
	}
	p.pos += len(w)
	return true
}

// enter goes into an array or object, and tells whether it is empty.
func (p *parser) enter(end byte) (empty bool, err error) {
	if p.depth++; p.depth > maxDepth {
		return false, ErrTooDeep
	}
	p.pos++
	if p.skipSpace() != end {
		return false, nil
	}
	p.leave()
	return true, nil
}

func (p *parser) leave() {
	p.depth--
	p.pos++
}

// next goes on to the next element, or leaves at the end.
func (p *parser) next(end byte) (more bool, err error) {
	switch p.skipSpace() {
	case ',':
		p.pos++
		return true, nil
	case end:
		p.leave()
		return false, nil
	}
	return false, p.fail("a comma is missing")
}

func (p *parser) array() (any, error) {
	empty, err := p.enter(']')
	if err != nil {
		return nil, err
	}
	if empty {
		return []any{}, p.count(listSize)
	}
	start := len(p.values)
	for more := true; more; {
		v, err := p.value(p.skipSpace())
		if err != nil {
			return nil, err
		}
		if err := p.count(3 * valueSize); err != nil { // here, and twice in values
			return nil, err
		}
		p.values = append(p.values, v)
		if more, err = p.next(']'); err != nil {
			return nil, err
		}
	}
	array := append([]any(nil), p.values[start:]...)
	p.values = p.values[:start]
	return array, p.count(listSize)
}

func (p *parser) object() (any, error) {
	empty, err := p.enter('}')
	if err != nil {
		return nil, err
	}
	if empty {
		return Object(nil), nil
	}
	start := len(p.members)
	for more := true; more; {
		if p.skipSpace() != '"' {
			return nil, p.fail("a name is missing")
		}
		name, err := p.quoted()
		if err != nil {
			return nil, err
		}
		if p.skipSpace() != ':' {
			return nil, p.fail("a colon is missing")
		}
		p.pos++
		v, err := p.value(p.skipSpace())
		if err != nil {
			return nil, err
		}
		if err := p.count(3 * (valueSize + nameSize)); err != nil {
			return nil, err
		}
		p.members = append(p.members, Member{name, v})
		if more, err = p.next('}'); err != nil {
			return nil, err
		}
	}
	object := append(Object(nil), p.members[start:]...)
	p.members = p.members[:start]
	return object, p.count(listSize)
}
