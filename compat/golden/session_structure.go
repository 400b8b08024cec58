package golden

import (
	"fmt"
	"strings"
)

var structureTopics = []topic{
	valueMarkupSession,
	structuresSession,
	compoundSession,
	faultCallSession,
	faultEchoSession,
	deepSession,
	tooDeepSession,
	structOrderSession,
}

// The pieces of a call without the white space that Python's client puts between them.
const (
	callHead = "<methodCall><methodName>system.methodSignature</methodName><params><param>"
	callTail = "</param></params></methodCall>"
)

func valueMarkupSession(dialect Dialect) *script {
	s := newScript(dialect, "value-markup",
		"How the text of a value comes together: comments, CDATA, references, line ends, missing type tags.")
	for i, markup := range []string{
		"<value/>", "<value></value>", "<value> </value>", "<value>text</value>", "<value> text </value>",
		"<value>\n</value>", "<value>a\r\nb</value>", "<value>a\rb</value>",
		"<value>a\n\rb</value>", "<value>a&#13;b</value>", "<value>a&#xD;&#xA;b</value>", "<value>a&#10;b</value>",
		"<value>&#x41;&#66;&#x00043;</value>",
		"<value>&lt;&gt;&amp;&apos;&quot;</value>", "<value>&#38;lt;</value>", "<value>&amp;amp;</value>",
		"<value>a<!-- comment -->b</value>", "<value><!-- comment --></value>",
		"<value><!-- <int>1</int> --></value>", "<value><!-- --><int>1</int></value>",
		"<value><int>1</int><!-- --></value>", "<value>a<?pi data?>b</value>",
		"<value><![CDATA[]]></value>", "<value><![CDATA[<int>1</int>]]></value>", "<value>a<![CDATA[b]]>c</value>",
		"<value><![CDATA[a]]]]><![CDATA[>b]]></value>",
		"<value><![CDATA[&amp;\r\n]]></value>", "<value><string><![CDATA[ x ]]></string></value>",
		"<value><string>a<!-- -->b</string></value>", "<value><string> a </string></value>",
		"<value><string>a\r\nb</string></value>", "<value><string/></value>",
		"<value>\n<string>a</string>\n</value>", "<value>x<string>a</string>y</value>",
		"<value ><string >a</string ></value >",
		"<value a='1'><string b=\"2\">a</string></value>", "<value a='&lt;'>x</value>", "<value a='\n\t'>x</value>",
		"<value a=\"'\" b='\"'>x</value>", "<value xml:space='preserve'> x </value>",
		"<value>é€😀</value>", "<value>&#233;&#8364;&#128512;</value>", "<value>&#xFFFD;&#xE000;&#x10FFFF;</value>",
		"<value>\ufeffx</value>", "<value>\u0085\u2028</value>", "<value>\u007f\u0080\u009f</value>",
		"<value>\ufdd0</value>", "<value>\U0001fffe</value>", "<value>]]&gt;</value>", "<value>]] ></value>",
		"<value>]</value>", "<value>a>b</value>", "<value>'\"</value>",
		"<value>" + strings.Repeat("é", 1000) + "</value>", "<value>" + strings.Repeat("&amp;", 500) + "</value>",
		"<value>" + strings.Repeat("a\n", 500) + "</value>",
	} {
		s.post(markup, marshalCall("getPR", element(markup), fmt.Sprintf("arch%02d", i), md5A))
	}
	s.call("what was read", "export", nil, nil, nil, false)
	s.call("what was read", "dump_db")
	return s
}

