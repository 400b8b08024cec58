package asyncrpc_test

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"prserver/prserv/asyncrpc"
)

// What the tables of this file expect was seen of Python's json module, of 3.10,
// 3.11 and 3.12.

func TestUnmarshal(t *testing.T) {
	large, _ := new(big.Int).SetString("9223372036854775808", 10)
	for _, test := range []struct {
		text string
		want any
	}{
		{"null", nil},
		{" true\t", true},
		{"\r\nfalse\n", false},
		{"-0", int64(0)},
		{"-0.0", math.Copysign(0, -1)},
		{"9223372036854775807", int64(math.MaxInt64)},
		{"-9223372036854775808", int64(math.MinInt64)},
		{"9223372036854775808", large},
		{"1e5", 100000.0},
		{"1E+05", 100000.0},
		{"1e400", math.Inf(1)},
		{"-1e400", math.Inf(-1)},
		{"1e-400", 0.0},
		{strings.Repeat("1", 5000) + ".0", math.Inf(1)},
		{"Infinity", math.Inf(1)},
		{"-Infinity", math.Inf(-1)},
		{`""`, ""},
		{`"a\"\\\/\b\f\n\r\t\u00e9é"`, "a\"\\/\b\f\n\r\téé"},
		{"\"\x7f\"", "\x7f"},
		{`"\uD83D\uDE00"`, "😀"},
		{`"\ud800"`, "\xed\xa0\x80"},
		{`"\udc00\ud800"`, "\xed\xb0\x80\xed\xa0\x80"},
		{`"\ud800\u0041"`, "\xed\xa0\x80A"},
		{`"\ud800\ud800\udc00"`, "\xed\xa0\x80\U00010000"},
		{"[]", []any{}},
		{"[ ]", []any{}},
		{`[1, [2], {}]`, []any{int64(1), []any{int64(2)}, asyncrpc.Object(nil)}},
		{`{"a" : 1 , "b":[ ] }`, asyncrpc.Object{{"a", int64(1)}, {"b", []any{}}}},
		{`{"a":1,"a":2,"b":3}`, asyncrpc.Object{{"a", int64(1)}, {"a", int64(2)}, {"b", int64(3)}}},
	} {
		got, err := asyncrpc.Unmarshal([]byte(test.text))
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%.60q: got %#v, %v; want %#v", test.text, got, err, test.want)
		}
	}
	if got, err := asyncrpc.Unmarshal([]byte("NaN")); err != nil || !math.IsNaN(got.(float64)) {
		t.Errorf("NaN: got %v, %v", got, err)
	}
	twice := asyncrpc.Object{{"a", 1}, {"a", 2}}
	if got, _ := twice.Get("a"); got != 2 {
		t.Errorf("of equal names %v counts, want the last", got)
	}
}

func TestUnmarshalErrors(t *testing.T) {
	for _, text := range []string{
		"", "  ", "nul", "True", "-NaN", "-", "01", "-01", "00", "1.", ".5", "1.e5", "1e", "1e+", "+1", "1x", "1 2", "0x1", "1_0",
		`"`, `"a`, `"\`, `"\u12G4"`, `"\u 123"`, `"\u+123"`, `"\u1_23"`, `"\u12"`, `"\a"`, `"\ud800\u12G4"`, `"\ud800\u"`, "\"\x1f\"", "\"\\n\n\"", "'a'",
		"[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]",
		"{", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{1:2}`, `{"a" 1}`, `{,}`, "}",
		"\ufeff{}", "\v1", "\u00a01", "1\u00a0", "1\f", "\x00", "\"\xff\"", "\"\xed\xa0\x80\"", "/**/1", "1//",
		strings.Repeat("1", 4301), strings.Repeat("0", 5000),
	} {
		var syntax *asyncrpc.SyntaxError
		if got, err := asyncrpc.Unmarshal([]byte(text)); !errors.As(err, &syntax) {
			t.Errorf("%.60q: got %#v, %v; want a SyntaxError", text, got, err)
		}
	}
	if _, err := asyncrpc.Unmarshal([]byte("-" + strings.Repeat("1", 4300))); err != nil {
		t.Errorf("4,300 digits: %v", err)
	}
	for _, nested := range []string{strings.Repeat("[", 1e6), strings.Repeat(`{"a":`, 1e6)} {
		if _, err := asyncrpc.Unmarshal([]byte(nested)); !errors.Is(err, asyncrpc.ErrTooDeep) {
			t.Errorf("%.20q...: got %v", nested, err)
		}
	}
}

func TestAppend(t *testing.T) {
	large, _ := new(big.Int).SetString("-9223372036854775809", 10)
	for _, test := range []struct {
		value any
		want  string
	}{
		{nil, "null"}, {true, "true"}, {false, "false"},
		{7, "7"}, {int64(math.MinInt64), "-9223372036854775808"}, {large, "-9223372036854775809"},
		{100.0, "100.0"}, {1.5, "1.5"}, {1e15, "1000000000000000.0"}, {1e16, "1e+16"}, {1e22, "1e+22"}, {1.5e-7, "1.5e-07"},
		{0.0001, "0.0001"}, {0.00001, "1e-05"}, {1.7976931348623157e308, "1.7976931348623157e+308"}, {5e-324, "5e-324"},
		{math.Copysign(0, -1), "-0.0"}, {0.1, "0.1"}, {123456789.123, "123456789.123"}, {9999999999999998.0, "9999999999999998.0"},
		{math.NaN(), "NaN"}, {math.Inf(1), "Infinity"}, {math.Inf(-1), "-Infinity"},
		{"", `""`}, {"a/b", `"a/b"`}, {"\"\\\b\f\n\r\t", `"\"\\\b\f\n\r\t"`}, {"\x00\x1f\x7f", `"\u0000\u001f\u007f"`},
		{"é€\u2028😀", `"\u00e9\u20ac\u2028\ud83d\ude00"`}, {"\uffff\U0010ffff", `"\uffff\udbff\udfff"`},
		{"\xed\xa0\x80x\xed\xbf\xbf", `"\ud800x\udfff"`}, {"\xff\xed", `"\ufffd\ufffd"`},
		{[]any{}, "[]"}, {[]any{int64(1), nil}, "[1, null]"},
		{asyncrpc.Object{}, "{}"}, {asyncrpc.Object{{"b", 1}, {"a é", []any{asyncrpc.Object(nil)}}}, `{"b": 1, "a \u00e9": [{}]}`},
	} {
		if got := string(asyncrpc.Append([]byte("x"), test.value)); got != "x"+test.want {
			t.Errorf("%#v: got %s, want x%s", test.value, got, test.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a value of another type was written")
		}
	}()
	asyncrpc.Append(nil, []byte("x"))
}
