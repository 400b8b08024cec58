package golden

import (
	"fmt"
	"unicode/utf16"
)

func xmlDeclarationSession(dialect Dialect) *script {
	s := newScript(dialect, "xml-declaration", "The XML declaration: forms that parse and forms that do not.")
	for _, declaration := range []string{
		"<?xml version='1.0'?>", "<?xml version=\"1.0\"?>", "<?xml version='1.0' ?>", "<?xml  version='1.0'?>",
		"<?xml\nversion='1.0'\n?>", "<?xml\tversion\t=\t'1.0'\t?>", "<?xml version = '1.0'?>",
		"<?xml version='1.1'?>", "<?xml version='1.2'?>", "<?xml version='2.0'?>", "<?xml version='1'?>",
		"<?xml version=''?>", "<?xml version='a'?>", "<?xml version='1.0.0'?>", "<?xml version='1 0'?>",
		"<?xml version='é'?>",
		"<?xml version=1.0?>", "<?xml version='1.0\"?>", "<?xml version='1.0?>", "<?xml version='1.0'>",
		"<?xml version='1.0'?", "<?xml version='1.0' ? >", "<?xml version='1.0'/>", "<?xml version?>",
		"<?xml version=?>", "<?xml ?>", "<?xml?>", "<?xml", "<?xml ", "<?xml v", "<?xml x?>",
		"<?xml Version='1.0'?>", "<?XML version='1.0'?>", "<?Xml version='1.0'?>", "<?xmL version='1.0'?>",
		"<? xml version='1.0'?>", "< ?xml version='1.0'?>", "<?xml:x version='1.0'?>", "<?xml-x version='1.0'?>",
		"<?xmlversion='1.0'?>",
		" <?xml version='1.0'?>", "\n<?xml version='1.0'?>", "<!-- --><?xml version='1.0'?>",
		"x<?xml version='1.0'?>", "<?xml version='1.0'?><?xml version='1.0'?>", "<?xml version='1.0'?>x",
		"<?xml version='1.0'?>\n\n\n", "<?xml version='1.0' encoding='utf-8'?>",
		"<?xml version='1.0'encoding='utf-8'?>", "<?xml encoding='utf-8'?>",
		"<?xml encoding='utf-8' version='1.0'?>", "<?xml version='1.0' encoding?>",
		"<?xml version='1.0' encoding=?>", "<?xml version='1.0' encoding=''?>",
		"<?xml version='1.0' encoding=utf-8?>", "<?xml version='1.0' encoding='utf-8\"?>",
		"<?xml version='1.0' encoding='8bit'?>", "<?xml version='1.0' encoding='-'?>",
		"<?xml version='1.0' encoding='utf 8'?>", "<?xml version='1.0' encoding=' utf-8'?>",
		"<?xml version='1.0' encoding='utf-8 '?>",
		"<?xml version='1.0' encoding='é'?>", "<?xml version='1.0' encoding='utf-8' encoding='utf-8'?>",
		"<?xml version='1.0' Encoding='utf-8'?>", "<?xml version='1.0' standalone='yes'?>",
		"<?xml version='1.0' standalone='no'?>", "<?xml version='1.0' standalone='maybe'?>",
		"<?xml version='1.0' standalone='YES'?>", "<?xml version='1.0' standalone=''?>",
		"<?xml version='1.0' standalone?>", "<?xml version='1.0' standalone='yes' ?>", "<?xml standalone='yes'?>",
		"<?xml version='1.0' encoding='utf-8' standalone='yes'?>",
		"<?xml version='1.0' standalone='yes' encoding='utf-8'?>",
		"<?xml version='1.0' encoding='utf-8'standalone='yes'?>",
		"<?xml version='1.0' encoding='utf-8' standalone='yes' x='y'?>", "<?xml version='1.0' x='y'?>",
		"<?xml version='1.0' é='y'?>",
		"<?xml version='1.0' version='1.0'?>", "<?xml version='1.0'?>\x00", "\xef\xbb\xbf<?xml version='1.0'?>",
		"\xef\xbb\xbf <?xml version='1.0'?>", "\xef\xbb\xbf\xef\xbb\xbf<?xml version='1.0'?>",
		"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>",
		"\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?>",
		"\xef\xbb\xbf<?xml version='1.0' encoding='utf-16'?>",
		"<?xml version='1.0' encoding='utf-8' standalone='yes'", "<?xml\x00version='1.0'?>",
		"<?xml version='&#49;.0'?>",
	} {
		s.post(declaration, declaration+"<methodCall><methodName>ping</methodName></methodCall>")
	}
	return s
}

