package asyncrpc

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// FuzzUnmarshal compares with encoding/json. What differs:
//   - NaN, Infinity and -Infinity are numbers here only;
//   - bytes that are not UTF-8 and half surrogate pairs are U+FFFD there;
//   - what is nested more than a thousand times is refused here, more than ten
//     thousand times there;
//   - a number too large for a float64 is refused there, and infinite here;
//   - a whole number of more than 4,300 digits is refused here.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"get-pr": {"version": "v", "pkgarch": "all", "checksum": "\u00e9\ud83d\ude00", "history": false}}`,
		`[1, -0, 1.5e-7, 1e400, NaN, -Infinity, "\ud800", "\"\\\/\b\f\n\r\t"]`,
		` { "a" : [ ] , "a" : { } } `, `"` + "\x7f\xff" + `"`, "[[[[", `{"a":`, "01", "1.", "\ufeff1", "\u00a01",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Unmarshal(data)
		if err == nil {
			again, err := Unmarshal(Append(nil, got))
			if err != nil || !same(again, got) {
				t.Errorf("%q: written and read again: got %#v, %v; want %#v", data, again, err, got)
			}
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		var want any
		oracleErr := decoder.Decode(&want)
		if oracleErr == nil {
			if _, end := decoder.Token(); !errors.Is(end, io.EOF) {
				oracleErr = errors.New("more behind the value")
			}
		}
		text := string(data)
		switch {
		case err == nil && oracleErr == nil:
			if !equal(got, want) {
				t.Errorf("%q: got %#v, want %#v", data, got, want)
			}
		case err == nil && !strings.Contains(text, "NaN") && !strings.Contains(text, "Infinity"):
			t.Errorf("%q: got %#v; encoding/json: %v", data, got, oracleErr)
		case oracleErr == nil && utf8.Valid(data) && !errors.Is(err, ErrTooDeep) && len(data) < maxIntDigits:
			t.Errorf("%q: %v; encoding/json has %#v", data, err, want)
		}
	})
}

// same compares values, for which NaN is NaN.
func same(a, b any) bool {
	return reflect.DeepEqual(a, b) || bytes.Equal(Append(nil, a), Append(nil, b))
}

// equal compares a value with one of encoding/json.
func equal(got, want any) bool {
	switch got := got.(type) {
	case string:
		want, ok := want.(string)
		return ok && string(replaceHalves(got)) == want
	case int64, *big.Int, float64:
		number, ok := want.(json.Number)
		if !ok {
			return false
		}
		if f, isFloat := got.(float64); isFloat {
			parsed, _ := number.Float64()
			return f == parsed && math.Signbit(f) == math.Signbit(parsed)
		}
		n, ok := new(big.Int).SetString(number.String(), 10)
		return ok && n.String() == string(Append(nil, got))
	case []any:
		want, ok := want.([]any)
		if !ok || len(got) != len(want) {
			return false
		}
		for i := range got {
			if !equal(got[i], want[i]) {
				return false
			}
		}
		return true
	case Object:
		want, ok := want.(map[string]any)
		names := map[string]any{}
		for _, m := range got {
			names[string(replaceHalves(m.Name))] = m.Value
		}
		if !ok || len(names) != len(want) {
			return false
		}
		for name, value := range names {
			if !equal(value, want[name]) {
				return false
			}
		}
		return true
	}
	return got == want
}

// replaceHalves replaces half surrogate pairs.
func replaceHalves(s string) []byte {
	var out []byte
	for i := 0; i < len(s); {
		if _, ok := halfPair(s[i:]); ok {
			out = append(out, "\ufffd"...)
			i += 3
			continue
		}
		out = append(out, s[i])
		i++
	}
	return out
}

// FuzzLines reads lines in pieces of any size, through a small buffer, and
// compares with splitting.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nbb\r\n\n"), 3)
	f.Add([]byte(strings.Repeat("x", 100)+"\nrest"), 40)
	f.Fuzz(func(t *testing.T, data []byte, limit int) {
		if limit < 0 || limit > 1000 {
			return
		}
		none := func() error { return nil }
		lines := lineReader{
			r: bufio.NewReaderSize(iotest.HalfReader(bytes.NewReader(data)), 16), limit: limit,
			hold: func(int) error { return nil }, wait: none,
		}
		for rest := data; ; {
			want, after, whole := bytes.Cut(rest, []byte("\n"))
			got, err := lines.read()
			switch {
			case len(want) > limit && (whole || err != nil):
				if !errors.Is(err, ErrLongLine) && !errors.Is(err, ErrHalfLine) || whole && !errors.Is(err, ErrLongLine) {
					t.Fatalf("a line of %d bytes, limit %d: got %q, %v", len(want), limit, got, err)
				}
				return
			case !whole && len(want) > 0:
				if !errors.Is(err, ErrHalfLine) {
					t.Fatalf("half a line: got %q, %v", got, err)
				}
				return
			case !whole:
				if !errors.Is(err, io.EOF) {
					t.Fatalf("at the end: got %q, %v", got, err)
				}
				return
			case err != nil || !bytes.Equal(got, want):
				t.Fatalf("got %q, %v; want %q", got, err, want)
			}
			rest = after
		}
	})
}

// FuzzChunker cuts a text, and joins it again as BitBake 2.8 does.
func FuzzChunker(f *testing.F) {
	f.Add("x", 40000, 7)
	f.Add(" ", 70000, 1000)
	f.Add("\\ \"", 30000, 32767)
	f.Add("é", 20000, 1)
	f.Fuzz(func(t *testing.T, text string, times, piece int) {
		if times < 0 || piece < 1 || len(text)*times > 200000 {
			return
		}
		data := Append(nil, []any{strings.Repeat(text, times), "b", int64(1)})
		var c chunker
		for rest := data; len(rest) > 0; {
			n := min(piece, len(rest))
			c.add(rest[:n])
			rest = rest[n:]
		}
		c.end()
		var joined []byte
		lines := strings.Split(string(c.out), "\n")
		for i, line := range lines {
			if len(line) > maxLine || line == "" && i < len(lines)-2 {
				t.Fatalf("line %d of %d has %d bytes", i, len(lines), len(line))
			}
			joined = append(joined, strings.TrimRight(line, " ")...)
		}
		want, _ := Unmarshal(data)
		if got, err := Unmarshal(joined); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d bytes came back wrong: %v", len(data), err)
		}
	})
}
