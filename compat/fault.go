package compat

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"prserver/prserv"
	"prserver/prserv/store"
	"prserver/xmlrpc"
	"prserver/xmlrpc/expat"
)

// Python's words. Where the generations differ, both stand side by side.
const (
	textNotSupported  = `method "%s" is not supported`
	textBadInt        = "invalid literal for int() with base 10: %s"
	textNoDouble      = "could not convert string to float: %s"
	textDoubleTail2   = "invalid literal for float(): %s"
	textBadBoolean    = "bad boolean value"
	textBadDecimal    = "[<class 'decimal.ConversionSyntax'>]"
	textDecimalRange  = "[<class 'decimal.InvalidOperation'>]"
	textTooManyDigits = "Exceeds the limit (4300) for integer string conversion: value has %d digits; " +
		"use sys.set_int_max_str_digits() to increase the limit"
	textBase64Padding  = "Incorrect padding"
	textBase64Lone     = "Invalid base64-encoded string: number of data characters (%d) cannot be 1 more than a multiple of 4"
	textUnknownTag     = "unknown tag %s"
	textOutOfRange     = "list index out of range"
	textNoMapping      = "type object argument after ** must be a mapping, not %s"
	textKeyword        = "__init__() keywords must be strings"
	textManySelf2      = "__init__() got multiple values for keyword argument 'self'"
	textManySelf       = "__init__() got multiple values for argument 'self'"
	textFaultCount2    = "__init__() takes exactly 3 arguments (%d given)"
	textNoAttribute    = "'%s' object has no attribute 'encode'"
	textNoWrite        = "'str' object has no attribute 'write'"
	textUnhashable     = "unhashable type: '%s'"
	textUnhashable2    = "unhashable instance"
	textIntLimit       = "int exceeds XML-RPC limits"
	textBuffer2        = "cannot marshal <type 'buffer'> objects"
	textBind           = "Error binding parameter %d - probably unsupported type."
	textBindRange      = "Python int too large to convert to SQLite INTEGER"
	textUnknownCharset = "unknown encoding: %s"
	textNotUTF8        = "'utf8' codec can't decode byte 0x%02x in position %d: %s"
	textRecursion2     = "maximum recursion depth exceeded while getting the repr of a list"
	textRecursion      = "maximum recursion depth exceeded while getting the repr of an object"
	textNoByte         = "'%s' codec can't encode character %s in position %d: %s"
	textNoBytes        = "'%s' codec can't encode characters in position %d-%d: %s"
	textASCIIRange     = "ordinal not in range(128)"
	textDecimalRange2  = "invalid decimal Unicode string"
)

// errBuffer is a reply with bytes in it that Python 2 cannot send.
var errBuffer = errors.New("bytes cannot be sent to a Python 2 client")

// fault words an error as the reference does: the class of the exception, a
// colon and the exception's text. It returns nil where the reference has no
// words either and answers with HTTP status 500.
//
// Source: SimpleXMLRPCServer.py:SimpleXMLRPCDispatcher._marshaled_dispatch.
func (p python) fault(err error) *xmlrpc.Fault {
	class, text := p.exception(err)
	if class == "" {
		return nil
	}
	return &xmlrpc.Fault{Code: int64(1), Message: class + ":" + text}
}

// builtin names one of Python's own exceptions.
func (p python) builtin(name string) string {
	if p == python2 {
		return "<type 'exceptions." + name + "'>"
	}
	return "<class '" + name + "'>"
}

func class(name string) string { return "<class '" + name + "'>" }

// responseError is what the XML-RPC module says of a call it cannot read. The
// text of the exception is its repr().
func (p python) responseError(text string) (string, string) {
	switch {
	case p == python2 && text != "":
		return class("xmlrpclib.ResponseError"), "ResponseError(" + p.reprBytes(text) + ",)"
	case p == python2:
		return class("xmlrpclib.ResponseError"), "ResponseError()"
	case text != "":
		text = p.repr(text)
	}
	return class("xmlrpc.client.ResponseError"), "ResponseError(" + text + ")"
}

