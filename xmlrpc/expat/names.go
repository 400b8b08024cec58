package expat

import (
	"encoding/xml"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// nameClass says what a character outside ASCII may be in an XML name.
type nameClass uint32

const (
	nameUnknown nameClass = iota // not looked up yet
	nameNever
	nameInside // inside a name, not at its start
	nameStart
)

// nameClasses remembers the classes of the basic multilingual plane. expat
// allows no character beyond it in a name.
var nameClasses [0x10000]atomic.Uint32

// classifyName returns r's class. The tables are those of the XML
// recommendation's appendix B, which encoding/xml has and does not export, so
// its decoder is asked, once a character: names outside ASCII do not occur
// but in hostile calls.
func classifyName(r rune) nameClass {
	switch {
	case r >= rune(len(nameClasses)):
		return nameNever
	case r < utf8.RuneSelf: // from a sequence that is longer than it need be
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
