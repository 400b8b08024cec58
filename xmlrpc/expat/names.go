package expat

import (
	"encoding/xml"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// nameClass says where in an XML name a character may stand.
type nameClass uint32

const (
	nameUnknown nameClass = iota // not looked up yet
	nameNever
	nameInside // anywhere but at the start
	nameStart  // anywhere
)

// nameClasses caches the classes of the characters below 0x10000. expat allows
// no others in names.
var nameClasses [0x10000]atomic.Uint32

// classifyName returns r's class. The tables are in appendix B of the XML
// recommendation. encoding/xml has them but does not export them, so we ask its
// decoder, once for each character. That is slow, but only hostile calls have
// names outside ASCII.
func classifyName(r rune) nameClass {
	switch {
	case r >= rune(len(nameClasses)):
		return nameNever
	case r < utf8.RuneSelf: // from an overlong sequence
		switch classes[r] {
		case cNameStart, cHex:
			return nameStart
		case cDigit, cName, cMinus:
			return nameInside
		}
		return nameNever
	}
	if c := nameClass(nameClasses[r].Load()); c != nameUnknown {
		return c
	}
	c := nameNever
	switch {
	case isName(string(r)):
		c = nameStart
	case isName("a" + string(r)):
		c = nameInside
	}
	nameClasses[r].Store(uint32(c))
	return c
}

func isName(name string) bool {
	_, err := xml.NewDecoder(strings.NewReader("<" + name + "/>")).RawToken()
	return err == nil
}
