package xmlrpc_test

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"prserver/compat"
	"prserver/xmlrpc"
)

// reply is what a value's element stands in.
func reply(value string) string {
	return "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n" + value + "</param>\n</params>\n</methodResponse>\n"
}

// TestEncode compares replies with those of xmlrpclib.dumps, byte for byte.
func TestEncode(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{nil, "<value><nil/></value>"},
		{true, "<value><boolean>1</boolean></value>\n"},
		{false, "<value><boolean>0</boolean></value>\n"},
		{0, "<value><int>0</int></value>\n"},
		{int64(-42), "<value><int>-42</int></value>\n"},
		{int64(math.MaxInt32), "<value><int>2147483647</int></value>\n"},
		{int64(math.MinInt32), "<value><int>-2147483648</int></value>\n"},
		{1.5, "<value><double>1.5</double></value>\n"},
		{"", "<value><string></string></value>\n"},
		{"a b", "<value><string>a b</string></value>\n"},
		{"<a & 'b' \"c\">]]>", "<value><string>&lt;a &amp; 'b' \"c\"&gt;]]&gt;</string></value>\n"},
		{"&&lt;", "<value><string>&amp;&amp;lt;</string></value>\n"},
		{"é日😀\t\r\n\x00\x7f", "<value><string>é日😀\t\r\n\x00\x7f</string></value>\n"},
		{list(), "<value><array><data>\n</data></array></value>\n"},
		{list(1, nil, "x", nil), "<value><array><data>\n<value><int>1</int></value>\n<value><nil/></value>" +
			"<value><string>x</string></value>\n<value><nil/></value></data></array></value>\n"},
		{list(list()), "<value><array><data>\n<value><array><data>\n</data></array></value>\n</data></array></value>\n"},
		{xmlrpc.Struct{}, "<value><struct>\n</struct></value>\n"},
		{xmlrpc.Struct{{Name: "a<b", Value: nil}}, "<value><struct>\n<member>\n<name>a&lt;b</name>\n<value><nil/></value></member>\n</struct></value>\n"},
		{xmlrpc.Binary(""), "<value><base64>\n</base64></value>\n"},
		{xmlrpc.Binary("ABCD"), "<value><base64>\nQUJDRA==\n</base64></value>\n"},
		{xmlrpc.Binary(strings.Repeat("\x00", 58)), "<value><base64>\n" + strings.Repeat("A", 76) + "\nAA==\n</base64></value>\n"},
		{xmlrpc.Binary(strings.Repeat("\xff", 57)), "<value><base64>\n" + strings.Repeat("/", 76) + "\n</base64></value>\n"},
		{xmlrpc.DateTime("20260101T00:00:00"), "<value><dateTime.iso8601>20260101T00:00:00</dateTime.iso8601></value>\n"},
	} {
		for _, d := range dialects {
			got, err := xmlrpc.Encode([]byte("before"), test.value, d)
			if want := "before" + reply(test.want); err != nil || string(got) != want {
				t.Errorf("%s: %#v:\n got  %q, %v\n want %q", d.Name, test.value, got, err, want)
			}
		}
	}
}

func TestEncodeFault(t *testing.T) {
	const open, middle, end = "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n",
		"</member>\n<member>\n<name>faultString</name>\n", "</member>\n</struct></value>\n</fault>\n</methodResponse>\n"
	for _, test := range []struct {
		fault xmlrpc.Fault
		want  string
	}{
		{xmlrpc.Fault{Code: int64(1), Message: "<class 'E'>:é"}, open + "<value><int>1</int></value>\n" + middle +
			"<value><string>&lt;class 'E'&gt;:é</string></value>\n" + end},
		{xmlrpc.Fault{}, open + "<value><nil/></value>" + middle + "<value><nil/></value>" + end},
	} {
		for _, d := range dialects {
			if got, err := xmlrpc.EncodeFault(nil, &test.fault, d); err != nil || string(got) != test.want {
				t.Errorf("%s: %v:\n got  %q, %v\n want %q", d.Name, test.fault, got, err, test.want)
			}
		}
	}
}

