package xmlrpc_test

import (
	"math"
	"math/big"
	"reflect"
	"testing"

	"prserver/compat"
	"prserver/xmlrpc"
)

var dialects = []*xmlrpc.Dialect{compat.Py2, compat.Py3}

// params makes a call of what stands where its parameters do.
func params(inner string) []byte {
	return []byte("<methodCall><methodName>m</methodName><params>" + inner + "</params></methodCall>")
}

// decoded is a call's parameters as both Pythons read them.
type decoded struct {
	inner string
	want  []any
}

func list(items ...any) []any { return append([]any{}, items...) }

func bigInt(text string) *big.Int {
	n, _ := new(big.Int).SetString(text, 10)
	return n
}

// TestDecodeValues looks at what both dialects make of values.
func TestDecodeValues(t *testing.T) {
	for _, d := range dialects {
		checkValues(t, d, bothRead)
	}
	checkValues(t, compat.Py2, py2Reads)
	checkValues(t, compat.Py3, py3Reads)
}

func checkValues(t *testing.T, d *xmlrpc.Dialect, tests []decoded) {
	t.Helper()
	for _, test := range tests {
		call, err := xmlrpc.Decode(params(test.inner), d)
		if err != nil {
			t.Errorf("%s: %s: %v", d.Name, test.inner, err)
			continue
		}
		if got := list(call.Params...); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %s:\n got  %#v\n want %#v", d.Name, test.inner, got, test.want)
		}
	}
}

var bothRead = []decoded{
	{"", list()},
	{"<param><value><nil/></value></param>", list(nil)},
	{"<param><value><nil>x</nil></value></param>", list(nil)},
	{"<param><value><boolean>0</boolean></value></param><param><value><boolean>1</boolean></value></param>", list(false, true)},
	{"<boolean><!-- c -->1<?p?></boolean>", list(true)},

	{"<value><int>42</int></value><value><i4>-7</i4></value><value><i8>+7</i8></value>", list(int64(42), int64(-7), int64(7))},
	{"<int> \t\r\n007&#13;\n</int>", list(int64(7))},
	{"<int>-0</int><int>0000</int>", list(int64(0), int64(0))},
	{"<int>\u00a0\u2003٤٢\u3000</int><int>１２</int><int>-𝟎𝟏</int>", list(int64(42), int64(12), int64(-1))},
	{"<int>2147483648</int>", list(int64(2147483648))},
	{"<int>9223372036854775807</int><int>-9223372036854775808</int>", list(int64(math.MaxInt64), int64(math.MinInt64))},
	{"<int>9223372036854775808</int><int>-9223372036854775809</int>", list(bigInt("9223372036854775808"), bigInt("-9223372036854775809"))},
	{"<int>00009223372036854775807</int>", list(int64(math.MaxInt64))},

	{"<double>1.5</double><double>-.5</double><double>5.</double><double>+1E3</double><double>1e-3</double>", list(1.5, -.5, 5., 1e3, 1e-3)},
	{"<double>42</double><double>\n 1 \t</double><double>１.٥</double>", list(42., 1., 1.5)},
	{"<double>inf</double><double>-Infinity</double><double>+INF</double>", list(math.Inf(1), math.Inf(-1), math.Inf(1))},
	{"<double>1e400</double><double>-1e400</double><double>1e-400</double>", list(math.Inf(1), math.Inf(-1), 0.)},
	{"<double>0.1</double><double>179769313486231570000e288</double><double>5e-324</double>", list(.1, math.MaxFloat64, 5e-324)},

	{"<value><string>x</string></value><value><string/></value>", list("x", "")},
	{"<value>x</value><value/><value></value><value> </value><value>\n</value>", list("x", "", "", " ", "\n")},
	{"<string> é日😀 </string>", list(" é日😀 ")},
	{"<string>a&amp;b&lt;c&gt;d&#65;&#x42;</string>", list("a&b<c>dAB")},
	{"<string>1\r\n2\r3&#13;4</string>", list("1\n2\n3\r4")},
	{"<string>a<!-- b -->c<?d e?>f<![CDATA[<g>]]></string>", list("acf<g>")},
	{"<value>a<!-- b -->c</value>", list("ac")},
	{"<name>x</name>", list("x")},
	{"<value>a<string>b</string>c</value>", list("b")},
	{"<value>a<value>b</value>c</value>", list("b")},
	{"<value>a<int>1</int></value>", list(int64(1))},
	{"<string>a<nil/>b</string>", list(nil, "b")},
	{"<int><i4>1</i4></int>", list(int64(1), int64(1))},
	{"<string>a<foo>b</foo>c</string>", list("bc")},

	{"<value><array><data></data></array></value><array/>", list(list(), list())},
	{"<value><array><data><value><int>1</int></value><value>x</value></data></array></value>", list(list(int64(1), "x"))},
	{"<array><int>1</int>text<nil/></array>", list(list(int64(1), nil))},
	{"<array><array><array><nil/></array></array><array/></array>", list(list(list(list(nil)), list()))},
	{"<nil/><array><nil/></array><nil/>", list(nil, list(nil), nil)},

	{"<value><struct></struct></value><struct/>", list(xmlrpc.Struct{}, xmlrpc.Struct{})},
	{"<struct><member><name>b</name><value><int>1</int></value></member>\n<member><name>a</name><value/></member></struct>",
		list(xmlrpc.Struct{{Name: "b", Value: int64(1)}, {Name: "a", Value: ""}})},
	{"<struct><member><name>é</name><value>x</value></member><member><name/><value>y</value></member></struct>",
		list(xmlrpc.Struct{{Name: "é", Value: "x"}, {Name: "", Value: "y"}})},
	{"<struct><name>a</name><int>1</int><name>b</name><int>2</int><name>a</name><int>3</int></struct>",
		list(xmlrpc.Struct{{Name: "a", Value: int64(3)}, {Name: "b", Value: int64(2)}})},
	{"<struct><value>k</value><value>v</value><string>l</string><nil/></struct>",
		list(xmlrpc.Struct{{Name: "k", Value: "v"}, {Name: "l", Value: nil}})},
	{"<struct><name>a</name><struct><name>a</name><array><struct/></array></struct></struct>",
		list(xmlrpc.Struct{{Name: "a", Value: xmlrpc.Struct{{Name: "a", Value: list(xmlrpc.Struct{})}}}})},

	{"<base64>QUJD</base64><base64/><base64>\nQUI=\n</base64>", list(xmlrpc.Binary("ABC"), xmlrpc.Binary{}, xmlrpc.Binary("AB"))},
	{"<base64>Q!U-J_D</base64><base64>QQ==QUJD</base64><base64>=</base64>", list(xmlrpc.Binary("ABC"), xmlrpc.Binary("A"), xmlrpc.Binary{})},
	{"<base64>QQ=U=</base64><base64>Q=Q=QQ</base64><base64>QUI==QUI</base64>",
		list(xmlrpc.Binary("A\x05"), xmlrpc.Binary("A\x04\x10"), xmlrpc.Binary("AB"))},
	{"<base64>/+8A</base64>", list(xmlrpc.Binary{0xFF, 0xEF, 0x00})},
	{"<dateTime.iso8601>20260101T00:00:00</dateTime.iso8601>", list(xmlrpc.DateTime("20260101T00:00:00"))},
	{"<dateTime.iso8601>\n x y </dateTime.iso8601><dateTime.iso8601/>", list(xmlrpc.DateTime("x y"), xmlrpc.DateTime(""))},

	// Tags that are none of these count only inside a value.
	{"<foo>x</foo><data/><member>y</member><params/><methodCall/>", list()},
	{"<foo><int>1</int></foo>", list(int64(1))},
	{"<Int>1</Int><STRING>x</STRING>", list()},
	{"<value><nil/><foo/></value>", list(nil)},
}

