package golden

import (
	"fmt"
	"math/rand"
	"strings"
)

// The generated sessions. Their seeds are fixed and math/rand keeps its sequence, so that a session is the same
// wherever it is made; a change to a generator changes all that follows in its sessions.
var generatedTopics = []topic{
	generated("random-calls-1", 101, 70, (*script).randomCall, aboutCalls),
	generated("random-calls-2", 102, 70, (*script).randomCall, aboutCalls),
	generated("random-calls-3", 103, 70, (*script).randomCall, aboutCalls),
	generated("random-calls-4", 104, 70, (*script).randomCall, aboutCalls),
	generated("random-damage-1", 201, 80, (*script).randomDamage, aboutDamage),
	generated("random-damage-2", 202, 80, (*script).randomDamage, aboutDamage),
	generated("random-damage-3", 203, 80, (*script).randomDamage, aboutDamage),
	generated("random-damage-4", 204, 80, (*script).randomDamage, aboutDamage),
	generated("random-tokens-1", 301, 80, (*script).randomTokens, aboutTokens),
	generated("random-tokens-2", 302, 80, (*script).randomTokens, aboutTokens),
	generated("random-tokens-3", 303, 80, (*script).randomTokens, aboutTokens),
	generated("random-trees-1", 401, 80, (*script).randomTree, aboutTrees),
	generated("random-trees-2", 402, 80, (*script).randomTree, aboutTrees),
	generated("random-trees-3", 403, 80, (*script).randomTree, aboutTrees),
}

const (
	aboutCalls  = "Calls drawn at random over few versions, architectures and checksums, with values of many types."
	aboutDamage = "Good calls with a few bytes changed, taken out, put in, repeated or cut off at random."
	aboutTokens = "Pieces of XML put one after the other at random."
	aboutTrees  = "Well-formed XML with the elements of XML-RPC nested at random."
)

func generated(name string, seed int64, count int, next func(*script, *rand.Rand), about string) topic {
	return func(dialect Dialect) *script {
		s := newScript(dialect, name, about, fmt.Sprintf("Seed %d.", seed))
		random := rand.New(rand.NewSource(seed))
		for range count {
			next(s, random)
		}
		s.call("what was stored", "dump_db")
		return s
	}
}

func pick[T any](random *rand.Rand, from ...T) T {
	return from[random.Intn(len(from))]
}

func (s *script) randomCall(random *rand.Rand) {
	version := pick[any](random, "a-1-r0", "b-2-r1", "b-2-r1", "a-1-r0", "", 7, "é")
	arch := pick[any](random, "all", "all", "i586", "x'y")
	checksum := pick[any](random, "c1", "c2", "c3", "c4", "c5", 1, true)
	switch n := random.Intn(20); {
	case n < 9:
		s.call("random call", "getPR", version, arch, checksum)
	case n < 15:
		value := pick[any](random, 0, 1, 2, 3, 5, 8, -1, "4", " 6 ", "x", "", 2.5, 3.0, true, nil, 2147483647,
			2147483648)
		if random.Intn(3) > 0 {
			value = random.Intn(12)
		}
		s.call("random call", "importone", version, arch, checksum, value)
	case n < 19:
		args := []any{version, arch, checksum, pick[any](random, true, false, 0, "x", nil)}
		for i := range args[:3] {
			if random.Intn(2) == 0 {
				args[i] = pick[any](random, nil, "")
			}
		}
		s.call("random call", "export", args[:random.Intn(5)]...)
	default:
		s.call("random call", "dump_db")
	}
}

// soundCalls are what randomDamage starts from: between them they have every kind of markup.
var soundCalls = []string{
	marshalCall("getPR", "a-1-r0", "all", "c1"),
	marshalCall("importone", "a-1-r0", "all", "c2", 12),
	marshalCall("export", nil, "all", "", false),
	marshalCall("system.methodSignature", object{{"a", 1}, {"b", []any{true, 1.5, nil}}}),
	marshalCall("system.methodSignature", []any{blob("abc"), dateTime("20160226T17:17:24"), "é€😀"}),
	marshalCall("ping"),
	"<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes'?>\r\n" +
		"<!-- é -->\r\n<methodCall a=\"b\" c='&lt;'>\r\n<methodName>ping</methodName><?pi x?><params/>\r\n</methodCall>\r\n",
	"<methodCall>\n<methodName><![CDATA[getPR]]></methodName><params>" +
		"<param><value>a&amp;b</value></param><param><value>&#65;&#x42;</value></param><param><value/></param></params></methodCall>",
	"<methodCall><fault><value><struct>" +
		"<member><name>faultCode</name><value><int>4</int></value></member>" +
		"<member><name>faultString</name><value>x</value></member></struct></value></fault></methodCall>",
}

