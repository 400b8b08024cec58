package golden

import (
	"fmt"
	"strings"
)

var xmlTopics = []topic{
	xmlTruncatedSession,
	xmlEmptySession,
	xmlTokensSession,
	xmlTagsSession,
	xmlReferencesSession,
	xmlPositionsSession,
	xmlDeclarationSession,
	xmlEncodingSession,
	xmlCodecsSession,
	xmlDoctypeSession,
}

// within puts markup into the text of a small call, on the second line.
func within(markup string) string {
	return "<methodCall>\n<methodName>ping" + markup + "</methodName></methodCall>"
}

func xmlTruncatedSession(dialect Dialect) *script {
	s := newScript(dialect, "xml-truncated", "A small call, cut off after every byte.")
	whole := "<?xml version='1.0'?>\n<!-- é --><methodCall a=\"b\">\n" +
		"<methodName>pi&amp;n<![CDATA[g]]></methodName><?p q?>\n</methodCall>\n"
	for n := range len(whole) {
		s.post(fmt.Sprintf("%d of %d bytes", n, len(whole)), whole[:n])
	}
	return s
}

func xmlEmptySession(dialect Dialect) *script {
	s := newScript(dialect, "xml-empty", "Bodies without an element, and with more than one.")
	for _, body := range []string{
		"", " ", "\n", "\r\n\r\n", "\t \n ", "x", " x", "\nx", "ping", "\x00", "\x00\x00\x00\x00", "<", "<>", "< >",
		"</>", "</a>", "<!", "<!-", "<!--", "<!---", "<!-- -", "<!-- --", "<!-- -->", "<?", "<?>", "<??>", "<? ?>",
		"<?x", "<?x ", "<?x ?", "<?x ?>", "<![CDATA[x]]>", "<!x>", "&amp;", "&#65;", "]]>", "<a/>x", "<a/> x",
		"<a/>\n\nx", "<a/><b/>", "<a/>\n<b/>", "<a></a><a></a>", "<a/></a>", "<a/><!-- -->", "<a/><?p?>", "<a/><",
		"<a/><!", "<a/><!-- x", "<a/><?p",
		"<a/>&amp;", "<a/>&#32;", "<a/><![CDATA[]]>", "<a/>\x00", "<a/>\x01", "<a/>é", "x<a/>", " \n <a/>",
		"\xef\xbb\xbf<a/>", "\xef\xbb\xbf", "\xef\xbb", "\xef\xbb\xbf x", "<a/>\xef\xbb\xbf", "\xfe\xff",
		"\xff\xfe", "\xff", "\xfe", "\xfe\xff\x00", "{\"method\": \"ping\"}",
		"method=ping", "GET / HTTP/1.0\r\n\r\n", strings.Repeat(" ", 2000), strings.Repeat("\n", 500),
		strings.Repeat("x", 3000),
	} {
		s.post(fmt.Sprintf("%q", body), body)
	}
	return s
}

