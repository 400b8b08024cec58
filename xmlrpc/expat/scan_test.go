package expat_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"prserver/xmlrpc/expat"
)

// place is where expat 2.2.8 (Python 2.7) and 2.5.0 (Python 3.8), which agree
// on all of these, find a document to end being XML.
type place struct {
	body         string
	line, column int
}

// TestScanErrors holds expat's words against ours. The places were recorded
// from both Pythons' xmlrpclib.loads.
func TestScanErrors(t *testing.T) {
	for _, word := range notXML {
		for _, p := range word.places {
			want := fmt.Sprintf("%s: line %d, column %d", word.reason, p.line, p.column)
			for _, looseNames := range []bool{true, false} {
				err := expat.Scan([]byte(p.body), &view{}, looseNames)
				var syntax *expat.SyntaxError
				if !errors.As(err, &syntax) {
					t.Errorf("loose names %v: %q: got %v, want a SyntaxError: %s", looseNames, p.body, err, want)
				} else if got := syntax.Error(); got != want {
					t.Errorf("loose names %v: %q:\n got  %s\n want %s", looseNames, p.body, got, want)
				}
			}
		}
	}
}

var notXML = []struct {
	reason string
	places []place
}{
	{"no element found", []place{
		{"", 1, 0}, {" ", 1, 1}, {"\n\n  ", 3, 2}, {"\r\n\r\n", 3, 0}, {"\r\r ", 3, 1}, {"\ufeff", 1, 1},
		{"\ufeff ", 1, 2}, {"<!-- c -->", 1, 10}, {"<?p q?>\r\n", 2, 0}, {"<?xml version='1.0'?>\n", 2, 0},
		{"<a>", 1, 3}, {"<a>\n x", 2, 2}, {"<a>\r", 1, 3}, {"<a>\r\n", 2, 0}, {"<a>x\r", 1, 4}, {"<a>éé", 1, 5},
		{"<a><b></b>", 1, 10}, {"<a>]", 1, 4}, {"<a>]]", 1, 5}, {"<a><![CDATA[]]>", 1, 15}, {"\xfe\xff", 1, 1},
		{"\xff\xfe", 1, 1}, {"\xfe\xff\x00<\x00a\x00>\x00\xe9", 1, 5},
	}},
	{"syntax error", []place{
		{"x", 1, 0}, {"x y", 1, 0}, {"<![CDATA[x]]>", 1, 0}, {"<!ELEMENT a ANY>", 1, 0}, {"[", 1, 0}, {"]", 1, 0},
		{"]x", 1, 0}, {">", 1, 0}, {"(", 1, 0}, {")", 1, 0}, {")*", 1, 0}, {"|", 1, 0}, {",", 1, 0}, {"#x ", 1, 0},
		{"'lit' ", 1, 0}, {"\"lit\">", 1, 0}, {"% ", 1, 0}, {"%%", 1, 0}, {"1x ", 1, 0}, {".x>", 1, 0}, {"é ", 1, 0},
		{"· ", 1, 0}, {"x* ", 1, 0}, {"x+", 1, 0}, {"ping", 1, 0}, {"<!-- c -->x", 1, 10}, {"<?p?>\n\nx", 3, 0},
		{"\ufeffx", 1, 1}, {"<![INCLUDE[", 1, 0}, {"<!x%a;", 1, 0}, {"'x'", 1, 0}, {"name|", 1, 0},
	}},
	{"illegal parameter entity reference", []place{
		{"%a;", 1, 0}, {"\n %a;<a/>", 2, 1}, {"%é;", 1, 0},
	}},
	{"not well-formed (invalid token)", []place{
		{"&amp;<a/>", 1, 0}, {"&", 1, 0}, {"{}", 1, 0}, {"\x01", 1, 0}, {"\n \x1f", 2, 1}, {"< a/>", 1, 1},
		{"<>", 1, 1}, {"</a>", 1, 1}, {"<1/>", 1, 1}, {"<-/>", 1, 1}, {"<.a/>", 1, 1}, {"<·/>", 1, 1},
		{"<a\x01/>", 1, 2}, {"<a&/>", 1, 2}, {"<a b/>", 1, 4}, {"<a b=c/>", 1, 5}, {"<a b='c'd='e'/>", 1, 8},
		{"<a b='<'/>", 1, 6}, {"<a b='\x01'/>", 1, 6}, {"<a b='&'/>", 1, 7}, {"<a/ >", 1, 3}, {"<a //>", 1, 4},
		{"<a><b></b/></a>", 1, 9}, {"<a></a b='c'>", 1, 7}, {"<a></ a>", 1, 5}, {"<a>&</a>", 1, 4},
		{"<a>& b</a>", 1, 4}, {"<a>&;</a>", 1, 4}, {"<a>&#;</a>", 1, 5}, {"<a>&#x;</a>", 1, 6},
		{"<a>&#xg;</a>", 1, 6}, {"<a>&#1x;</a>", 1, 6}, {"<a>&#X41;</a>", 1, 5}, {"<a>&1;</a>", 1, 4},
		{"<a>&a b;</a>", 1, 5}, {"<a>\n]]></a>", 2, 2}, {"<a>x]]]></a>", 1, 7}, {"<a><!x></a>", 1, 5},
		{"<a><!-x--></a>", 1, 6}, {"<a><!-- -- --></a>", 1, 10}, {"<a><!-- ---></a>", 1, 10},
		{"<a><!--\x0c--></a>", 1, 7}, {"<a><![CDATx[]]></a>", 1, 10}, {"<a><![cdata[x]]></a>", 1, 6},
		{"<a><![CDATA[\x02]]></a>", 1, 12}, {"<a><? p?></a>", 1, 5}, {"<a><?1?></a>", 1, 5}, {"<a><?p+?></a>", 1, 6},
		{"<a><?p?q?></a>", 1, 7}, {"<a><?p \x01?></a>", 1, 7}, {"<a><?XML?></a>", 1, 8},
		{"<?XmL version='1.0'?><a/>", 1, 5}, {"<?p?q?><a/>", 1, 4}, {"<?p+?><a/>", 1, 3}, {"<a>\xff</a>", 1, 3},
		{"<a>\x80</a>", 1, 3}, {"<a>\xc0\x80</a>", 1, 3}, {"<a>\xc3(</a>", 1, 3}, {"<a>\xe0\x9f\xbf</a>", 1, 3},
		{"<a>\xed\xa0\x80</a>", 1, 3}, {"<a>\ufffe</a>", 1, 3}, {"<a>\uffff</a>", 1, 3},
		{"<a>\xf0\x8f\xbf\xbf</a>", 1, 3}, {"<a>\xf4\x90\x80\x80</a>", 1, 3}, {"<a>\xf5\x80\x80\x80</a>", 1, 3},
		{"<a>x\xe2(\xa1</a>", 1, 4}, {"'x'y", 1, 3}, {"x!", 1, 1}, {"1x*", 1, 2}, {"#1", 1, 1}, {"#x!", 1, 2},
		{"%a ", 1, 2}, {")x", 1, 1}, {"<!1", 1, 2}, {"<!x;", 1, 3}, {"<!x% ", 1, 3}, {"<!é>", 1, 2}, {"x\xff", 1, 1},
		{"\xfe\xff\x00<\x00a\x00>\x00\x01\x00<\x00/\x00a\x00>", 1, 4},
		{"\xfe\xff\x00<\x00a\x00>\xff\xfe\x00<\x00/\x00a\x00>", 1, 4}, {"\n  x<a/>", 2, 3}, {"<!x>", 1, 3},
		{"<a/><!x>", 1, 7},
	}},
	{"mismatched tag", []place{
		{"<a></b>", 1, 5}, {"<a>\n  </b>", 2, 4}, {"<a><b></a></b>", 1, 8}, {"<a></A>", 1, 5}, {"<a></ab>", 1, 5},
		{"<ab></a>", 1, 6}, {"<é></e>", 1, 5}, {"<a>é\r\né\ré</b>", 3, 3}, {"<a\r\nb='c'></c>", 2, 8},
		{"\xff\xfe<\x00a\x00>\x00\xe9\x00<\x00/\x00b\x00>\x00", 1, 7},
	}},
	{"junk after document element", []place{
		{"<a/>x", 1, 4}, {"<a/>\n <b/>", 2, 1}, {"<a></a><a></a>", 1, 7}, {"<a/><![CDATA[]]>", 1, 4},
		{"<a/><?xml version='1.0'?>", 1, 4}, {"<a/>'x' ", 1, 4}, {"<a/>%a;", 1, 4}, {"<a/>[", 1, 4}, {"<a/>]", 1, 4},
		{"<a/>1 ", 1, 4}, {"<a/>\r\rx", 3, 0}, {"<a>é</a>é ", 1, 8},
	}},
	{"unclosed token", []place{
		{"<", 1, 0}, {"\n <", 2, 1}, {"<a", 1, 0}, {"<a ", 1, 0}, {"<a b", 1, 0}, {"<a b=", 1, 0}, {"<a b='", 1, 0},
		{"<a b='c'", 1, 0}, {"<a b='&", 1, 0}, {"<a b='&lt", 1, 0}, {"<a/", 1, 0}, {"<a></", 1, 3}, {"<a></a", 1, 3},
		{"<a></a ", 1, 3}, {"<a></b", 1, 3}, {"<a>&", 1, 3}, {"<a>&a", 1, 3}, {"<a>&#", 1, 3}, {"<a>&#x", 1, 3},
		{"<a>&#65", 1, 3}, {"<a><", 1, 3}, {"<a>\n<b", 2, 0}, {"<!", 1, 0}, {"<!-", 1, 0}, {"<!--", 1, 0},
		{"<!-- -", 1, 0}, {"<!-- --", 1, 0}, {"<!x", 1, 0}, {"<?", 1, 0}, {"<?p", 1, 0}, {"<?p ", 1, 0},
		{"<?p ?", 1, 0}, {"<?p?", 1, 0}, {"<a><!", 1, 3}, {"<a><!-", 1, 3}, {"<a><!-- x", 1, 3}, {"<a><![", 1, 3},
		{"<a><![CDATA", 1, 3}, {"<a><?", 1, 3}, {"<a><?p", 1, 3}, {"'x", 1, 0}, {"\"", 1, 0}, {"]]", 1, 0},
		{"#", 1, 0}, {"%", 1, 0}, {"%a", 1, 0}, {"<a/>\n<!-- x", 2, 0}, {"<a/><", 1, 4}, {"<a/><?p", 1, 4},
		{"<?xml version='1.0'", 1, 0}, {"\xef", 1, 0}, {"\xef\xbb", 1, 0}, {"\xfe", 1, 0}, {"\x00", 1, 0},
		{"\x00<\x00a\x00>\x00", 1, 3}, {"\xff\xfe<\x00a\x00>\x00\xe9\x00<\x00/\x00a\x00", 1, 5}, {"\x00", 1, 0},
	}},
	{"undefined entity", []place{
		{"<a>&b;</a>", 1, 3}, {"<a>\n\n &b.c-d;</a>", 3, 1}, {"<a>&LT;</a>", 1, 3}, {"<a>&nbsp;</a>", 1, 3},
		{"<a>&é;</a>", 1, 3}, {"<a b='&c;'/>", 1, 0}, {"<a>\n<b c='x' d='&e;'/></a>", 2, 0},
		{"<?xml version='1.0' standalone='yes'?><a>&b;</a>", 1, 41}, {"<a b='&x;' b=''/>", 1, 0},
	}},
	{"duplicate attribute", []place{
		{"<a b='' b=''/>", 1, 8}, {"<a\n b='c'\n  d='e'\n   b='f'/>", 4, 3}, {"<a é='' é=''/>", 1, 8},
		{"<a b='' b='&x;'/>", 1, 8},
	}},
	{"partial character", []place{
		{"<a>\xc3", 1, 3}, {"<a>\xe2\x82", 1, 3}, {"<a>\xf0\x9f\x98", 1, 3}, {"<a>é\n日\xc3", 2, 1},
		{"\xe2\x82", 1, 0}, {"<\xc3", 1, 0}, {"<a b='\xc3", 1, 0}, {"<!-- \xc3", 1, 0}, {"<?p \xc3", 1, 0},
		{"<a/>\xc3", 1, 4}, {"x\xc3", 1, 0}, {"'\xe2", 1, 0},
	}},
	{"unclosed CDATA section", []place{
		{"<a><![CDATA[", 1, 12}, {"<a><![CDATA[x", 1, 13}, {"<a>\n<![CDATA[x]", 2, 10}, {"<a><![CDATA[x]]", 1, 13},
		{"<a><![CDATA[\r", 1, 12}, {"<a><![CDATA[\r\n", 2, 0}, {"<a><![CDATA[]]]", 1, 13},
	}},
	{"reference to invalid character number", []place{
		{"<a>&#0;</a>", 1, 3}, {"<a>&#1;</a>", 1, 3}, {"<a>&#x1F;</a>", 1, 3}, {"<a>&#xD800;</a>", 1, 3},
		{"<a>&#57343;</a>", 1, 3}, {"<a>&#xFFFE;</a>", 1, 3}, {"<a>&#xFFFF;</a>", 1, 3}, {"<a>&#x110000;</a>", 1, 3},
		{"<a>\n &#99999999999999999999;</a>", 2, 1}, {"<a b='&#0;'/>", 1, 6}, {"<a>\n<b c='x&#0;'/></a>", 2, 7},
	}},
	{"XML declaration not well-formed", []place{
		{"<?xml?><a/>", 1, 5}, {"<?xml ?><a/>", 1, 5}, {"<?xml version=1.0?><a/>", 1, 14},
		{"<?xml version='1.0'encoding='utf-8'?><a/>", 1, 19}, {"<?xml version='1 0'?><a/>", 1, 16},
		{"<?xml version='1:0'?><a/>", 1, 16}, {"<?xml version='1.0' ?x?><a/>", 1, 22},
		{"<?xml encoding='utf-8'?><a/>", 1, 6}, {"<?xml version='1.0' encoding=''?><a/>", 1, 30},
		{"<?xml version='1.0' encoding='1'?><a/>", 1, 30}, {"<?xml version='1.0' standalone='maybe'?><a/>", 1, 32},
		{"<?xml version='1.0' standalone='yes' encoding='utf-8'?><a/>", 1, 37},
		{"<?xml version='1.0' standalone='no' x?><a/>", 1, 36}, {"<?xml\nversion='1.0'\n y='1'?><a/>", 3, 1},
		{"<?xml é='1'?><a/>", 1, 6}, {"<?xml version?><a/>", 1, 13}, {"<?xml version='1.0?><a/>", 1, 18},
		{"<?xml version '1.0'?><a/>", 1, 14}, {"<?xml ='1.0'?><a/>", 1, 6},
		{"<?xml version='1.0' version='1.0'?><a/>", 1, 20},
	}},
	{"XML or text declaration not at start of entity", []place{
		{" <?xml version='1.0'?><a/>", 1, 1}, {"\n<?xml version='1.0'?><a/>", 2, 0},
		{"<!-- --><?xml version='1.0'?><a/>", 1, 8}, {"<?xml version='1.0'?><?xml version='1.0'?><a/>", 1, 21},
		{"<a>\n <?xml version='1.0'?></a>", 2, 1}, {"<a><?xml?></a>", 1, 3}, {"<a><?xml x?></a>", 1, 3},
	}},
	{"encoding specified in XML declaration is incorrect", []place{
		{"<?xml version='1.0' encoding='UTF-16'?><a/>", 1, 30},
		{"<?xml version='1.0'\n encoding='utf-16le'?><a/>", 2, 11},
		{"\xfe\xff\x00<\x00?\x00x\x00m\x00l\x00 \x00v\x00e\x00r\x00s\x00i\x00o\x00n\x00=\x00'\x001\x00.\x000\x00'\x00 \x00e\x00n\x00c\x00o\x00d\x00i\x00n\x00g\x00=\x00'\x00U\x00T\x00F\x00-\x008\x00'\x00?\x00>\x00<\x00a\x00/\x00>", 1, 31},
		{"\xfe\xff\x00<\x00?\x00x\x00m\x00l\x00 \x00v\x00e\x00r\x00s\x00i\x00o\x00n\x00=\x00'\x001\x00.\x000\x00'\x00 \x00e\x00n\x00c\x00o\x00d\x00i\x00n\x00g\x00=\x00'\x00u\x00t\x00f\x00-\x001\x006\x00l\x00e\x00'\x00?\x00>\x00<\x00a\x00/\x00>", 1, 31},
	}},
}