func structuresSession(dialect Dialect) *script {
	s := newScript(dialect, "structures",
		"Calls that are put together in unusual ways. The unmarshaller looks at few elements only: a value counts",
		"wherever it stands.")
	const (
		name  = "<methodName>importone</methodName>"
		other = "<methodName>ping</methodName>"
		three = "<param><value>v</value></param><param><value>all</value></param><param><value>c</value></param>"
		one   = "<param><value><int>1</int></value></param>"
	)
	for _, c := range []struct{ about, body string }{
		{"as the specification has it",
			"<methodCall>" + name + "<params>" + three + one + "</params></methodCall>"},
		{"values outside of params",
			"<methodCall>" + name + "<value>v</value><value>all</value><value>c</value><value>" +
				"<int>2</int></value></methodCall>"},
		{"values outside of param",
			"<methodCall>" + name + "<params><value>v</value><value>all</value><value>c</value><value>" +
				"<int>3</int></value></params></methodCall>"},
		{"types outside of value",
			"<methodCall>" + name + "<params><string>v</string><string>all</string><string>c</string>" +
				"<int>4</int></params></methodCall>"},
		{"two values in one param",
			"<methodCall>" + name + "<params><param><value>v</value><value>all</value></param><param>" +
				"<value>c</value></param>" + one + "</params></methodCall>"},
		{"an empty param is none",
			"<methodCall>" + name + "<params><param/>" + three + "<param></param>" + one + "</params></methodCall>"},
		{"two blocks of params",
			"<methodCall>" + name + "<params>" + three + "</params><params>" + one + "</params></methodCall>"},
		{"two blocks of params, the first empty",
			"<methodCall>" + name + "<params/><params>" + three + one + "</params></methodCall>"},
		{"params before the name", "<methodCall><params>" + three + one + "</params>" + name + "</methodCall>"},
		{"the name within params", "<methodCall><params>" + name + three + one + "</params></methodCall>"},
		{"the name within a value",
			"<methodCall><params>" + three + one + "<param>" +
				"<value>" + other + "</value></param></params></methodCall>"},
		{"two names: the last counts", "<methodCall>" + name + other + "<params></params></methodCall>"},
		{"two names, one after the params", "<methodCall>" + name + "<params></params>" + other + "</methodCall>"},
		{"nested names", "<methodCall><methodName>im" + other + "port</methodName><params></params></methodCall>"},
		{"text around elements", "x<methodCall>x" + name + "x</methodCall>"},
		{"text between elements", "<methodCall>x" + other + "y<params>z</params>&amp;</methodCall>"},
		{"text between values",
			"<methodCall>" + name + "<params>a<param>b<value>v</value>c</param>d<param>e" +
				"<value>all</value></param><param><value>c</value></param>" + one + "f</params></methodCall>"},
		{"another root", "<call>" + other + "<params></params></call>"},
		{"a methodResponse as root", "<methodResponse>" + other + "<params></params></methodResponse>"},
		{"no root but params", "<params></params>"},
		{"no root but the name", other},
		{"a value as root", "<value>ping</value>"},
		{"an empty root", "<x/>"},
		{"the name in another element", "<methodCall><x>" + other + "</x><params></params></methodCall>"},
		{"an unknown element after a value opens",
			"<methodCall>" + name + "<params><param><value><x>1</x></value></param></params></methodCall>"},
		{"an unknown element elsewhere", "<methodCall>" + other + "<x>1</x><params><x/></params></methodCall>"},
		{"the name in upper case", "<METHODCALL><METHODNAME>ping</METHODNAME><PARAMS></PARAMS></METHODCALL>"},
		{"prefixed elements",
			"<m:methodCall><m:methodName>ping</m:methodName><m:params></m:params></m:methodCall>"},
		{"prefixed with a declared prefix",
			"<m:methodCall xmlns:m='urn:x'><m:methodName>ping</m:methodName><m:params/></m:methodCall>"},
		{"attributes", "<methodCall a='1'><methodName b='2'>ping</methodName><params c='3'/></methodCall>"},
		{"white space everywhere",
			" <methodCall >\n<methodName\t>ping</methodName\n>\r\n<params >\n</params >\n</methodCall >\n\n"},
		{"comments everywhere",
			"<!-- a --><methodCall><!-- b -->" + other + "<!-- c --><params><!-- d --></params><!-- e --></methodCall><!-- f -->"},
		{"processing instructions", "<?a?><methodCall><?b c?>" + other + "<?d?><params/></methodCall><?e f?>"},
		{"an array that ends early",
			"<methodCall>" + other + "<params><param>" +
				"<value><array><data></data></array></value></param></params></methodCall>"},
		{"params within an array", "<methodCall>" + other + "<array><params></params></array></methodCall>"},
		{"the name within an array", "<methodCall><array>" + other + "</array><params></params></methodCall>"},
		{"an array about everything", "<array>" + other + "<params></params></array>"},
		{"nothing but a comment", "<methodCall><!-- --></methodCall>"},
		{"nothing but a fault", "<methodCall><fault/></methodCall>"},
		{"a nil outside of value", "<methodCall>" + other + "<params><nil/></params></methodCall>"},
		{"a boolean outside of value",
			"<methodCall><methodName>system.methodSignature</methodName><params><boolean>1</boolean></params></methodCall>"},
		{"a name element as argument",
			"<methodCall><methodName>system.methodSignature</methodName><params><name>x</name></params></methodCall>"},
	} {
		s.post(c.about, c.body)
	}
	s.call("what was stored", "dump_db")
	return s
}