func xmlTokensSession(dialect Dialect) *script {
	s := newScript(dialect, "xml-tokens",
		"Characters and sequences that may not stand in text, comments, CDATA and instructions.")
	for c := range 0x20 {
		s.post(fmt.Sprintf("control character 0x%02x", c), within("é"+string(rune(c))+"x"))
	}
	for _, bytes := range []string{
		"\x7f", "\x80", "\xbf", "\xc0", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x20", "\xc2\x7f", "\xc2\x80",
		"\xc3\xa9", "\xc3\xa9\xa9", "\xdf\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe0\xa0\x80", "\xe2\x82",
		"\xe2\x82x", "\xe2x", "\xed\x9f\xbf",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xef\xbf\xbe", "\xef\xbf\xbf",
		"\xef\xb7\x90", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80\x80", "\xf0\x9f\x98\x80",
		"\xf0\x9f\x98", "\xf0\x9f\x98x", "\xf0\x9f", "\xf4\x8f\xbf\xbf",
		"\xf4\x8f\xbf\xbe", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf7\xbf\xbf\xbf", "\xf8\x88\x80\x80\x80",
		"\xfc", "\xfe", "\xff", "\xe9", "caf\xe9", "\xa0",
	} {
		s.post(fmt.Sprintf("bytes %x in text", bytes), within("é"+bytes+"x"))
		s.post(fmt.Sprintf("bytes %x in a comment", bytes), within("<!--é"+bytes+"-->"))
		s.post(fmt.Sprintf("bytes %x in an attribute", bytes), within("<a b='é"+bytes+"'/>"))
	}
	for _, bytes := range []string{"\x01", "\xc3", "\xff", "\xef\xbf\xbe"} {
		s.post(fmt.Sprintf("bytes %x in CDATA", bytes), within("<![CDATA["+bytes+"]]>"))
		s.post(fmt.Sprintf("bytes %x in an instruction", bytes), within("<?p "+bytes+"?>"))
		s.post(fmt.Sprintf("bytes %x in a name", bytes), within("<a"+bytes+"/>"))
		s.post(fmt.Sprintf("bytes %x in an attribute name", bytes), within("<a b"+bytes+"=''/>"))
		s.post(fmt.Sprintf("bytes %x between tags", bytes), "<a>"+bytes+"</a>")
		s.post(fmt.Sprintf("bytes %x at the very end", bytes), "<a/>\n"+bytes)
	}
	for _, markup := range []string{
		"]]>", "x]]>y", "]]]>", "]]", "]]x>", "]]\n>", "<!-- -- -->", "<!-- --->", "<!---->", "<!--->",
		"<!-- x --y -->", "<!-x-->", "<! -- x -->", "<!-- \n\n -- -->", "<!--x--", "<!--\n", "<!-- < & > -->",
		"<![CDATA[", "<![CDATA[x", "<![CDATA[x]", "<![CDATA[x]]",
		"<![CDATA[x]]]]>", "<![CDATA[x]]>]]>", "<![cdata[x]]>", "<![CDATA [x]]>", "<![ CDATA[x]]>", "<![CDATAx]]>",
		"<![CDAT[x]]>", "<![", "<![INCLUDE[x]]>", "<!ELEMENT a ANY>", "<!x", "<!", "<?", "<?p", "<?p ", "<?p x",
		"<?p x?", "<?p?x?>", "<?p x? >", "<? p?>", "<?1?>",
		"<?p\n?>", "<?p q=?>", "<?xml?>", "<?xml version='1.0'?>", "<?XML?>", "<?Xml x?>", "<?xMl x?>", "<?xmlx?>",
		"<?xml-style x?>", "<?é?>", "<?p:q?>", "<?:?>", "<?p\u00d7?>",
	} {
		s.post(markup, within(markup))
		s.post("at the start: "+markup, markup+"<methodCall><methodName>ping</methodName></methodCall>")
	}
	return s
}