// exception returns the class and the text of the exception that the
// reference has for err.
func (p python) exception(err error) (string, string) {
	var (
		syntax    *expat.SyntaxError
		tag       *xmlrpc.TagError
		name      *xmlrpc.NameError
		value     *xmlrpc.ValueError
		key       *xmlrpc.KeyError
		encoding  *expat.EncodingError
		faultCall *xmlrpc.FaultCallError
		method    *prserv.UnknownMethodError
		args      *prserv.ArgumentError
		bind      *prserv.BindError
		hash      *prserv.UnhashableError
		database  *store.Error
	)
	switch {
	case errors.As(err, &syntax):
		return class("xml.parsers.expat.ExpatError"), syntax.Error()
	case errors.As(err, &tag):
		return p.responseError(fmt.Sprintf(textUnknownTag, p.repr(tag.Tag)))
	case errors.As(err, &name):
		return p.builtin("UnicodeDecodeError"), badName(name.Name)
	case errors.Is(err, xmlrpc.ErrNoCall):
		return p.responseError("")
	case errors.As(err, &value):
		return p.badValue(value)
	case errors.Is(err, xmlrpc.ErrBoolean):
		return p.builtin("TypeError"), textBadBoolean
	case errors.Is(err, xmlrpc.ErrMember):
		return p.builtin("IndexError"), textOutOfRange
	case errors.As(err, &key):
		return p.badKey(key.Key)
	case errors.As(err, &encoding):
		return p.builtin("LookupError"), fmt.Sprintf(textUnknownCharset, encoding.Name)
	case errors.As(err, &faultCall):
		return p.badFault(faultCall)
	case errors.As(err, &method):
		return p.unknownMethod(method)
	case errors.As(err, &args):
		return p.builtin("TypeError"), p.argumentCount(args)
	case errors.Is(err, xmlrpc.ErrIntRange):
		return p.builtin("OverflowError"), textIntLimit
	case errors.Is(err, prserv.ErrIntegerRange):
		return p.builtin("OverflowError"), textBindRange
	case errors.Is(err, errBuffer):
		return p.builtin("TypeError"), textBuffer2
	case errors.As(err, &bind):
		return class("sqlite3.InterfaceError"), fmt.Sprintf(textBind, bind.Index)
	case errors.As(err, &hash):
		return p.unhashable(hash.Value)
	case errors.Is(err, xmlrpc.ErrTooDeep):
		if p == python2 {
			return p.builtin("RuntimeError"), textRecursion2
		}
		return p.builtin("RecursionError"), textRecursion
	case errors.As(err, &database):
		return class("sqlite3." + databaseClass(database)), database.Text
	}
	return p.builtin("Exception"), err.Error()
}

// databaseClass names the exception of Python's sqlite3 module for an error.
func databaseClass(err *store.Error) string {
	switch {
	case errors.Is(err, store.ErrConstraint), errors.Is(err, store.ErrMismatch):
		return "IntegrityError"
	case errors.Is(err, store.ErrDamaged):
		return "DatabaseError"
	case errors.Is(err, store.ErrTooBig):
		return "DataError"
	case errors.Is(err, store.ErrMisuse):
		return "ProgrammingError"
	}
	return "OperationalError"
}

// badName words an element name that is no UTF-8.
func badName(name []byte) string {
	at := 0
	for r, n := utf8.DecodeRune(name); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRune(name[at:]) {
		at += n
	}
	reason := "invalid continuation byte"
	if b := name[at]; b < 0xC2 || b > 0xF4 {
		reason = "invalid start byte"
	}
	return fmt.Sprintf(textNotUTF8, name[at], at, reason)
}

func (p python) unknownMethod(e *prserv.UnknownMethodError) (string, string) {
	name := e.Name
	if !e.Named {
		name = "None"
	}
	if p == python2 && !isASCII(name) {
		return "", ""
	}
	return p.builtin("Exception"), fmt.Sprintf(textNotSupported, name)
}

// argumentCount counts as Python does, with the object itself as an argument.
func (p python) argumentCount(e *prserv.ArgumentError) string {
	most := len(e.Params) + 1
	least := most - e.Optional
	given := e.Given + 1
	if p == python2 {
		bound := "exactly"
		if e.Optional > 0 {
			bound = "at most"
		}
		return fmt.Sprintf("%s() takes %s %s (%d given)", e.Function, bound, plural(most, "argument"), given)
	}
	if given < least {
		return e.Function + "() " + missingArguments(e.Params[e.Given:len(e.Params)-e.Optional])
	}
	takes := plural(most, "positional argument")
	if least < most {
		takes = fmt.Sprintf("from %d to %s", least, takes)
	}
	return fmt.Sprintf("%s() takes %s but %d were given", e.Function, takes, given)
}

func missingArguments(names []string) string {
	return fmt.Sprintf("missing %s: %s", plural(len(names), "required positional argument"), enumerate(names))
}

func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

// enumerate writes 'a', 'b', and 'c'.
func enumerate(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "'" + name + "'"
	}
	last := len(quoted) - 1
	switch len(quoted) {
	case 1:
		return quoted[0]
	case 2:
		return quoted[0] + " and " + quoted[1]
	}
	return strings.Join(quoted[:last], ", ") + ", and " + quoted[last]
}