var py2Reads = []decoded{
	{"<int>- 5</int><int>+\t5</int>", list(int64(-5), int64(5))},
	{"<i1>x</i1><i2>x</i2><biginteger>x</biginteger><float>x</float><bigdecimal>x</bigdecimal>", list()},
	{"<ex:int>1</ex:int><ex:string>x</ex:string>", list()},
	{"<ex:array><int>1</int></ex:array>", list(int64(1))},
}

var py3Reads = []decoded{
	{"<int>1_000</int><int>-1_0_0</int><double>1_0.2_5e1_0</double>", list(int64(1000), int64(-100), 10.25e10)},
	{"<i1>1</i1><i2>2</i2><biginteger>99999999999999999999</biginteger>", list(int64(1), int64(2), bigInt("99999999999999999999"))},
	{"<float>1.5</float>", list(1.5)},
	{"<value><ex:int>1</ex:int></value><ex:value>x</ex:value><x:y:z:nil/>", list(int64(1), "x", nil)},
	{"<ex:array><ex:int>1</ex:int></ex:array>", list(list(int64(1)))},
	{"<ex:struct><ex:name>a</ex:name><ex:nil/></ex:struct>", list(xmlrpc.Struct{{Name: "a", Value: nil}})},
	{"<x:foo>1</x:foo>", list()},
	{"<struct><nil/><int>1</int><int>2</int><boolean>1</boolean><double>.5</double><nil/></struct>",
		list(xmlrpc.Struct{{Name: nil, Value: int64(1)}, {Name: int64(2), Value: true}, {Name: .5, Value: nil}})},
	{"<dateTime.iso8601>é</dateTime.iso8601>", list(xmlrpc.DateTime("é"))},
	{"<bigdecimal>1.50</bigdecimal><bigdecimal>-0</bigdecimal><bigdecimal>1e3</bigdecimal><bigdecimal>+٤2</bigdecimal>",
		list(xmlrpc.Decimal("1.50"), xmlrpc.Decimal("-0"), xmlrpc.Decimal("1E+3"), xmlrpc.Decimal("42"))},
	{"<bigdecimal>0.0000001</bigdecimal><bigdecimal>0.000001</bigdecimal><bigdecimal>12e-9</bigdecimal><bigdecimal>.5</bigdecimal>",
		list(xmlrpc.Decimal("1E-7"), xmlrpc.Decimal("0.000001"), xmlrpc.Decimal("1.2E-8"), xmlrpc.Decimal("0.5"))},
	{"<bigdecimal> 1_0 </bigdecimal><bigdecimal>-inf</bigdecimal><bigdecimal>nan</bigdecimal><bigdecimal>sNaN012</bigdecimal>",
		list(xmlrpc.Decimal("10"), xmlrpc.Decimal("-Infinity"), xmlrpc.Decimal("NaN"), xmlrpc.Decimal("sNaN12"))},
	{"<bigdecimal>1e999999999999</bigdecimal><bigdecimal>.5e2147483648</bigdecimal>",
		list(xmlrpc.Decimal("1E+999999999999"), xmlrpc.Decimal("5E+2147483647"))},
}

