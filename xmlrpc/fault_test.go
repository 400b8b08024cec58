package xmlrpc_test

import (
	"reflect"
	"testing"

	"prserver/compat"
	"prserver/xmlrpc"
)

func badTag(tag string) error { return &xmlrpc.TagError{Tag: tag} }
func badKey(key any) error    { return &xmlrpc.KeyError{Key: key} }

func badPadding(text string, count int) error {
	return &xmlrpc.ValueError{Kind: xmlrpc.KindBase64, Reason: xmlrpc.ReasonPadding, Text: text, Count: count}
}

func badCharacters(kind, text string, start, end int) error {
	return &xmlrpc.ValueError{Kind: kind, Reason: xmlrpc.ReasonCharacters, Text: text, Start: start, End: end}
}

// mistake is a call that cannot be read, the error that says so, and what a
// client of either Python hears, as recorded from xmlrpclib.loads. An empty
// text means that this Python can read it.
type mistake struct {
	body        string
	err         error
	text, text3 string
}

// TestDecodeErrors looks at values that are none. What stands behind the
// first of them does not count, be it XML or not.
func TestDecodeErrors(t *testing.T) {
	for _, m := range badValues {
		checkMistake(t, m.body, params(m.body), m)
		checkMistake(t, m.body+" and no XML", params(m.body+"<"), m)
	}
}

func checkMistake(t *testing.T, name string, body []byte, m mistake) {
	t.Helper()
	for d, want := range map[*xmlrpc.Dialect]string{compat.Py2: m.text, compat.Py3: m.text3} {
		if want == "" {
			continue
		}
		_, err := xmlrpc.Decode(body, d)
		if !reflect.DeepEqual(err, m.err) {
			t.Errorf("%s: %.80q: got error %#v, want %#v", d.Name, name, err, m.err)
			continue
		}
		if f := d.Fault(err); f.Code != int64(1) || f.Message != want {
			t.Errorf("%s: %.80q:\n got  %v\n want %v", d.Name, name, f.Message, want)
		}
	}
}