// encodedCall is a getPR whose version is the given bytes, in a document that names its encoding.
func encodedCall(encoding, version string) string {
	return "<?xml version='1.0' encoding='" + encoding + "'?>\n" +
		"<methodCall><methodName>getPR</methodName><params><param><value>" +
		version + "</value></param><param><value>all</value></param><param><value>c</value></param></params></methodCall>"
}

func xmlEncodingSession(dialect Dialect) *script {
	s := newScript(dialect, "xml-encoding",
		"Encodings: those expat knows itself, those it asks Python for, and names that mean nothing.")
	for _, name := range []string{
		"utf-8", "UTF-8", "Utf-8", "utf8", "UTF8", "utf_8", "us-ascii", "US-ASCII", "ascii", "ASCII",
		"ANSI_X3.4-1968", "iso-8859-1", "ISO-8859-1", "ISO8859-1", "iso_8859-1", "latin1", "latin-1", "LATIN1",
		"l1", "windows-1252", "cp1252",
		"nothing", "x-unknown", "a", "A.B", "utf-9", "utf-16", "UTF-16", "utf-16le", "UTF-16BE",
	} {
		s.post(name+", ASCII only", encodedCall(name, "plain"))
		s.post(name+", é in UTF-8", encodedCall(name, "é"))
		s.post(name+", bytes 80 and e9", encodedCall(name, "\x80\xe9"))
		s.post(name+", an error further on", encodedCall(name, "\xe9\xe9&;"))
	}
	for _, c := range []struct {
		about string
		big   bool
		mark  bool
	}{{"little-endian with mark", false, true}, {"big-endian with mark", true, true},
		{"little-endian without mark", false, false}, {"big-endian without mark", true, false}} {
		for _, name := range []string{"utf-16", "UTF-16LE", "UTF-16BE", "utf-8", "iso-8859-1", "nothing"} {
			s.post(fmt.Sprintf("%s, says %s", c.about, name), inUTF16(encodedCall(name, "é😀"), c.big, c.mark))
		}
		s.post(c.about+", no declaration",
			inUTF16("<methodCall><methodName>ping</methodName></methodCall>", c.big, c.mark))
		s.post(c.about+", an error", inUTF16("<methodCall>\né😀&;</methodCall>", c.big, c.mark))
		s.post(c.about+", an end tag that does not match", inUTF16("<é>\r\n日</e>", c.big, c.mark))
		s.post(c.about+", a byte short",
			inUTF16("<methodCall><methodName>ping</methodName></methodCall>", c.big, c.mark)+"\x00")
		s.post(c.about+", cut off", inUTF16("<methodCall><methodName>ping", c.big, c.mark))
	}
	s.post("UTF-16, a lone surrogate", inUTF16("<a>", true, true)+"\xd8\x00"+inUTF16("</a>", true, false))
	s.post("UTF-16, surrogates in the wrong order",
		inUTF16("<a>", true, true)+"\xdc\x00\xd8\x00"+inUTF16("</a>", true, false))
	s.post("UTF-32 with mark", "\x00\x00\xfe\xff\x00\x00\x00<\x00\x00\x00a\x00\x00\x00/\x00\x00\x00>")
	s.call("what was read", "export", nil, nil, nil, false)
	return s
}

func inUTF16(text string, big, mark bool) string {
	if mark {
		text = "\ufeff" + text
	}
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		if big {
			out = append(out, byte(unit>>8), byte(unit))
		} else {
			out = append(out, byte(unit), byte(unit>>8))
		}
	}
	return string(out)
}