// inserts are bytes that mean something to an XML parser.
var inserts = []string{
	"<", ">", "&", ";", "/", "'", "\"", "=", "!", "-", "--", "?", "[", "]", "]]>", " ", "\n", "\r", "\t", "x", "0",
	"é", "😀", "\x00", "\x01", "\x80", "\xc3", "\xff", "&#65;", "&lt;", "<x>", "</x>", "<x/>", "<!--", "-->",
	"<![CDATA[", "<?", "?>", ":", "_",
}

func (s *script) randomDamage(random *rand.Rand) {
	text := pick(random, soundCalls...)
	for range 1 + random.Intn(3) {
		if text == "" {
			break
		}
		at := random.Intn(len(text))
		end := min(at+1+random.Intn(12), len(text))
		switch random.Intn(7) {
		case 0: // another byte
			text = text[:at] + string([]byte{byte(random.Intn(256))}) + text[at+1:]
		case 1: // a bit
			text = text[:at] + string([]byte{text[at] ^ 1<<random.Intn(8)}) + text[at+1:]
		case 2: // a gap
			text = text[:at] + text[end:]
		case 3: // an insertion
			text = text[:at] + pick(random, inserts...) + text[at:]
		case 4: // a repetition
			text = text[:end] + text[at:]
		case 5: // a part elsewhere
			to := random.Intn(len(text))
			text = text[:to] + text[at:end] + text[to:]
		case 6: // an end, but seldom
			if random.Intn(3) == 0 {
				text = text[:at]
			}
		}
	}
	s.post("random damage", text)
}

func (s *script) randomTokens(random *rand.Rand) {
	tokens := append([]string{
		"<a>", "</a>", "<b>", "</b>", "<a/>", "<a b='c'>", "<a b=\"c\"/>", "<a b='c' b='d'/>", "<a ", "</a ",
		"text", "é", "日", "😀", "&amp;", "&lt;", "&x;", "&#65;", "&#x1F600;", "&#0;", "<!-- c -->", "<!-- é\n-->",
		"<![CDATA[x]]>", "<?p q?>", "<?xml version='1.0'?>", "\n", "\r\n", "\r", "  ",
		"<methodCall>", "</methodCall>", "<methodName>", "</methodName>", "ping", "<params>", "</params>",
		"<value>", "</value>", "<int>", "</int>", "1",
	}, inserts...)
	var out strings.Builder
	open := random.Intn(4) > 0
	if open {
		out.WriteString("<a>")
	}
	for range random.Intn(9) {
		out.WriteString(pick(random, tokens...))
	}
	if open && random.Intn(2) == 0 {
		out.WriteString("</a>")
	}
	s.post("random tokens", out.String())
}

func (s *script) randomTree(random *rand.Rand) {
	var out strings.Builder
	out.WriteString("<methodCall><methodName>")
	out.WriteString(pick(random, "ping", "system.methodSignature", "system.methodSignature", "getPR", "importone",
		"export", "system.methodHelp", "none"))
	out.WriteString("</methodName>")
	if random.Intn(6) > 0 {
		out.WriteString("<params>")
	} else {
		out.WriteString("<" + pick(random, "x", "array", "value", "fault") + ">")
	}
	closing := out.String()
	closing = "</" + closing[strings.LastIndex(closing, "<")+1:]
	for range random.Intn(6) {
		grow(&out, random, 4)
	}
	out.WriteString(closing + "</methodCall>")
	s.post("random tree", out.String())
}

// grow writes an element with its content; leaves get texts that mostly suit them.
func grow(out *strings.Builder, random *rand.Rand, depth int) {
	tag := pick(random, "value", "value", "value", "value", "param", "int", "i4", "i8", "double", "boolean",
		"string", "name", "nil", "base64", "dateTime.iso8601", "array", "data", "struct", "member", "x", "ex:int",
		"methodName", "params")
	out.WriteString("<" + tag + ">")
	suiting := map[string][]string{
		"int": {"1", "-5", " 7 ", "12", "x"}, "i4": {"2"}, "i8": {"3"}, "ex:int": {"4"},
		"double": {"1.5", "-2.5", "3", "y"}, "boolean": {"0", "1", "1", "2"}, "base64": {"YWJj", "", "YQ=="},
		"nil":        {""},
		"methodName": {"ping", "system.methodSignature"}, "string": {"a", "", "é"}, "value": {"b", "", "é", "c"},
		"name": {"n", "m", ""},
	}
	if texts := suiting[tag]; texts != nil && (tag != "value" || depth == 0 || random.Intn(3) == 0) {
		out.WriteString(pick(random, texts...))
	} else if depth > 0 {
		for range random.Intn(4) {
			grow(out, random, depth-1)
		}
	}
	out.WriteString("</" + tag + ">")
}