func xmlTagsSession(dialect Dialect) *script {
	s := newScript(dialect, "xml-tags", "Tags and attributes that are not well-formed, and some that are.")
	for _, markup := range []string{
		"<a>", "</a>", "<a></b>", "<a></A>", "<a></a ></a>", "<a/ >", "<a//>", "</a/>", "</ a>", "< a/>",
		"<a><b></a></b>", "<a></a b>", "<a></a b='c'>", "<a\n/>", "<a\t\r\n/>", "<a><a><a></a></a>", "<a", "<a ",
		"<a b", "<a b=", "<a b='", "<a b='c", "<a b='c'", "<a b='c' ", "<a b='c'/", "</", "</a", "</a ",
		"<1/>", "<-/>", "<./>", "<_/>", "<:/>", "<a:b/>", "<a:b:c/>", "<:a/>", "<a:/>", "<a.b-c_1/>", "<a!/>",
		"<a$/>", "<a,b/>", "<a;/>", "<a\u00b7/>", "<\u00b7/>", "<é/>", "<日本/>", "<aé/>", "<\u00d7/>", "<a\u00d7/>",
		"<\u0300a/>", "<a\u0300/>", "<\u0132/>", "<\u0133/>", "<\u037e/>", "<\u1e00/>", "<\u2160/>", "<\u3007/>",
		"<\uac00/>",
		"<\uf900/>", "<😀/>", "<a😀/>", "<\u0e33/>", "<\u0660/>", "<a\u0660/>", "<a\u200d/>", "<a\u2040/>", "<'a'/>",
		"<\"a\"/>", "<a'b/>", "<a<b/>", "<a<b></a>", "<a &amp;/>", "<a>b</a", "<a>&lt;</a>", "<a/><b/", "<a b/>",
		"<a b>", "<a b=/>", "<a b=c/>", "<a b=1/>", "<a b=c'd'/>", "<a b='c'd='e'/>", "<a b='c'd/>", "<a b='c' d/>",
		"<a b = 'c'/>", "<a b\n=\n'c'/>",
		"<a b='c\"/>", "<a b=\"c'/>", "<a b=''/>", "<a b=\"\"/>", "<a b='c' b='d'/>", "<a b='c'\n  b='d'/>",
		"<a b='1' c='2' b='3'/>", "<a b='1' B='2'/>", "<a é='1' é='2'/>", "<a b='<'/>", "<a b='x<y'/>",
		"<a b='\n<'/>", "<a b='>'/>", "<a b='&'/>", "<a b='&amp'/>", "<a b='&amp;&lt;&#65;'/>", "<a b='&x;'/>",
		"<a b='&#0;'/>", "<a b='&#xD800;'/>", "<a b='&#x110000;'/>", "<a b='&;'/>", "<a b='& '/>",
		"<a b='&#;'/>", "<a b='&#x;'/>", "<a 1='x'/>", "<a -='x'/>", "<a .b='x'/>", "<a :='x'/>", "<a b:c='x'/>",
		"<a b:c:d='x'/>", "<a xmlns='x'/>", "<a xmlns=''/>", "<a xmlns:b=''/>", "<a xmlns:xml='x'/>",
		"<a xml:lang='x'/>", "<a xml:space='x'/>", "<a b\u00d7='x'/>", "<a é='x'/>", "<a 日='x'/>", "<a ='x'/>",
		"<a 'x'/>", "<a b=='x'/>", "<a b='x''y'/>", "<a b='x',c='y'/>", "<a b='x';/>",
		"<a b='x'/ >", "<a/b='x'>", "<a\x00/>", "<a b='\x01'/>", "<a b='\t\r\n'/>",
		"<a b='" + strings.Repeat("x", 2000) + "'/>", "<" + strings.Repeat("a", 2000) + "/>",
		"<" + strings.Repeat("a", 2000) + ">", "<a" + strings.Repeat(" b", 100) + "/>",
		"<a" + attributes(50) + "/>", "<a" + attributes(50) + " a7=''/>",
	} {
		s.post(markup, within(markup))
	}
	for _, body := range []string{
		"<methodCall><methodName>ping</methodname></methodCall>", "<methodCall>\n<methodName>ping\n</methodCall>",
		"<methodCall>\n  <methodName>ping</methodName>\n</methodCal>",
		"<methodCall><methodName>ping</methodName></methodCall></methodCall>",
		"<methodCall><methodName>ping</methodName>", "<methodCall><methodName>ping",
		"<methodCall><methodName>ping</methodName></methodCall", "<a:b></a:c>", "<a:b></b>", "<é></e>",
		"<日本>\n</日>", "<a>\né</b>", "<a>é😀</b>", "<a>\n\n\n</b>", "<a>\r\n\r\n</b>", "<a>\r\r</b>", "<a>\t</b>",
	} {
		s.post(body, body)
	}
	return s
}

func attributes(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, " a%d='%d'", i, i)
	}
	return out.String()
}

