package golden

import (
	"fmt"
	"strings"
)

// faultCall is a call that is a fault, of the given members.
func faultCall(members ...member) string {
	return "<methodCall><methodName>ping</methodName>" + faultOf(members...) + "</methodCall>"
}

func faultOf(members ...member) string {
	var out strings.Builder
	marshal(&out, object(members))
	return "<fault>" + out.String() + "</fault>"
}

func faultCallSession(dialect Dialect) *script {
	s := newScript(dialect, "fault-call",
		"A fault sent as a call: with the right members it comes back as the reply, with wrong ones Python fails to",
		"make an exception of it.")
	s.post("code and string", faultCall(member{"faultCode", 7}, member{"faultString", "text"}))
	s.post("string and code", faultCall(member{"faultString", "text"}, member{"faultCode", 7}))
	s.post("with another member",
		faultCall(member{"faultCode", 7}, member{"faultString", "text"}, member{"extra", 1}))
	s.post("no code", faultCall(member{"faultString", "text"}))
	s.post("no string", faultCall(member{"faultCode", 7}))
	s.post("neither", faultCall())
	s.post("only another member", faultCall(member{"extra", 1}))
	s.post("a member self", faultCall(member{"faultCode", 7}, member{"faultString", "text"}, member{"self", 1}))
	s.post("an empty name", faultCall(member{"faultCode", 7}, member{"faultString", "text"}, member{"", 1}))
	s.post("a name that is not ASCII",
		faultCall(member{"faultCode", 7}, member{"faultString", "text"}, member{"é", 1}))
	s.post("a name with a space",
		faultCall(member{"faultCode", 7}, member{"faultString", "text"}, member{"a b", 1}))
	s.post("nothing in it", "<methodCall><fault/></methodCall>")
	s.post("an array in it", "<methodCall><fault><value><array><data></data></array></value></fault></methodCall>")
	s.post("a text in it", "<methodCall><fault><value>x</value></fault></methodCall>")
	s.post("an empty text in it", "<methodCall><fault><value/></fault></methodCall>")
	s.post("an int in it", "<methodCall><fault><value><int>1</int></value></fault></methodCall>")
	s.post("a nil in it", "<methodCall><fault><value><nil/></value></fault></methodCall>")
	s.post("a double in it", "<methodCall><fault><value><double>1</double></value></fault></methodCall>")
	s.post("a boolean in it", "<methodCall><fault><value><boolean>1</boolean></value></fault></methodCall>")
	s.post("base64 in it", "<methodCall><fault><value><base64>YQ==</base64></value></fault></methodCall>")
	s.post("a date in it",
		"<methodCall><fault><value><dateTime.iso8601>x</dateTime.iso8601></value></fault></methodCall>")
	s.post("a pair of texts in it", "<methodCall><fault><value>a</value><value>b</value></fault></methodCall>")
	right := faultOf(member{"faultCode", 7}, member{"faultString", "text"})
	for _, c := range []struct{ about, body string }{
		{"params after the fault make it a call",
			"<methodCall><methodName>ping</methodName>" + right + "<params/></methodCall>"},
		{"a name after the fault makes it a call",
			"<methodCall>" + right + "<methodName>system.methodSignature</methodName></methodCall>"},
		{"params before the fault",
			"<methodCall><params><param><value>x</value></param></params>" + right + "</methodCall>"},
		{"a fault as root", right},
		{"a fault in a methodResponse", "<methodResponse>" + right + "</methodResponse>"},
		{"two faults: the first comes back",
			"<methodCall>" + right + faultOf(member{"faultCode", 8}, member{"faultString", "b"}) + "</methodCall>"},
		{"a fault in params", "<methodCall><params>" + right + "</params></methodCall>"},
		{"a fault in an open array", "<methodCall><array>" + right + "</array></methodCall>"},
		{"a struct with an int as name",
			"<fault><value><struct><member><int>1</int><value>x</value></member></struct></value></fault>"},
	} {
		s.post(c.about, c.body)
	}
	return s
}