// TestScanText tells what becomes of the text of documents that are XML.
func TestScanText(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{"<a>x</a>", "<a>x</a>"},
		{"<a/>", "<a></a>"},
		{"<a ><b\t/>\n</a\r\n>", "<a><b></b>\n</a>"},
		{" \r\n<!-- c --><?p q?> <a/> <!-- c --><?p?>\n", "<a></a>"},
		{"<a>1\r\n2\r3\n4\r\r\n5</a>", "<a>1\n2\n3\n4\n\n5</a>"},
		{"<a>&#13;&#10;&#xd;</a>", "<a>\r\n\r</a>"},
		{"<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x4a;&#x4A;</a>", `<a><>&"'AJJ</a>`},
		{"<a>&#xe9;&#233;&#x1F600;&#x10FFFF;&#xFFFD;&#9;</a>", "<a>éé😀\U0010ffff\ufffd\t</a>"},
		{"<a>&#0000000000000000000000065;</a>", "<a>A</a>"},
		{"<a>x<!-- y -->z<?p q?>w</a>", "<a>xzw</a>"},
		{"<a><!----><!-- - -></a> --><!-- \xc3\xa9 --></a>", "<a></a>"},
		{"<a><?p?><?p ??><?p ?q? ?></a>", "<a></a>"},
		{"<a><?xml-style x?><?é?><?a:b?></a>", "<a></a>"},
		{"<a><![CDATA[]]></a>", "<a></a>"},
		{"<a>1<![CDATA[<&amp;]]>2</a>", "<a>1<&amp;2</a>"},
		{"<a><![CDATA[]]]]>&gt;<![CDATA[x\r\ny\rz]]]></a>", "<a>]]>x\ny\nz]</a>"},
		{"<a>]]x]&gt;]</a>", "<a>]]x]>]</a>"},
		{"<a>é日本😀\u0085\u2028\x7f</a>", "<a>é日本😀\u0085\u2028\x7f</a>"},
		{"<a b='c' d=\"e'\"\nf = '&lt;&#65;>\r\n'/>", "<a></a>"},
		{"<a xmlns='u' xmlns:b='v' b:c='' c=''><b:d:e/><:/><_.-·/></a>", "<a><b:d:e></b:d:e><:></:><_.-·></_.-·></a>"},
		{"<é日><A0/></é日>", "<é日><A0></A0></é日>"},
		{"\xef\xbb\xbf<a/>", "<a></a>"},
		{"<?xml version='1.0'?><a/>", "<a></a>"},
		{"<?xml\nversion = \"9.x\"\tencoding = 'uTf-8' standalone='no' ?>\n<a>é</a>", "<a>é</a>"},
		{"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9\x80\xff</a>", "<a>é\u0080ÿ</a>"},
		{"<?xml version='1.0' encoding='Latin-1'?><\xe9/>", "<é></é>"},
		{"<?xml version='1.0' encoding='us-ascii'?><a>&#233;</a>", "<a>é</a>"},
		{wide(binary.BigEndian, "\ufeff<a>é日😀\r\n</a>"), "<a>é日😀\n</a>"},
		{wide(binary.LittleEndian, "\ufeff<é日>x</é日>"), "<é日>x</é日>"},
		{wide(binary.BigEndian, "<a>é</a>"), "<a>é</a>"},
		{wide(binary.LittleEndian, "<?xml version='1.0' encoding='utf-16'?><a>é</a>"), "<a>é</a>"},
		{wide(binary.LittleEndian, "<?xml version='1.0' encoding='UTF-16LE'?><a>é</a>"), "<a>é</a>"},
	} {
		v := ourView([]byte(test.body))
		if got := strings.Join(v.events, ""); v.err != nil || got != test.want {
			t.Errorf("%q:\n got  %q, %v\n want %q", test.body, got, v.err, test.want)
		}
	}
}

// TestDoctype pins that no DOCTYPE is read, whatever it declares.
func TestDoctype(t *testing.T) {
	for _, body := range []string{
		"<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<?xml version='1.0'?>\n<!-- --><!DOCTYPE\na>", "<!DOCTYPE ",
	} {
		if err := ourView([]byte(body)).err; !errors.Is(err, expat.ErrDoctype) {
			t.Errorf("%s: got %v, want ErrDoctype", body, err)
		}
	}
}

// wide writes text in UTF-16.
func wide(order binary.AppendByteOrder, text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}