func xmlReferencesSession(dialect Dialect) *script {
	s := newScript(dialect, "xml-references", "Entity and character references, good and bad, in text.")
	for _, markup := range []string{
		"&", "& ", "&;", "&amp", "&amp ", "&amp;", "&AMP;", "&am;", "&lt;", "&gt;", "&apos;", "&quot;", "&nbsp;",
		"&eacute;", "&copy;", "&x;", "&x", "&x y;", "&1;", "&-;", "&.;", "&_;", "&:;", "&a:b;", "&é;", "&日;",
		"&\u00d7;", "&x\n;", "&&", "&&amp;", "&<", "&#", "&#;", "&#x;", "&#X41;", "&#x41;", "&#65;", "&#065;",
		"&#x00000000000041;", "&#65", "&#65 ;", "&# 65;", "&#-1;", "&#+65;",
		"&#6x5;", "&#x4g;", "&#xg;", "&#a;", "&#0;", "&#x0;", "&#1;", "&#8;", "&#9;", "&#10;", "&#11;", "&#13;",
		"&#31;", "&#32;", "&#127;", "&#128;", "&#159;", "&#160;", "&#xD7FF;", "&#xD800;", "&#xDBFF;", "&#xDC00;",
		"&#xDFFF;", "&#xE000;", "&#xFFFD;", "&#xFFFE;", "&#xFFFF;", "&#x10000;", "&#x1FFFE;", "&#x10FFFF;",
		"&#x110000;", "&#1114111;", "&#1114112;", "&#x7FFFFFFF;", "&#x80000000;",
		"&#x100000041;", "&#4294967361;", "&#99999999999999999999;", "&#xd83d;&#xde00;", "%x;", "%", "&#37;",
		"&#38;amp;", "&#60;a>", "&#60;/a>", "&amp;#65;", "a&b", "a&amp;b&c;d", "\n\n  &bad;", "é€&bad;", "😀&#0;",
		"&amp\n;",
	} {
		s.post(markup, within(markup))
	}
	s.post("a reference before the root", "&amp;<methodCall/>")
	s.post("a reference after the root", "<methodCall/>&amp;")
	s.post("an undefined entity, standalone", "<?xml version='1.0' standalone='yes'?><methodCall>&x;</methodCall>")
	return s
}

func xmlPositionsSession(dialect Dialect) *script {
	s := newScript(dialect, "xml-positions",
		"One and the same error at many places: how lines and columns are counted.")
	for _, before := range []string{
		"", " ", "x", "\n", "\r", "\r\n", "\n\r", "\r\r\n\n", "\t", "\t\t", "a\tb", "é", "éé", "€", "日本語", "😀",
		"😀é€x", "e\u0301", "\ufeff", "\u0085", "\u2028", "\u00a0", "é\né", "😀\r😀", "&amp;", "&#10;", "&#13;",
		"&#x1F600;", "<b/>", "<b\n/>", "<b c='\n'/>", "<b c='\r\n'/>", "<b c='é\r'/>", "<!-- \n -->",
		"<!-- é\r\n😀 -->", "<?p \n?>", "<![CDATA[\n]]>", "<![CDATA[\r\r\n é]]>", "<![CDATA[]]>",
		"]", "]]", "]\n]", strings.Repeat("\n", 100), strings.Repeat("\r\n", 100), strings.Repeat("\r", 100),
		strings.Repeat("x", 1500), strings.Repeat("é", 1500), strings.Repeat("😀", 1000), strings.Repeat("x\n", 700),
		strings.Repeat("é\r\n", 500),
	} {
		about := fmt.Sprintf("%.40q, then ", before)
		s.post(about+"&;", "<a>"+before+"&;</a>")
		s.post(about+"a wrong end tag", "<a>"+before+"</b>")
		s.post(about+"the end", "<a>"+before)
		s.post(about+"an undefined entity", "<a>"+before+"&x;</a>")
		s.post(about+"a bad character", "<a>"+before+"\x01</a>")
	}
	for _, before := range []string{"\n", "\r\n", "\r", "\t", "<!-- é -->", "<!--\n-->\r\n", "<?p é?>\r", "\n\n\n  "} {
		about := fmt.Sprintf("after the root and %q, ", before)
		s.post(about+"text", "<a/>"+before+"x")
		s.post(about+"an element", "<a/>"+before+"<b/>")
		s.post(about+"a bad character", "<a/>"+before+"\x01")
		s.post(fmt.Sprintf("%q before the declaration", before), before+"<?xml version='1.0'?><a/>")
		s.post(fmt.Sprintf("%q before a text", before), before+"x")
	}
	s.post("an error on a late line", "<a>"+strings.Repeat("\n", 3000)+"&;</a>")
	for _, n := range []int{1023, 1024, 1025, 4096} {
		s.post(fmt.Sprintf("an error after %d bytes on one line", n), "<a>"+strings.Repeat("x", n-3)+"&;</a>")
		s.post(fmt.Sprintf("a name of %d bytes not closed", n), "<a>"+"<"+strings.Repeat("b", n-4))
		s.post(fmt.Sprintf("two-byte characters up to %d bytes", n), "<a>"+strings.Repeat("é", (n-3)/2)+"&;</a>")
	}
	return s
}
