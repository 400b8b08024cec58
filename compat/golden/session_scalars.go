package golden

import (
	"fmt"
	"strings"
)

var scalarTopics = []topic{
	intTextsSession,
	doubleTextsSession,
	booleanTextsSession,
	base64TextsSession,
	dateTextsSession,
	decimalTextsSession,
	tagsSession,
}

// scalarCall is importone with one value given as markup: the reply shows what was read, or how reading failed.
func scalarCall(n int, markup string) string {
	return marshalCall("importone", fmt.Sprintf("v%d", n), "all", md5A, element("<value>"+markup+"</value>\n"))
}

// scalars adds a call for each text as the content of the tag.
func (s *script) scalars(tag string, texts ...string) {
	for i, text := range texts {
		s.post(fmt.Sprintf("<%s>%s", tag, text), scalarCall(i, "<"+tag+">"+text+"</"+tag+">"))
	}
}

// numberTexts are no ints, or only with good will: Python's int and float allow white space around and Unicode
// digits, and since 3.6 underscores between digits.
var numberTexts = []string{
	"1", "", " ", " 1 ", "\t2", "3\n", "\r4", "&#11;5", "+6", "-7", "+-8", "--9", "+ 1", "- 1", "1 2", "1,000",
	"0x10", "0o7", "0b1",
	"1_000", "_1", "1_", "1__0", "1L", "1l", "1.0", "1.", ".5", ".", "1e3", "1E3", "1e", "e1", "1e+3", "1e-3",
	"nan", "NaN", "inf",
	"-inf", "+inf", "Infinity", "infinit", "1j", "abc", "it's", `say "x"`, `' and "`, `a\b`, `\`, "a\nb", "a\tb",
	"a\rb", "&#13;", "&#0127;", "%s",
	"&lt;1&gt;", "&amp;", "1&#0;", "é", "ÿ1", "1é", "€", "1€", "日", "😀", "1😀", "\u00b2", "\u00bd", "\u2460", "٣",
	"١٢٣", "１２", "१", "1٣", "\U0001d7d9", "\u00a01", "1\u2003", "\u20281",
	"\u200b1", "\u0085\u0031", "\ufeff1", "\u00e9\u20ac", "1<!-- -->2", "<![CDATA[12]]>", "1<?p?>2",
	"0000000000000000000000000", "00", "-0", "1e400",
	"-1e400", "1e-400", "4.9e-324", "2.5e-324", "2.4703282292062327e-324", "1.7976931348623157e308",
	"1.7976931348623159e308",
	"9007199254740993", "0.1", "0.30000000000000004", "1e15", "1e16", "123456789012345678", "1e22", "1e23",
	"100000000000000000000000",
	"5e-5", "0.0001", "0.00001", "-0.0", "0e0", "1e0000000000000000001", "00000000001.5", "1_0.5", "1_0e1_0",
	"0x1p3", "null", "None", "True",
}

func intTextsSession(dialect Dialect) *script {
	s := newScript(dialect, "scalar-int", "What reads as an int and how the fault names what does not.")
	s.scalars("int", numberTexts...)
	long := strings.Repeat("7", 300)
	s.scalars("int", "x"+long, long+"x", " "+long+" ", strings.Repeat("0", 4299)+"1", strings.Repeat("0", 4300)+"1",
		strings.Repeat("9", 4301), "-"+strings.Repeat("9", 4301), strings.Repeat("9", 4301)+"x",
		strings.Repeat("1_", 4301)+"1",
		strings.Repeat("é", 300), strings.Repeat("'", 300))
	s.scalars("i4", "1", "", "x", "1.5", "2147483648", " 1 ", "é")
	s.scalars("i8", "1", "", "x", "1.5", "9223372036854775808", " 1 ", "é")
	return s
}

func doubleTextsSession(dialect Dialect) *script {
	s := newScript(dialect, "scalar-double", "What reads as a double and how the fault names what does not.")
	s.scalars("double", numberTexts...)
	s.scalars("double", strings.Repeat("7", 300), strings.Repeat("7", 310), "x"+strings.Repeat("7", 300),
		"0."+strings.Repeat("3", 1000), strings.Repeat("é", 300), "1e"+strings.Repeat("9", 300),
		"1e-"+strings.Repeat("9", 300))
	return s
}

func booleanTextsSession(dialect Dialect) *script {
	s := newScript(dialect, "scalar-boolean", "A boolean is 0 or 1 and nothing else.")
	s.scalars("boolean", "0", "1", "", " ", " 1", "1 ", "01", "2", "-1", "true", "false", "True", "+1", "1.0",
		"&#49;", "<![CDATA[1]]>",
		"<!-- -->1", "é", "١", "１", "11", "\n1\n", "it's")
	return s
}

func base64TextsSession(dialect Dialect) *script {
	s := newScript(dialect, "scalar-base64",
		"What reads as base64. The value cannot be bound, so that importone says whether it was read at all, and a",
		"filter of export says what.")
	list := []string{
		"", "YQ==", "YWI=", "YWJj", "YQ", "YQ=", "YWI", "Y", "=", "==", "====", "YQ===", "YQ==YQ==", "Y Q = =",
		" Y\nW\tI=\r\n", "Y!W?I=", "YWJj====",
		"YW=Jj", "Y=Q=", "-_-_", "YWJjZ", "YWJjZA", "YWJjZGU", "é", "YQ==é", "éYQ==", "€", "日本", "&#0061;",
		"<![CDATA[YQ==]]>", "it's", "/wA=",
		"////", "++++", strings.Repeat("YWJj", 300), strings.Repeat("YWJj\n", 30), strings.Repeat("A", 1001),
		"\u007f", "Y\u0085Q==", "YQ==\u00a0", "Y.Q.=.=",
	}
	s.scalars("base64", list...)
	for _, text := range []string{"a", "ab", "abc", strings.Repeat("abc", 300)} {
		s.call("a row to be found", "getPR", text, "all", md5A)
	}
	for _, text := range list {
		s.post("export by <base64>"+text,
			marshalCall("export", element("<value><base64>"+text+"</base64></value>"), nil, nil, false))
	}
	return s
}

func dateTextsSession(dialect Dialect) *script {
	s := newScript(dialect, "scalar-datetime",
		"A date is any text, white space around it removed; it is kept as text. It cannot be bound, but is a filter of",
		"export.")
	list := []string{
		"20160226T17:17:24", "", " ", " 20160226T17:17:24 ", "2016-02-26", "x", "\n x\t\n", "&#11;x&#12;", "it's",
		"é", "\u00a0x\u00a0", "\u2003x", "日本", "<![CDATA[ x ]]>", "\u0085x",
		"\u001fx", "&lt;x&gt;",
	}
	s.call("a row to be found", "getPR", "x", "all", md5A)
	s.call("a row to be found", "getPR", "é", "all", md5A)
	s.call("a row to be found", "getPR", "日本", "all", md5A)
	s.call("a row to be found", "getPR", "20160226T17:17:24", "all", md5A)
	s.scalars("dateTime.iso8601", list...)
	for _, text := range list {
		s.post("export by <dateTime.iso8601>"+text,
			marshalCall("export", element("<value><dateTime.iso8601>"+text+"</dateTime.iso8601></value>"), nil, nil,
				false))
	}
	// A date does not end the value, so that the value ends as a string as well.
	s.post("a date is followed by an empty text", scalarCall(0, "<dateTime.iso8601>x</dateTime.iso8601> "))
	s.post("two dates in one value",
		scalarCall(0, "<dateTime.iso8601>x</dateTime.iso8601><dateTime.iso8601>y</dateTime.iso8601>"))
	s.post("a date and another tag", scalarCall(0, "<dateTime.iso8601>x</dateTime.iso8601><other>1</other>"))
	s.post("a date and an int", scalarCall(0, "<dateTime.iso8601>x</dateTime.iso8601><int>1</int>"))
	s.post("an int and a date", scalarCall(0, "<int>1</int><dateTime.iso8601>x</dateTime.iso8601>"))
	return s
}

func decimalTextsSession(dialect Dialect) *script {
	s := newScript(dialect, "scalar-decimal",
		"float and bigdecimal, which only the newer Python knows. A bigdecimal cannot be bound; a filter shows it.")
	list := []string{
		"1", "1.50", "-0", "1e3", "1E+3", "", " 1 ", "x", "nan", "sNaN", "inf", "-Infinity", "1_000", "é", "١",
		"1e999999", "it's", "0x1", "1.", ".5", ".", "NaN123",
		"1e99999999999999999999", strings.Repeat("1", 60), strings.Repeat("1", 4400),
	}
	s.scalars("float", "1", "1.5", "x", "", "inf", "nan", " 2 ")
	s.scalars("bigdecimal", list...)
	for _, name := range []string{"1", "1.50", "1E+3", "-0", "NaN", "Infinity", "-Infinity", "0.5", "1000"} {
		s.call("a row to be found", "getPR", name, "all", md5A)
	}
	for _, text := range list {
		s.post("export by <bigdecimal>"+text,
			marshalCall("export", element("<value><bigdecimal>"+text+"</bigdecimal></value>"), nil, nil, false))
		s.post("colinfo <bigdecimal>"+text,
			marshalCall("export", "none", nil, nil, element("<value><bigdecimal>"+text+"</bigdecimal></value>")))
	}
	return s
}

func tagsSession(dialect Dialect) *script {
	s := newScript(dialect, "tags",
		"Tags within a value: those of the specification, of extensions, prefixed ones, and unknown ones.")
	content := map[string]string{
		"string": "text", "name": "text", "int": "1", "i1": "1", "i2": "2", "i4": "4", "i8": "8", "biginteger": "9",
		"boolean": "1", "double": "1.5", "float": "2.5",
		"bigdecimal": "3.5", "nil": "", "base64": "YQ==", "dateTime.iso8601": "20160226T17:17:24", "value": "text",
		"array":  "<data></data>",
		"struct": "", "data": "", "member": "", "param": "", "params": "", "fault": "", "methodName": "ping",
		"methodCall": "", "methodResponse": "",
		"i3": "1", "i16": "1", "Int": "1", "INT": "1", "integer": "1", "long": "1", "short": "1", "byte": "1",
		"bool": "1", "dateTime": "x",
		"datetime.iso8601": "x", "date": "x", "binary": "x", "null": "", "none": "", "text": "x", "str": "x",
		"int.": "1", "_": "1", "é": "1", "日": "1", "x-y": "1", "a.b": "1",
	}
	for i, tag := range sortedKeys(content) {
		for _, prefix := range []string{"", "ex:", "a:b:", "int:"} {
			s.post("<"+prefix+tag+">", scalarCall(i, "<"+prefix+tag+">"+content[tag]+"</"+prefix+tag+">"))
		}
	}
	for i, markup := range []string{
		"<:int>1</:int>", "<int:>1</int:>", "<ex:int xmlns:ex='urn:x'>1</ex:int>", "<int xmlns='urn:x'>1</int>",
		"<int type='x'>1</int>", "<int\n>1</int\n>", "<int/>", "<string/>", "<nil>x</nil>",
		"<nil></nil>", "<nil> </nil>", "<nil/>text", "text<nil/>", "<int>1</int>text", "text<int>1</int>",
		" <int>1</int> ", "<int>1</int><int>2</int>",
		"<int>1<int>2</int></int>", "<int>1<b>2</b></int>", "<int>1<b/>2</int>", "<string>a<b>c</b>d</string>",
		"<string>a<int>1</int>b</string>", "<string>a<value>c</value>b</string>",
		"<x><int>1</int></x>", "<x/>", "<x/><int>1</int>", "<int>1</int><x/>", "a<x/>b", "<x>a</x>b", "<array/>",
		"<struct/>", "<data/>", "<array>text</array>",
		"<value>text</value>", "<value/>", "<value><value><int>1</int></value></value>",
		"<value>1</value><value>2</value>", "<name>n</name>", "<member/>",
	} {
		s.post(markup, scalarCall(i+1000, markup))
	}
	return s
}
