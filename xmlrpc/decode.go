package xmlrpc

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"prserver/xmlrpc/expat"
)

// What can be wrong with a call that is XML.
var (
	// ErrNoCall is a document without params, methodName or fault.
	ErrNoCall = errors.New("no call in the document")
	// ErrBoolean is a boolean that is neither 0 nor 1.
	ErrBoolean = errors.New("bad boolean value")
	// ErrMember is a struct member without a value.
	ErrMember = errors.New("struct member without a value")
)

// TagError is an element inside a value that is no type.
type TagError struct{ Tag string }

func (e *TagError) Error() string { return fmt.Sprintf("unknown tag %q", e.Tag) }

// NameError is the name of an element that is no text.
type NameError struct{ Name []byte }

func (e *NameError) Error() string { return fmt.Sprintf("element name %q is not UTF-8", e.Name) }

// KeyError is a struct key that cannot be one.
type KeyError struct{ Key any }

func (e *KeyError) Error() string { return fmt.Sprintf("bad struct key of type %T", e.Key) }

// FaultCallError is a fault sent as a call whose value is not that of a fault.
type FaultCallError struct {
	Value    any
	HasValue bool
}

func (e *FaultCallError) Error() string { return "fault of the wrong form in a call" }

// Decode reads the call in body. The error is one of this package's, or a
// [*Fault] where body is a fault: the reference echoes it.
//
// Source: xmlrpclib.py:Unmarshaller and xmlrpc/client.py:Unmarshaller. They
// are stack machines that look at nearly nothing: an element's end tag decides
// what becomes of the text since the last start tag, wherever it stands.
func Decode(body []byte, d *Dialect) (*Call, error) {
	u := unmarshaller{dialect: d}
	if err := expat.Scan(body, &u, d.LooseNames); err != nil {
		return nil, err
	}
	if u.badName != nil {
		return nil, u.badName
	}
	switch u.result {
	case elementNone:
		return nil, ErrNoCall
	case ElementFault:
		return nil, u.fault()
	}
	return &Call{Method: u.method, HasMethod: u.hasMethod, Params: u.stack, Dialect: d}, nil
}

type unmarshaller struct {
	dialect   *Dialect
	stack     []any
	marks     []int  // where on the stack the open arrays and structs begin
	chars     []byte // the text since the last start tag
	inValue   bool   // the last start tag was a value's and no type has ended since
	method    string
	hasMethod bool
	badName   error   // an element whose name is no text; nothing behind it counts
	result    Element // what the document has turned out to be
}

// element looks tag up. The reference forgives a prefix at a start tag before
// it looks, at an end tag after.
func (u *unmarshaller) element(tag []byte) Element {
	if e, ok := u.dialect.Elements[string(tag)]; ok {
		return e
	}
	return u.dialect.Elements[string(u.local(tag))]
}

func (u *unmarshaller) local(tag []byte) []byte {
	if u.dialect.Prefixes {
		if i := strings.LastIndexByte(string(tag), ':'); i >= 0 {
			return tag[i+1:]
		}
	}
	return tag
}

func (u *unmarshaller) StartElement(tag []byte) error {
	if u.badName == nil && !utf8.Valid(tag) {
		u.badName = &NameError{bytes.Clone(tag)}
	}
	if u.badName != nil {
		return nil
	}
	tag = u.local(tag)
	e := u.element(tag)
	if e == ElementArray || e == ElementStruct {
		u.marks = append(u.marks, len(u.stack))
	}
	u.chars = u.chars[:0]
	if u.inValue && e == elementNone {
		return &TagError{Tag: string(tag)}
	}
	u.inValue = e == ElementValue
	return nil
}

func (u *unmarshaller) Text(data []byte) { u.chars = append(u.chars, data...) }

func (u *unmarshaller) EndElement(tag []byte) error {
	e := u.element(tag)
	if u.badName != nil {
		e = elementNone
	}
	switch e {
	case elementNone:
		return nil
	case ElementValue:
		// A value without a type is a string.
		if !u.inValue {
			return nil
		}
		e = ElementString
	case ElementParams, ElementFault:
		u.result = e
		return nil
	case ElementMethodName:
		u.method, u.hasMethod = string(u.chars), true
		u.result = e
		return nil
	}
	if e != ElementDateTime {
		u.inValue = false
	}
	var v any
	var err error
	switch e {
	case ElementArray:
		items := u.popMark()
		v = append(make([]any, 0, len(items)), items...)
	case ElementStruct:
		v, err = u.makeStruct(u.popMark())
	default:
		v, err = u.scalar(e, string(u.chars))
	}
	if err != nil {
		return err
	}
	u.stack = append(u.stack, v)
	return nil
}

// popMark takes what the innermost array or struct holds off the stack.
func (u *unmarshaller) popMark() []any {
	last := len(u.marks) - 1
	mark := u.marks[last]
	u.marks = u.marks[:last]
	items := u.stack[mark:]
	u.stack = u.stack[:mark]
	return items
}

// makeStruct pairs up items. A later member replaces an earlier one of its name.
func (u *unmarshaller) makeStruct(items []any) (Struct, error) {
	st := make(Struct, 0, len(items)/2)
	index := make(map[string]int, len(items)/2)
	for i := 0; i < len(items); i += 2 {
		if i+1 >= len(items) {
			return nil, ErrMember
		}
		name, isText := items[i].(string)
		switch items[i].(type) {
		case string:
		case []any, Struct, Binary, DateTime:
			return nil, &KeyError{items[i]}
		default:
			if u.dialect.TextKeys {
				return nil, &KeyError{items[i]}
			}
		}
		if at, ok := index[name]; ok && isText {
			st[at].Value = items[i+1]
			continue
		}
		if isText {
			index[name] = len(st)
		}
		st = append(st, Member{items[i], items[i+1]})
	}
	return st, nil
}

// fault makes the error of a document that is a fault.
func (u *unmarshaller) fault() error {
	if len(u.stack) == 0 {
		return &FaultCallError{}
	}
	bad := &FaultCallError{Value: u.stack[0], HasValue: true}
	st, ok := u.stack[0].(Struct)
	if !ok {
		return bad
	}
	f := &Fault{}
	members := map[string]*any{"faultCode": &f.Code, "faultString": &f.Message}
	for _, m := range st {
		name, isText := m.Name.(string)
		if !isText || name == "self" {
			return bad
		}
		if to, ok := members[name]; ok {
			*to = m.Value
			delete(members, name)
		}
	}
	if len(members) > 0 {
		return bad
	}
	return f
}