func compoundSession(dialect Dialect) *script {
	s := newScript(dialect, "compounds",
		"Arrays and structs, well made and not: the stack of the unmarshaller shows. methodSignature takes any value",
		"and says the same for each.")
	const (
		member = "<member><name>a</name><value>1</value></member>"
		value  = "<value><int>1</int></value>"
	)
	for _, markup := range []string{
		"<array></array>", "<array/>", "<array><data/></array>", "<array>" + value + "</array>",
		"<array><data>" + value + value + "</data></array>", "<array><data>x</data></array>",
		"<array>x" + value + "y</array>", "<array><data><int>1</int></data></array>",
		"<array><data></data><data>" + value + "</data></array>",
		"<array><array>" + value + "</array></array>", "<array><x>" + value + "</x></array>",
		"<array><data><value><x/></value></data></array>",
		"<struct></struct>", "<struct>" + member + "</struct>", "<struct>" + member + member + "</struct>",
		"<struct><member></member></struct>",
		"<struct><member><name>a</name></member></struct>", "<struct><member><value>1</value></member></struct>",
		"<struct><member>" + value + "</member></struct>",
		"<struct><member><value>1</value><name>a</name></member></struct>",
		"<struct><member>" + value + "<name>a</name></member></struct>",
		"<struct><name>a</name><value>1</value></struct>", "<struct><name>a</name><name>b</name></struct>",
		"<struct>" + value + value + "</struct>", "<struct>" + value + "</struct>",
		"<struct><member><name/>" + value + "</member></struct>",
		"<struct><member><name> a </name>" + value + "</member></struct>",
		"<struct><member><name>é</name>" + value + "</member></struct>",
		"<struct><member><name><int>1</int></name>" + value + "</member></struct>",
		"<struct><member><name><value>1</value></name>" + value + "</member></struct>",
		"<struct><member><nil/>" + value + "</member></struct>",
		"<struct><member><boolean>1</boolean>" + value + "</member></struct>",
		"<struct><member><double>1</double>" + value + "</member></struct>",
		"<struct><member><base64>YQ==</base64>" + value + "</member></struct>",
		"<struct><member><dateTime.iso8601>x</dateTime.iso8601>" + value + "</member></struct>",
		"<struct><member><array></array>" + value + "</member></struct>",
		"<struct><member><struct></struct>" + value + "</member></struct>",
		"<struct><member><name>a</name><value><struct>" + member + "</struct></value></member></struct>",
		"<struct><member><name>a</name><value><array><data>" + value + "</data></array></value></member></struct>",
		"<struct><member><name>a</name><value><x/></value></member></struct>",
		"<struct><member><name>a</name>" + value + value + "</member></struct>", "<struct>text</struct>",
		"<struct><member><name>a</name><name>b</name>" + value + "</member></struct>",
		"<struct><member><name>a</name><int>1</int></member></struct>",
	} {
		s.post(markup, callHead+"<value>"+markup+"</value>"+callTail)
		s.post("outside of value: "+markup, callHead+markup+callTail)
	}
	return s
}