func xmlCodecsSession(dialect Dialect) *script {
	s := newScript(dialect, "differs-codecs",
		"Encodings that only Python's own tables know, and codecs that are no encodings. No client of a PR server names",
		"one, and carrying the tables of some ninety encodings for them is not worth it.")
	for _, name := range []string{
		"utf-7", "utf-32", "rot13", "rot_13", "hex", "base64", "zlib", "bz2", "punycode", "idna", "unicode_escape",
		"raw_unicode_escape", "string_escape", "undefined", "mbcs", "shift_jis", "euc-jp", "gb18030", "big5",
		"iso-8859-15", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-8", "windows-1250", "windows-1251",
		"cp437", "cp850", "cp037", "koi8-r", "koi8-u", "mac-roman", "tis-620", "hp-roman8", "ptcp154", "cp1140",
		"charmap", "palmos",
	} {
		s.post(name+", ASCII only", encodedCall(name, "plain"))
		s.post(name+", bytes a4, c1 and ff", encodedCall(name, "\xa4\xc1\xff"))
	}
	s.call("what was read", "export", nil, nil, nil, false)
	return s
}

func xmlDoctypeSession(dialect Dialect) *script {
	s := newScript(dialect, "differs-doctype",
		"Document type declarations. We refuse them all: a call needs none, and entities are a way to make a server",
		"work for nothing. The reference reads the internal subset.")
	const call = "<methodCall><methodName>ping</methodName></methodCall>"
	for _, c := range []struct{ about, body string }{
		{"a name", "<!DOCTYPE methodCall>" + call},
		{"another name", "<!DOCTYPE x>" + call},
		{"after the declaration", "<?xml version='1.0'?>\n<!DOCTYPE methodCall>\n" + call},
		{"a system identifier", "<!DOCTYPE methodCall SYSTEM 'x.dtd'>" + call},
		{"a public identifier", "<!DOCTYPE methodCall PUBLIC '-//X//Y' 'x.dtd'>" + call},
		{"an empty subset", "<!DOCTYPE methodCall []>" + call},
		{"an element declaration", "<!DOCTYPE a [<!ELEMENT a ANY>]>" + call},
		{"an entity", "<!DOCTYPE a [<!ENTITY p 'ping'>]><methodCall><methodName>&p;</methodName></methodCall>"},
		{"an entity within an entity",
			"<!DOCTYPE a [<!ENTITY p 'pi'><!ENTITY q '&p;ng'>]><methodCall><methodName>&q;</methodName></methodCall>"},
		{"an entity that holds itself",
			"<!DOCTYPE a [<!ENTITY p '&p;'>]><methodCall><methodName>&p;</methodName></methodCall>"},
		{"an entity of markup",
			"<!DOCTYPE a [<!ENTITY p '<methodName>ping</methodName>'>]><methodCall>&p;</methodCall>"},
		{"an external entity",
			"<!DOCTYPE a [<!ENTITY p SYSTEM 'file:///nothing'>]><methodCall><methodName>&p;</methodName></methodCall>"},
		{"an undefined entity", "<!DOCTYPE a><methodCall><methodName>&p;</methodName></methodCall>"},
		{"an undefined entity, with an external subset",
			"<!DOCTYPE a SYSTEM 'x'><methodCall><methodName>ping&p;</methodName></methodCall>"},
		{"an attribute's default", "<!DOCTYPE a [<!ATTLIST methodCall x CDATA 'y'>]>" + call},
		{"a parameter entity", "<!DOCTYPE a [<!ENTITY % p ''> %p;]>" + call},
		{"a notation", "<!DOCTYPE a [<!NOTATION n SYSTEM 'x'>]>" + call},
		{"no name", "<!DOCTYPE>" + call},
		{"not closed", "<!DOCTYPE a" + call},
		{"the subset not closed", "<!DOCTYPE a [" + call},
		{"lower case", "<!doctype a>" + call},
		{"two of them", "<!DOCTYPE a><!DOCTYPE a>" + call},
		{"after the root", call + "<!DOCTYPE a>"},
		{"within the root", "<methodCall><!DOCTYPE a></methodCall>"},
		{"nothing else", "<!DOCTYPE a>"},
		{"cut off", "<!DOCTYPE"},
		{"cut off earlier", "<!DOC"},
		{"a name that is not ASCII", "<!DOCTYPE é>" + call},
		{"a bad character", "<!DOCTYPE a\x01>" + call},
	} {
		s.post(c.about, c.body)
	}
	return s
}