// faultEchoSession makes use of the fault that comes back: it shows how every value is read and written.
func faultEchoSession(dialect Dialect) *script {
	s := newScript(dialect, "fault-echo",
		"Every kind of value sent as the string of a fault, which comes back as it was read and written again. Structs",
		"have one member at most, for Python 2 sorts them by hash.")
	for _, value := range append(append(oddArguments(), wildDoubles...),
		element("<value>é</value>"), element("<value/>"), element("<value>&lt;&amp;&gt;\"'&#13;</value>"),
		[]any{[]any{[]any{}}}, []any{object{{"k", []any{1.5, nil}}}}, object{{"é", "é"}}, object{{"", ""}},
		object{{"<&>", "<&>"}},
		blob(strings.Repeat("x", 100)), blob(strings.Repeat("x", 57)), blob(strings.Repeat("x", 58)),
		dateTime("  x "), dateTime("<"), dateTime("a&b"),
	) {
		if date, ok := value.(dateTime); ok {
			value = dateTime(escape(string(date)))
		}
		s.post("string: "+describe(value), faultCall(member{"faultCode", 7}, member{"faultString", value}))
	}
	for _, value := range []any{"text", "é", 1.5, true, nil, []any{}, 2147483648, -2147483648, object{}, blob("x")} {
		s.post("code: "+describe(value), faultCall(member{"faultCode", value}, member{"faultString", "text"}))
	}
	for _, text := range []string{
		"1e15", "1e16", "1e17", "123456789012345680", "1234567890123456.7", "0.0001", "0.00001", "1e-5", "123e-7",
		"5e-324", "2.2250738585072014e-308", "1.7976931348623157e308", "1e308", "1e309",
		"-1e309", "nan", "-nan", "1e22", "1e21", "9007199254740993", "0.1", "0.2", "0.30000000000000004", "100",
		"1e2", "-0.0", "0", "-5", "1.10", "33333333.333333333", "1e100", "4.35", "2.675",
	} {
		s.post("double "+text,
			faultCall(member{"faultCode", 7},
				member{"faultString", element("<value><double>" + text + "</double></value>")}))
	}
	return s
}

// structOrderSession is apart from fault-echo for the sake of Python 2.
func structOrderSession(dialect Dialect) *script {
	s := newScript(dialect, "differs-struct-order",
		"Structs of several members that come back. Python 2 gives them in the order of its hash table, which depends",
		"on the names and, where they collide, on the order they came in. No method answers with a struct of the",
		"client's, only a fault that was sent as a call does, so that we do not rebuild that table.")
	for _, names := range [][]string{
		{"a", "b"}, {"b", "a"}, {"x", "y", "z"}, {"faultString", "faultCode"}, {"one", "two", "three", "four", "five"},
		{"version", "pkgarch", "checksum", "value"}, {"1", "2", "10"}, {"a", "i"}, {"i", "a"}, {"é", "e"}, {"", "a", "aa"},
		{"a", "b", "a"}, {"k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"},
	} {
		var members object
		for i, name := range names {
			members = append(members, member{name, i})
		}
		s.post(fmt.Sprintf("members %q", names), faultCall(member{"faultCode", 7}, member{"faultString", members}))
		s.call(fmt.Sprintf("a filter with members %q", names), "export", members, nil, nil, false)
	}
	return s
}

// deepSession has nesting up to what fits the default recursion limit of 1,000 well.
func deepSession(dialect Dialect) *script {
	s := newScript(dialect, "nesting", "Arrays and structs within each other, a few to a hundred deep.")
	for _, depth := range []int{2, 10, 50, 100} {
		open := strings.Repeat("<value><array><data>", depth)
		shut := strings.Repeat("</data></array></value>", depth)
		about := fmt.Sprintf("%d arrays", depth)
		s.post(about+" as argument", callHead+open+"<value>x</value>"+shut+callTail)
		s.post(about+" echoed", faultCall(member{"faultCode", 7}, member{"faultString", element(open + shut)}))
		s.call(about+" as a filter", "export", element(open+shut), nil, nil, false)
		open = strings.Repeat("<value><struct><member><name>a</name>", depth)
		shut = strings.Repeat("</member></struct></value>", depth)
		about = fmt.Sprintf("%d structs", depth)
		s.post(about+" as argument", callHead+open+"<value>x</value>"+shut+callTail)
		s.post(about+" echoed",
			faultCall(member{"faultCode", 7}, member{"faultString", element(open + "<value>x</value>" + shut)}))
		s.post(fmt.Sprintf("%d unknown elements", depth),
			strings.Repeat("<x>", depth)+"<methodName>ping</methodName>"+strings.Repeat("</x>", depth))
		s.post(fmt.Sprintf("%d values", depth),
			callHead+strings.Repeat("<value>", depth)+"x"+strings.Repeat("</value>", depth)+callTail)
	}
	return s
}

// tooDeepSession goes beyond the recursion limit.
func tooDeepSession(dialect Dialect) *script {
	s := newScript(dialect, "differs-depth",
		"Arrays and structs nested deeper than Python's recursion limit of 1,000 lets it write them. We refuse nesting",
		"far beyond any use while reading, with a limit of our own.")
	for _, depth := range []int{300, 490, 1000, 3000} {
		open := strings.Repeat("<value><array><data>", depth)
		shut := strings.Repeat("</data></array></value>", depth)
		about := fmt.Sprintf("%d arrays", depth)
		s.post(about+" as argument", callHead+open+"<value>x</value>"+shut+callTail)
		s.post(about+" echoed", faultCall(member{"faultCode", 7}, member{"faultString", element(open + shut)}))
		s.call(about+" as a filter", "export", element(open+shut), nil, nil, false)
	}
	return s
}
