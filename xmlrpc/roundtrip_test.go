package xmlrpc_test

import (
	"encoding/binary"
	"math"
	"reflect"
	"testing"
	"unicode/utf8"

	"prserver/compat"
	"prserver/xmlrpc"
)

// FuzzRoundTrip builds a value from the input, encodes it and decodes it again.
func FuzzRoundTrip(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "\x01\x01", "\x02\x7f\xff\xff\xff", "\x03\x3f\xf8\x00\x00\x00\x00\x00\x00", "\x04\x05<&>]]",
		"\x04\x03\x90\x00\x41\xa0\xd8\x00\xb0\x01\xf6", "\x05\x03\x00\x02\x00\x00\x00\x01\x05\x00",
		"\x06\x02\x04\x01a\x06\x01\x04\x01b\x00\x04\x01a\x00", "\x07\x02AB", "\x08\x05",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkRoundTrip(t, data) })
}

func checkRoundTrip(t *testing.T, data []byte) {
	t.Helper()
	v := (&builder{data}).value(0)
	if got := recoded(t, v, compat.Py3); !reflect.DeepEqual(got, v) {
		t.Errorf("py3: got %#v, want %#v", got, v)
	}
	// Python 2 orders the members, the first time only.
	once := recoded(t, v, compat.Py2)
	if twice := recoded(t, once, compat.Py2); !reflect.DeepEqual(twice, once) {
		t.Errorf("py2: got %#v, want %#v", twice, once)
	}
}

// builder builds values from bytes, and from zeros after the last one.
type builder struct{ data []byte }

func (b *builder) byte() byte {
	if len(b.data) == 0 {
		return 0
	}
	first := b.data[0]
	b.data = b.data[1:]
	return first
}

func (b *builder) bytes(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = b.byte()
	}
	return out
}

// value builds a value that replies and calls can have.
func (b *builder) value(depth int) any {
	kinds := byte(9)
	if depth > 20 {
		kinds = 5
	}
	switch b.byte() % kinds {
	case 1:
		return b.byte()%2 == 1
	case 2:
		return int64(int32(binary.BigEndian.Uint32(b.bytes(4))))
	case 3:
		f := math.Float64frombits(binary.BigEndian.Uint64(b.bytes(8)))
		if math.IsNaN(f) { // not equal to itself; see TestDecodeNaN
			f = 0
		}
		return f
	case 4:
		return b.text()
	case 5:
		items := []any{}
		for range b.byte() % 5 {
			items = append(items, b.value(depth+1))
		}
		return items
	case 6:
		st, seen := xmlrpc.Struct{}, map[string]bool{}
		for range b.byte() % 5 {
			name := b.text()
			if v := b.value(depth + 1); !seen[name] {
				seen[name] = true
				st = append(st, xmlrpc.Member{Name: name, Value: v})
			}
		}
		return st
	case 7:
		return xmlrpc.Binary(b.bytes(int(b.byte())))
	case 8:
		return xmlrpc.DateTime("20260101T00:00:00"[:b.byte()%18])
	}
	return nil
}

// text builds a string of characters that XML can carry. A carriage return is
// not one: the reference, too, sends it as it is, and the reader gets a newline.
func (b *builder) text() string {
	var out []byte
	for range b.byte() % 16 {
		r := rune(b.byte())
		if r >= 0x80 {
			r = r&0x1F<<16 | rune(binary.BigEndian.Uint16(b.bytes(2)))
		}
		if r < ' ' && r != '\t' && r != '\n' || !utf8.ValidRune(r) || r == 0xFFFE || r == 0xFFFF {
			r = '<'
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}
