package xmlrpc_test

import (
	"reflect"
	"testing"

	"prserver/xmlrpc"
	"prserver/xmlrpc/expat"
)

func badFault(value any) error { return &xmlrpc.FaultCallError{Value: value, HasValue: true} }

// TestDecodeNoCall looks at documents that are no call as a whole.
func TestDecodeNoCall(t *testing.T) {
	for _, m := range noCalls {
		checkMistake(t, m.body, []byte(m.body), m)
	}
}

const (
	noMapping  = "<type 'exceptions.TypeError'>:type object argument after ** must be a mapping, not "
	noMapping3 = "<class 'TypeError'>:type object argument after ** must be a mapping, not "
	noCall     = "<class 'xmlrpclib.ResponseError'>:ResponseError()"
	noCall3    = "<class 'xmlrpc.client.ResponseError'>:ResponseError()"
)

var noCalls = []mistake{
	{"<a/>", xmlrpc.ErrNoCall, noCall, noCall3},
	{"<methodCall/>", xmlrpc.ErrNoCall, noCall, noCall3},
	{"<value>x</value>", xmlrpc.ErrNoCall, noCall, noCall3},
	{"<?xml version='1.0' encoding='bogus'?><a/>", &expat.EncodingError{Name: "bogus"},
		"<type 'exceptions.LookupError'>:unknown encoding: bogus", "<class 'LookupError'>:unknown encoding: bogus"},

	// Names that are no UTF-8, which only the expat of Python 2 lets through.
	{"<a\xc3b></a\xc3b>", &xmlrpc.NameError{Name: []byte("a\xc3b")},
		"<type 'exceptions.UnicodeDecodeError'>:'utf8' codec can't decode byte 0xc3 in position 1: invalid continuation byte", ""},
	{"<params><a\xc0\xbe/></params>", &expat.SyntaxError{Reason: "not well-formed (invalid token)", Line: 1, Column: 10},
		"<class 'xml.parsers.expat.ExpatError'>:not well-formed (invalid token): line 1, column 10",
		"<class 'xml.parsers.expat.ExpatError'>:not well-formed (invalid token): line 1, column 10"},

	// A fault, which the reference raises as one.
	{"<fault/>", &xmlrpc.FaultCallError{},
		"<type 'exceptions.IndexError'>:list index out of range", "<class 'IndexError'>:list index out of range"},
	{"<fault><nil/></fault>", badFault(nil), noMapping + "NoneType", noMapping3 + "NoneType"},
	{"<fault><value>x</value></fault>", badFault("x"), noMapping + "str", noMapping3 + "str"},
	{"<fault><value>é</value></fault>", badFault("é"), noMapping + "unicode", noMapping3 + "str"},
	{"<fault><int>1</int></fault>", badFault(int64(1)), noMapping + "int", noMapping3 + "int"},
	{"<fault><i8>99999999999999999999</i8></fault>", badFault(bigInt("99999999999999999999")), noMapping + "long", noMapping3 + "int"},
	{"<fault><boolean>1</boolean></fault>", badFault(true), noMapping + "bool", noMapping3 + "bool"},
	{"<fault><double>1</double></fault>", badFault(1.), noMapping + "float", noMapping3 + "float"},
	{"<fault><array/></fault>", badFault(list()), noMapping + "list", noMapping3 + "list"},
	{"<fault><base64/></fault>", badFault(xmlrpc.Binary{}), noMapping + "instance", noMapping3 + "Binary"},
	{"<fault><dateTime.iso8601/></fault>", badFault(xmlrpc.DateTime("")), noMapping + "instance", noMapping3 + "DateTime"},
	{"<fault><bigdecimal>1</bigdecimal></fault>", badFault(xmlrpc.Decimal("1")), "", noMapping3 + "decimal.Decimal"},
	{"<fault><struct/></fault>", badFault(xmlrpc.Struct{}),
		"<type 'exceptions.TypeError'>:__init__() takes exactly 3 arguments (1 given)",
		"<class 'TypeError'>:__init__() missing 2 required positional arguments: 'faultCode' and 'faultString'"},
	{"<fault><struct><name>faultCode</name><nil/></struct></fault>", badFault(xmlrpc.Struct{{Name: "faultCode", Value: nil}}),
		"<type 'exceptions.TypeError'>:__init__() takes exactly 3 arguments (2 given)",
		"<class 'TypeError'>:__init__() missing 1 required positional argument: 'faultString'"},
	{"<fault><struct><name>faultString</name><nil/></struct></fault>", badFault(xmlrpc.Struct{{Name: "faultString", Value: nil}}),
		"<type 'exceptions.TypeError'>:__init__() takes exactly 3 arguments (2 given)",
		"<class 'TypeError'>:__init__() missing 1 required positional argument: 'faultCode'"},
	{"<fault><struct><name>self</name><nil/></struct></fault>", badFault(xmlrpc.Struct{{Name: "self", Value: nil}}),
		"<type 'exceptions.TypeError'>:__init__() got multiple values for keyword argument 'self'",
		"<class 'TypeError'>:__init__() got multiple values for argument 'self'"},
	{"<fault><struct><name>é</name><nil/></struct></fault>", badFault(xmlrpc.Struct{{Name: "é", Value: nil}}),
		"<type 'exceptions.TypeError'>:__init__() takes exactly 3 arguments (1 given)",
		"<class 'TypeError'>:__init__() missing 2 required positional arguments: 'faultCode' and 'faultString'"},
	{"<fault><struct><nil/><nil/></struct></fault>", badFault(xmlrpc.Struct{{Name: nil, Value: nil}}),
		"", "<class 'TypeError'>:__init__() keywords must be strings"},
	{"<fault><struct><nil/><nil/><name>self</name><nil/></struct></fault>", badFault(xmlrpc.Struct{{Name: nil, Value: nil}, {Name: "self", Value: nil}}),
		"", "<class 'TypeError'>:__init__() keywords must be strings"},
	{"<fault><struct><name>self</name><nil/><nil/><nil/></struct></fault>", badFault(xmlrpc.Struct{{Name: "self", Value: nil}, {Name: nil, Value: nil}}),
		"", "<class 'TypeError'>:__init__() got multiple values for argument 'self'"},
}

// TestDecodeFault looks at a fault of the right form, which is its own answer.
func TestDecodeFault(t *testing.T) {
	const members = "<name>faultString</name><string>x</string><name>other</name><nil/><name>faultCode</name><int>7</int>"
	for _, d := range dialects {
		_, err := xmlrpc.Decode([]byte("<a><methodName>m</methodName><fault><struct>"+members+"</struct></fault></a>"), d)
		if want := (&xmlrpc.Fault{Code: int64(7), Message: "x"}); !reflect.DeepEqual(err, want) {
			t.Errorf("%s: got %#v, want %#v", d.Name, err, want)
		}
	}
}
