package compat

import (
	"fmt"
	"math/big"
	"slices"

	"prserver/xmlrpc"
)

// badValue words a value whose text is not of its kind.
func (p python) badValue(e *xmlrpc.ValueError) (string, string) {
	switch e.Reason {
	case xmlrpc.ReasonCharacters:
		return p.builtin("UnicodeEncodeError"), p.badCharacters(e)
	case xmlrpc.ReasonLength:
		return p.builtin("ValueError"), fmt.Sprintf(textTooManyDigits, e.Count)
	case xmlrpc.ReasonExponent:
		return class("decimal.InvalidOperation"), textDecimalRange
	case xmlrpc.ReasonPadding:
		if p == python3 && e.Count%4 == 1 {
			return class("binascii.Error"), fmt.Sprintf(textBase64Lone, e.Count)
		}
		return class("binascii.Error"), textBase64Padding
	}
	if e.Kind == xmlrpc.KindDecimal {
		return class("decimal.InvalidOperation"), textBadDecimal
	}
	return p.builtin("ValueError"), p.badNumber(e)
}

// reprLimit is how many characters of a bad number Python shows.
const reprLimit = 200

// badNumber words the text of an int or a double that has not the form of one.
func (p python) badNumber(e *xmlrpc.ValueError) string {
	number := e.Number[:min(len(e.Number), reprLimit)]
	switch {
	case e.Kind == xmlrpc.KindInt && p == python2:
		return fmt.Sprintf(textBadInt, p.reprBytes(number))
	case e.Kind == xmlrpc.KindInt:
		shown := []rune(p.repr(e.Text))
		return fmt.Sprintf(textBadInt, string(shown[:min(len(shown), reprLimit)]))
	case p == python3 && number == "": // Python shows nothing of white space alone
		return fmt.Sprintf(textNoDouble, "''")
	case p == python3:
		return fmt.Sprintf(textNoDouble, p.repr(e.Text))
	case e.Reason == xmlrpc.ReasonTail:
		return fmt.Sprintf(textDoubleTail2, number)
	}
	return fmt.Sprintf(textNoDouble, number)
}

// badCharacters words a text that a codec of Python has no bytes for.
func (p python) badCharacters(e *xmlrpc.ValueError) string {
	codec, reason := "ascii", textASCIIRange
	if e.Kind == xmlrpc.KindInt || e.Kind == xmlrpc.KindDouble {
		codec, reason = "decimal", textDecimalRange2
	}
	if e.End-e.Start > 1 {
		return fmt.Sprintf(textNoBytes, codec, e.Start, e.End-1, reason)
	}
	first := "'" + escape([]rune(e.Text)[e.Start]) + "'"
	if p == python2 {
		first = "u" + first
	}
	return fmt.Sprintf(textNoByte, codec, first, e.Start, reason)
}

// badKey words a struct key that is no string.
func (p python) badKey(key any) (string, string) {
	if p == python3 {
		return p.unhashable(key)
	}
	switch key.(type) {
	case xmlrpc.Binary, xmlrpc.DateTime:
		return p.builtin("AttributeError"), textNoWrite
	}
	return p.builtin("AttributeError"), fmt.Sprintf(textNoAttribute, p.typeName(key))
}

func (p python) unhashable(v any) (string, string) {
	switch v.(type) {
	case xmlrpc.Binary, xmlrpc.DateTime:
		if p == python2 {
			return p.builtin("TypeError"), textUnhashable2
		}
	}
	return p.builtin("TypeError"), fmt.Sprintf(textUnhashable, p.typeName(v))
}

// typeName is what Python calls the type of a value.
func (p python) typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64:
		return "int"
	case *big.Int:
		if p == python2 {
			return "long"
		}
		return "int"
	case float64:
		return "float"
	case string:
		if p == python2 && !isASCII(v) {
			return "unicode"
		}
		return "str"
	case xmlrpc.Decimal:
		return "decimal.Decimal"
	case []any:
		return "list"
	case xmlrpc.Struct:
		return "dict"
	case xmlrpc.Binary:
		return "Binary"
	case xmlrpc.DateTime:
		return "DateTime"
	}
	return fmt.Sprintf("%T", v)
}

// badFault words a fault, sent as a call, that is none.
func (p python) badFault(e *xmlrpc.FaultCallError) (string, string) {
	st, ok := e.Value.(xmlrpc.Struct)
	switch {
	case !e.HasValue:
		return p.builtin("IndexError"), textOutOfRange
	case !ok:
		return p.builtin("TypeError"), fmt.Sprintf(textNoMapping, p.instanceName(e.Value))
	}
	given := map[string]bool{}
	for _, m := range st {
		name, isText := m.Name.(string)
		switch {
		case !isText:
			return p.builtin("TypeError"), textKeyword
		case name == "self" && p == python2:
			return p.builtin("TypeError"), textManySelf2
		case name == "self":
			return p.builtin("TypeError"), textManySelf
		}
		given[name] = true
	}
	params := []string{"faultCode", "faultString"}
	missing := slices.DeleteFunc(params, func(name string) bool { return given[name] })
	if p == python2 {
		return p.builtin("TypeError"), fmt.Sprintf(textFaultCount2, 3-len(missing))
	}
	return p.builtin("TypeError"), "__init__() " + missingArguments(missing)
}

// instanceName is the name of a value's type where Python 2 does not tell
// one of its old classes from another.
func (p python) instanceName(v any) string {
	switch v.(type) {
	case xmlrpc.Binary, xmlrpc.DateTime:
		if p == python2 {
			return "instance"
		}
	}
	return p.typeName(v)
}