func TestDecodeNaN(t *testing.T) {
	for _, text := range []string{"nan", "NaN", "+nan", "-NAN", " nan\n"} {
		for _, d := range dialects {
			call, err := xmlrpc.Decode(params("<double>"+text+"</double>"), d)
			if err != nil {
				t.Errorf("%s: %q: %v", d.Name, text, err)
			} else if f, ok := call.Params[0].(float64); !ok || !math.IsNaN(f) {
				t.Errorf("%s: %q: got %v, want NaN", d.Name, text, call.Params[0])
			}
		}
	}
}

// TestDecodeMethod looks at what decides which method is called: the last
// methodName, wherever it stands. A value counts wherever it stands, too.
func TestDecodeMethod(t *testing.T) {
	for _, test := range []struct {
		body, method string
		has          bool
		params       []any
	}{
		{"<methodCall><methodName>ping</methodName></methodCall>", "ping", true, list()},
		{"<methodName>ping</methodName>", "ping", true, list()},
		{"<params/>", "", false, list()},
		{"<params><value>x</value></params>", "", false, list("x")},
		{"<a><methodName/></a>", "", true, list()},
		{"<a><methodName> a&amp;é\r\n</methodName></a>", " a&é\n", true, list()},
		{"<a><methodName>b</methodName><methodName>c</methodName></a>", "c", true, list()},
		{"<a><params><int>1</int></params><methodName>b</methodName></a>", "b", true, list(int64(1))},
		{"<a><int>1</int><methodName>b</methodName><value>x</value></a>", "b", true, list(int64(1), "x")},
		{"<a><methodName>b<int>1</int>c</methodName></a>", "1c", true, list(int64(1))},
		{"<a><params/><nil/><params/></a>", "", false, list(nil)},
		{"<methodResponse><params><param><value>x</value></param></params></methodResponse>", "", false, list("x")},
		{"<a><fault><int>1</int></fault><params/></a>", "", false, list(int64(1))},
		{"<a><value><methodName>b</methodName></value></a>", "b", true, list()},
		{"<a><methodName>b</methodName>\n<!-- c --></a>\n<?p?> <!-- d -->", "b", true, list()},
	} {
		for _, d := range dialects {
			call, err := xmlrpc.Decode([]byte(test.body), d)
			if err != nil {
				t.Errorf("%s: %s: %v", d.Name, test.body, err)
				continue
			}
			if call.Method != test.method || call.HasMethod != test.has || call.Dialect != d {
				t.Errorf("%s: %s: got method %q, %v of %s, want %q, %v", d.Name, test.body,
					call.Method, call.HasMethod, call.Dialect.Name, test.method, test.has)
			}
			if got := list(call.Params...); !reflect.DeepEqual(got, test.params) {
				t.Errorf("%s: %s: got %#v, want %#v", d.Name, test.body, got, test.params)
			}
		}
	}
}

// TestDecodeDeep makes sure that nesting costs memory only, not stack.
func TestDecodeDeep(t *testing.T) {
	const depth = 200_000
	var open, end []byte
	for range depth {
		open = append(open, "<array>"...)
		end = append(end, "</array>"...)
	}
	call, err := xmlrpc.Decode(params(string(open)+string(end)), compat.Py2)
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for v := call.Params; len(v) == 1; got++ {
		v = v[0].([]any)
	}
	if got != depth {
		t.Errorf("got %d arrays within each other, want %d", got, depth)
	}
}