var badValues = []mistake{
	{"<value><foo/></value>", badTag("foo"),
		"<class 'xmlrpclib.ResponseError'>:ResponseError(\"unknown tag u'foo'\",)",
		"<class 'xmlrpc.client.ResponseError'>:ResponseError(\"unknown tag 'foo'\")"},
	{"<value><é>1</é></value>", badTag("é"),
		"<class 'xmlrpclib.ResponseError'>:ResponseError(\"unknown tag u'\\\\xe9'\",)",
		"<class 'xmlrpc.client.ResponseError'>:ResponseError(\"unknown tag 'é'\")"},
	{"<value><methodCall/></value>", badTag("methodCall"),
		"<class 'xmlrpclib.ResponseError'>:ResponseError(\"unknown tag u'methodCall'\",)",
		"<class 'xmlrpc.client.ResponseError'>:ResponseError(\"unknown tag 'methodCall'\")"},
	{"<value><Int>1</Int></value>", badTag("Int"),
		"<class 'xmlrpclib.ResponseError'>:ResponseError(\"unknown tag u'Int'\",)",
		"<class 'xmlrpc.client.ResponseError'>:ResponseError(\"unknown tag 'Int'\")"},
	{"<value>text<foo/></value>", badTag("foo"),
		"<class 'xmlrpclib.ResponseError'>:ResponseError(\"unknown tag u'foo'\",)",
		"<class 'xmlrpc.client.ResponseError'>:ResponseError(\"unknown tag 'foo'\")"},
	{"<value><ex:foo/></value>", badTag("ex:foo"),
		"<class 'xmlrpclib.ResponseError'>:ResponseError(\"unknown tag u'ex:foo'\",)",
		""},
	{"<value><ex:foo/></value>", badTag("foo"),
		"",
		"<class 'xmlrpc.client.ResponseError'>:ResponseError(\"unknown tag 'foo'\")"},
	{"<value><日本/></value>", badTag("日本"),
		"<class 'xmlrpclib.ResponseError'>:ResponseError(\"unknown tag u'\\\\u65e5\\\\u672c'\",)",
		"<class 'xmlrpc.client.ResponseError'>:ResponseError(\"unknown tag '日本'\")"},
	{"<boolean>2</boolean>", xmlrpc.ErrBoolean,
		"<type 'exceptions.TypeError'>:bad boolean value",
		"<class 'TypeError'>:bad boolean value"},
	{"<boolean/>", xmlrpc.ErrBoolean,
		"<type 'exceptions.TypeError'>:bad boolean value",
		"<class 'TypeError'>:bad boolean value"},
	{"<boolean> 1</boolean>", xmlrpc.ErrBoolean,
		"<type 'exceptions.TypeError'>:bad boolean value",
		"<class 'TypeError'>:bad boolean value"},
	{"<boolean>true</boolean>", xmlrpc.ErrBoolean,
		"<type 'exceptions.TypeError'>:bad boolean value",
		"<class 'TypeError'>:bad boolean value"},
	{"<base64>Q</base64>", badPadding("Q", 1),
		"<class 'binascii.Error'>:Incorrect padding",
		"<class 'binascii.Error'>:Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4"},
	{"<base64>QQ</base64>", badPadding("QQ", 2),
		"<class 'binascii.Error'>:Incorrect padding",
		"<class 'binascii.Error'>:Incorrect padding"},
	{"<base64>QQ=</base64>", badPadding("QQ=", 2),
		"<class 'binascii.Error'>:Incorrect padding",
		"<class 'binascii.Error'>:Incorrect padding"},
	{"<base64>QUJDR</base64>", badPadding("QUJDR", 5),
		"<class 'binascii.Error'>:Incorrect padding",
		"<class 'binascii.Error'>:Invalid base64-encoded string: number of data characters (5) cannot be 1 more than a multiple of 4"},
	{"<base64>é</base64>", badCharacters(xmlrpc.KindBase64, "é", 0, 1),
		"<type 'exceptions.UnicodeEncodeError'>:'ascii' codec can't encode character u'\\xe9' in position 0: ordinal not in range(128)",
		"<class 'UnicodeEncodeError'>:'ascii' codec can't encode character '\\xe9' in position 0: ordinal not in range(128)"},
	{"<base64>QQ==éé</base64>", badCharacters(xmlrpc.KindBase64, "QQ==éé", 4, 6),
		"<type 'exceptions.UnicodeEncodeError'>:'ascii' codec can't encode characters in position 4-5: ordinal not in range(128)",
		"<class 'UnicodeEncodeError'>:'ascii' codec can't encode characters in position 4-5: ordinal not in range(128)"},
	{"<base64>€</base64>", badCharacters(xmlrpc.KindBase64, "€", 0, 1),
		"<type 'exceptions.UnicodeEncodeError'>:'ascii' codec can't encode character u'\\u20ac' in position 0: ordinal not in range(128)",
		"<class 'UnicodeEncodeError'>:'ascii' codec can't encode character '\\u20ac' in position 0: ordinal not in range(128)"},
	{"<dateTime.iso8601>é</dateTime.iso8601>", badCharacters(xmlrpc.KindDateTime, "é", 0, 1),
		"<type 'exceptions.UnicodeEncodeError'>:'ascii' codec can't encode character u'\\xe9' in position 0: ordinal not in range(128)",
		""},
	{"<struct><name>a</name></struct>", xmlrpc.ErrMember,
		"<type 'exceptions.IndexError'>:list index out of range",
		"<class 'IndexError'>:list index out of range"},
	{"<struct><name>a</name><int>1</int><name>b</name></struct>", xmlrpc.ErrMember,
		"<type 'exceptions.IndexError'>:list index out of range",
		"<class 'IndexError'>:list index out of range"},
	{"<struct><nil/><nil/></struct>", badKey(nil),
		"<type 'exceptions.AttributeError'>:'NoneType' object has no attribute 'encode'",
		""},
	{"<struct><int>1</int><nil/></struct>", badKey(int64(1)),
		"<type 'exceptions.AttributeError'>:'int' object has no attribute 'encode'",
		""},
	{"<struct><i8>99999999999999999999</i8><nil/></struct>", badKey(bigInt("99999999999999999999")),
		"<type 'exceptions.AttributeError'>:'long' object has no attribute 'encode'",
		""},
	{"<struct><boolean>1</boolean><nil/></struct>", badKey(true),
		"<type 'exceptions.AttributeError'>:'bool' object has no attribute 'encode'",
		""},
	{"<struct><double>1</double><nil/></struct>", badKey(1.),
		"<type 'exceptions.AttributeError'>:'float' object has no attribute 'encode'",
		""},
	{"<struct><array/><nil/></struct>", badKey(list()),
		"<type 'exceptions.AttributeError'>:'list' object has no attribute 'encode'",
		"<class 'TypeError'>:unhashable type: 'list'"},
	{"<struct><struct/><nil/></struct>", badKey(xmlrpc.Struct{}),
		"<type 'exceptions.AttributeError'>:'dict' object has no attribute 'encode'",
		"<class 'TypeError'>:unhashable type: 'dict'"},
	{"<struct><base64/><nil/></struct>", badKey(xmlrpc.Binary{}),
		"<type 'exceptions.AttributeError'>:'str' object has no attribute 'write'",
		"<class 'TypeError'>:unhashable type: 'Binary'"},
	{"<struct><dateTime.iso8601/><nil/></struct>", badKey(xmlrpc.DateTime("")),
		"<type 'exceptions.AttributeError'>:'str' object has no attribute 'write'",
		"<class 'TypeError'>:unhashable type: 'DateTime'"},
}
