package golden

import (
	"fmt"
	"strings"
)

var argumentTopics = []topic{
	argumentCountSession,
	argumentTypeSession("arguments-getpr", "getPR", 3),
	argumentTypeSession("arguments-importone", "importone", 4),
	argumentTypeSession("arguments-export", "export", 4),
	argumentOtherSession,
	bigIntSession,
	storedBigSession,
	namesSession,
}

// argumentCounts are the least and the most arguments each method takes.
var argumentCounts = []struct {
	method      string
	least, most int
}{
	{"getPR", 3, 3},
	{"importone", 4, 4},
	{"export", 0, 4},
	{"dump_db", 0, 0},
	{"ping", 0, 0},
	{"quit", 0, 0},
	{"system.listMethods", 0, 0},
	{"system.methodHelp", 1, 1},
	{"system.methodSignature", 1, 1},
	{"system.multicall", 1, 1},
	{"none", 0, 0},
}

func argumentCountSession(dialect Dialect) *script {
	s := newScript(dialect, "argument-counts",
		"Every method with every number of arguments up to two too many, the right numbers left out.")
	for _, c := range argumentCounts {
		for n := range c.most + 3 {
			if n >= c.least && n <= c.most && c.method != "none" {
				continue
			}
			args := make([]any, n)
			for i := range args {
				args[i] = i
			}
			s.call(fmt.Sprintf("%s with %d", c.method, n), c.method, args...)
		}
	}
	s.call("getPR with twelve", "getPR", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	s.call("nothing was stored", "dump_db")
	return s
}

// oddArguments are values of every type that reaches a method. Doubles are such that SQLite's text for them has
// been the same in all releases; the others are in wildDoubles.
func oddArguments() []any {
	return []any{
		nil, "", "text", "7", " 7 ", "é€", true, false, 0, 7, -7, 2147483648, 4294967296, 1 << 53,
		9223372036854775807, -9223372036854775808, 0.0, 1.5, 7.0, -0.25, 1e300, 0.1, 1e-7, 123456789.125,
		element("<value><int>9223372036854775808</int></value>"),
		element("<value><int>-9223372036854775809</int></value>"),
		element("<value><double>nan</double></value>"),
		element("<value><double>-0.0</double></value>"),
		[]any{}, []any{"a", 1, nil}, object{}, object{{"a", 1}}, blob(""), blob("raw"), blob("\xff\x00"),
		dateTime("20160226T17:17:24"), dateTime(""),
	}
}

// wildDoubles are those whose text or whose place in a dump changed from one SQLite to the next.
var wildDoubles = []any{
	element("<value><double>inf</double></value>"), element("<value><double>-1e400</double></value>"),
	1e15, 1e16, 123456789012345680.0, 0.30000000000000004, 1.0 / 3, 4.9e-324, 1.7976931348623157e308,
}

// argumentTypeSession puts every odd argument into every place of a method, the other places being usual.
func argumentTypeSession(name, method string, places int) topic {
	usual := []any{"make-4.1-r0", "all", md5A, 3}
	return func(dialect Dialect) *script {
		s := newScript(dialect, name,
			method+" with a value of every type in every place: column affinity, what cannot be bound, what cannot",
			"be marshalled.")
		if method == "export" {
			exportFill(s)
		}
		for place := range places {
			for _, odd := range argumentsFor(method) {
				args := append([]any(nil), usual[:places]...)
				args[place] = odd
				if method == "export" && place < 3 {
					args = []any{nil, nil, nil, false}
					args[place] = odd
				}
				s.call(fmt.Sprintf("argument %d is %s", place+1, describe(odd)), method, args...)
			}
		}
		s.call("export of what was stored", "export", nil, nil, nil, false)
		s.call("all that was stored", "dump_db")
		return s
	}
}

// argumentsFor adds the wild doubles where SQLite does not get to see them: export makes text of its filters.
func argumentsFor(method string) []any {
	if method == "export" {
		return append(oddArguments(), wildDoubles...)
	}
	return oddArguments()
}

// exportFill stores rows whose texts are what Python's str makes of the odd arguments, so that a filter finds
// them exactly when ours makes the same.
func exportFill(s *script) {
	for _, text := range []string{
		"text", "7", " 7 ", "7.0", "True", "False", "0", "0.0", "-0.0", "-7", "1.5", "-0.25", "1e+16", "1e16",
		"10000000000000000", "1e+300", "0.1", "1e-07", "1e-7", "123456789.125", "2147483648",
		"9223372036854775807", "9223372036854775808", "9223372036854775808L", "nan", "inf", "-inf",
		"['a', 1, None]", "{'a': 1}", "raw", "20160226T17:17:24", "None", "ÿ", "é€",
		"1000000000000000.0", "1e+15", "1.2345678901234568e+17", "1.23456789012e+17", "0.30000000000000004", "0.3",
		"0.3333333333333333", "0.333333333333", "5e-324", "1.7976931348623157e+308", "1.79769313486e+308",
	} {
		s.call("fill "+text, "getPR", text, text, text)
	}
}

func argumentOtherSession(dialect Dialect) *script {
	s := newScript(dialect, "arguments-other",
		"The other methods with a value of every type.")
	for _, odd := range oddArguments() {
		s.call("methodSignature of "+describe(odd), "system.methodSignature", odd)
	}
	for _, odd := range []any{
		"é€", element("<value>dump_d</value>"), 2147483648, []any{}, object{}, blob(""), blob("ping"),
		dateTime("ping"), element("<value><double>nan</double></value>"), []any{[]any{1}},
	} {
		s.call("methodHelp of "+describe(odd), "system.methodHelp", odd)
	}
	for _, method := range []string{"ping", "dump_db", "system.listMethods"} {
		s.call(method+" with nil", method, nil)
		s.call(method+" with an array", method, []any{})
	}
	return s
}

// describe words an argument for the comment above its exchange.
func describe(value any) string {
	var out strings.Builder
	marshal(&out, value)
	text := strings.ReplaceAll(strings.TrimSpace(out.String()), "\n", "")
	text = strings.TrimPrefix(text, "<value>")
	return strings.TrimSuffix(text, "</value>")
}

func bigIntSession(dialect Dialect) *script {
	s := newScript(dialect, "integers",
		"Integers around the limits of 32 and 64 bits and far beyond, as every argument.")
	for _, text := range []string{
		"2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "9223372036854775807",
		"9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551616",
		"100000000000000000000000000000", "0000000000000000000000000000001", "-0", "+5", "00", "007",
		strings.Repeat("9", 400), strings.Repeat("1", 4300), "-" + strings.Repeat("1", 4300),
	} {
		value := element("<value><int>" + text + "</int></value>\n")
		s.call("getPR, version "+text, "getPR", value, "all", md5A)
		s.call("getPR, checksum "+text, "getPR", "make-4.1-r0", "all", value)
		s.call("importone, value "+text, "importone", "v"+text, "all", md5A, value)
		s.call("export, version "+text, "export", value, nil, nil, false)
		s.call("export, colinfo "+text, "export", "none", nil, nil, value)
	}
	s.call("all that was stored", "dump_db")
	return s
}

func storedBigSession(dialect Dialect) *script {
	s := newScript(dialect, "overflow",
		"Stored values beyond 32 bits: the reply is a fault, the row stays, and what builds on it goes on.")
	storedBig(s, 2147483646, 2147483647, 2147483648, 4294967296, 9007199254740993, -2147483648, -2147483649,
		-9223372036854775808)
	s.call("export with rows that cannot be marshalled", "export")
	s.call("a dump has no such limit", "dump_db")
	return s
}

// storedBig imports each value as the first of a key and goes on from there.
func storedBig(s *script, values ...int) {
	for _, value := range values {
		version := fmt.Sprintf("v%d", value)
		s.call("import", "importone", version, "all", md5A, value)
		s.call("export it", "export", version, nil, nil, false)
		s.call("known", "getPR", version, "all", md5A)
		s.call("one more", "getPR", version, "all", md5B)
		s.call("known and perhaps not the greatest", "getPR", version, "all", md5A)
		s.call("once more", "getPR", version, "all", md5C)
		s.call("export it", "export", version, nil, nil, false)
		s.call("import a small one", "importone", version, "all", sha256A, 1)
		s.call("raise it to the greatest int", "importone", version, "all", sha256A, 2147483647)
	}
}

func namesSession(dialect Dialect) *script {
	s := newScript(dialect, "method-names",
		"Names that no method has: how the fault repeats them. In py2 one that is not ASCII ends in status 500.")
	for _, name := range []string{
		"it's", `say "x"`, `both ' and "`, `back\slash`, `\x41`, `%s`, `%(a)s %d %%`, "{0}", "tab\there",
		"line\nfeed",
		"carriage\rreturn", "é", "ÿ", "Ā", "€", "日本", "😀", "e\u0301", "\u200b", "\u00a0", "\u2028", "\u00ad",
		"\ufeff", "\u0080", "\u0085", "\u009f", "\u007f", "\ufffd", "\U000e0001", "a&amp;b", "a&lt;b", "a&gt;b",
		"&#65;",
		"&#233;", "&#x20ac;", "&#10;", "&#13;", "&#9;", "<![CDATA[a<b>&c]]>", "a<!-- no -->b", "a<?pi x?>b",
		"]]&gt;",
		strings.Repeat("x", 3000), strings.Repeat("é", 700), "  ", "\n",
	} {
		s.call(fmt.Sprintf("named %q", name), name)
	}
	s.call("empty name", "")
	s.post("empty element", "<methodCall><methodName/><params></params></methodCall>")
	s.post("no name", "<methodCall><params></params></methodCall>")
	s.post("no name, an argument", "<methodCall><params><param><value>getPR</value></param></params></methodCall>")
	s.post("no name, no params", "<methodCall></methodCall>")
	s.post("a name and no params", "<methodCall><methodName>ping</methodName></methodCall>")
	s.post("a name of nothing but a comment", "<methodCall><methodName><!-- ping --></methodName></methodCall>")
	s.post("white space about the name", "<methodCall><methodName> ping </methodName></methodCall>")
	return s
}