// TestEncodeOrder looks at the order of members: the reference's hashes in
// Python 2, that of writing in Python 3.
func TestEncodeOrder(t *testing.T) {
	for _, test := range []struct{ written, py2 string }{
		{"version pkgarch checksum value", "pkgarch version value checksum"},
		{"tbl_name core_ver col_info", "col_info tbl_name core_ver"},
		{"name type notnull dflt_value pk", "pk dflt_value type name notnull"},
		{"faultString faultCode", "faultCode faultString"},
	} {
		var st xmlrpc.Struct
		for _, name := range strings.Fields(test.written) {
			st = append(st, xmlrpc.Member{Name: name, Value: "x"})
		}
		for d, want := range map[*xmlrpc.Dialect]string{compat.Py2: test.py2, compat.Py3: test.written} {
			var got []string
			for _, m := range recoded(t, st, d).(xmlrpc.Struct) {
				got = append(got, m.Name.(string))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: got %v, want %s", d.Name, got, want)
			}
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	deep := func(depth int) any {
		v := any("x")
		for range depth {
			v = list(v)
		}
		return v
	}
	isRange := func(err error) bool { return errors.Is(err, xmlrpc.ErrIntRange) }
	isDeep := func(err error) bool { return errors.Is(err, xmlrpc.ErrTooDeep) }
	isKey := func(err error) bool { var key *xmlrpc.KeyError; return errors.As(err, &key) }
	isAny := func(err error) bool { return err != nil }
	isNone := func(err error) bool { return err == nil }
	for _, test := range []struct {
		name   string
		value  any
		wanted func(error) bool
	}{
		{"an int above 32 bits", int64(math.MaxInt32 + 1), isRange},
		{"an int below 32 bits", int64(math.MinInt32 - 1), isRange},
		{"the greatest int", int64(math.MaxInt64), isRange},
		{"a big int, however small", big.NewInt(1), isRange},
		{"an int within an array", list(list(int64(1) << 40)), isRange},
		{"an int within a struct", xmlrpc.Struct{{Name: "a", Value: int64(1) << 40}}, isRange},
		{"900 arrays", deep(900), isNone},
		{"901 arrays", deep(901), isDeep},
		{"a key that is no string", xmlrpc.Struct{{Name: int64(1), Value: nil}}, isKey},
		{"a decimal", xmlrpc.Decimal("1"), isAny},
		{"a Go type", struct{}{}, isAny},
	} {
		for _, d := range dialects {
			if _, err := xmlrpc.Encode(nil, test.value, d); !test.wanted(err) {
				t.Errorf("%s: %s: got error %v", d.Name, test.name, err)
			}
		}
	}
}

// TestEncodeBlob looks at bytes of a database: Python 2 cannot send them.
func TestEncodeBlob(t *testing.T) {
	blob := list(xmlrpc.Blob("AB"))
	if _, err := xmlrpc.Encode(nil, blob, compat.Py2); err == nil {
		t.Error("py2: got no error")
	}
	if got, want := recoded(t, blob, compat.Py3), list(xmlrpc.Binary("AB")); !reflect.DeepEqual(got, want) {
		t.Errorf("py3: got %#v, want %#v", got, want)
	}
}

// TestFormatDouble compares with Python's repr().
func TestFormatDouble(t *testing.T) {
	for want, f := range map[string]float64{
		"0.0": 0, "-0.0": math.Copysign(0, -1), "1.0": 1, "-1.5": -1.5, "0.1": .1, "100.0": 100,
		"0.3333333333333333": 1. / 3, "0.30000000000000004": 0.30000000000000004, "123456789.123": 123456789.123,
		"9999999999999998.0": 9999999999999998, "1e+16": 1e16, "1.2345678901234568e+16": 12345678901234567,
		"1e+22": 1e22, "1e+100": 1e100, "0.0001": 1e-4, "9.999e-05": 9.999e-5, "1e-05": 1e-5, "1e-10": 1e-10,
		"1.7976931348623157e+308": math.MaxFloat64, "5e-324": math.SmallestNonzeroFloat64, "2.5e-08": 2.5e-8,
		"2251799813685248.5": 2251799813685248.5, "inf": math.Inf(1), "-inf": math.Inf(-1), "nan": math.NaN(),
	} {
		if got := xmlrpc.FormatDouble(f); got != want {
			t.Errorf("%g: got %s, want %s", f, got, want)
		}
	}
}

// TestRoundTrip reads replies with random values back.
func TestRoundTrip(t *testing.T) {
	seed := [32]byte{1}
	source := rand.NewChaCha8(seed)
	data := make([]byte, 400)
	for range 2000 {
		source.Read(data)
		checkRoundTrip(t, data[:rand.New(source).IntN(len(data))])
	}
}

// recoded returns what d makes of a reply with v in it.
func recoded(t *testing.T, v any, d *xmlrpc.Dialect) any {
	t.Helper()
	body, err := xmlrpc.Encode(nil, v, d)
	if err != nil {
		t.Fatalf("%s: encoding %#v: %v", d.Name, v, err)
	}
	call, err := xmlrpc.Decode(body, d)
	if err != nil {
		t.Fatalf("%s: decoding %q: %v", d.Name, body, err)
	}
	if len(call.Params) != 1 {
		t.Fatalf("%s: %q holds %d values, want 1", d.Name, body, len(call.Params))
	}
	return call.Params[0]
}
