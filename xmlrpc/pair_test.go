package xmlrpc_test

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"prserver/compat"
	"prserver/xmlrpc"
)

// TestPair compares a reply that is written value by value with the reply that
// is encoded at once, for lengths on both sides of those from which a reply is
// packed and from which it is kept in a file.
func TestPair(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	first := xmlrpc.Struct{{Name: "core_ver", Value: "<&>"}, {Name: "col_info", Value: []any{nil, true}}}
	row := xmlrpc.Struct{{Name: "version", Value: "é<"}, {Name: "checksum", Value: 1.5}, {Name: "value", Value: int64(7)}}
	for _, rows := range []int{0, 1, 2, 3, 4, 5, 6, 7, 100, 20_000} {
		for _, dialect := range []*xmlrpc.Dialect{compat.Py2, compat.Py3} {
			items := []any{}
			for range rows {
				items = append(items, row)
			}
			want, err := xmlrpc.Encode(nil, []any{first, items}, dialect)
			if err != nil {
				t.Fatal(err)
			}
			h, _ := answering()
			h.Serve = func(_ context.Context, call *xmlrpc.Call) (any, error) {
				return call.NewPair(first, func(add func(any) error) error {
					for _, item := range items {
						if err := add(item); err != nil {
							return err
						}
					}
					return nil
				})
			}
			addr := listen(t, h)
			for _, pack := range []bool{false, true} {
				headers := agent2
				if dialect == compat.Py3 {
					headers = agent3
				}
				if pack {
					headers += "Accept-Encoding: gzip\r\n"
				}
				c := dial(t, addr)
				c.send(post("/", headers, echo))
				resp, body := c.response()
				packed := resp.Header.Get("Content-Encoding") == "gzip"
				if packed != (pack && len(want) > 1400) {
					t.Errorf("%d rows, %d bytes: packed is %v", rows, len(want), packed)
				}
				if packed {
					body = unpack(t, body)
				}
				if body != string(want) {
					t.Errorf("%d rows for %s: got %d bytes, want %d", rows, dialect.Name, len(body), len(want))
				}
			}
		}
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestPairFails checks what becomes of a reply that fails in the middle: a fault,
// with nothing of the reply before it.
func TestPairFails(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	broken := errors.New("the database is broken")
	long := strings.Repeat("x", 3<<20)
	for _, test := range []struct {
		name  string
		first any
		items []any // an error ends them
		want  string
	}{
		{"in the first", int64(math.MaxInt32 + 1), []any{"x"}, "OverflowError"},
		{"in the middle", nil, []any{"x", int64(math.MinInt32 - 1), "x"}, "OverflowError"},
		{"in the middle of much", nil, []any{long, int64(math.MaxInt32 + 1), long}, "OverflowError"},
		{"twice", nil, []any{xmlrpc.Blob("x"), int64(math.MaxInt32 + 1)}, "cannot marshal &lt;type 'buffer'&gt;"},
		{"before the database does", int64(math.MaxInt32 + 1), []any{long, broken}, "the database is broken"},
		{"as the database does", nil, []any{long, broken}, "the database is broken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, _ := answering()
			h.Serve = func(_ context.Context, call *xmlrpc.Call) (any, error) {
				return call.NewPair(test.first, func(add func(any) error) error {
					for _, item := range test.items {
						if err, ok := item.(error); ok {
							return err
						}
						if err := add(item); err != nil {
							return err
						}
					}
					return nil
				})
			}
			c := dial(t, listen(t, h))
			c.send(post("/", agent2, echo))
			resp, body := c.response()
			if resp.StatusCode != 200 || !strings.HasPrefix(body, "<?xml version='1.0'?>\n<methodResponse>\n<fault>") ||
				!strings.Contains(body, test.want) {
				t.Errorf("got %s, %.500q; want a fault with %q", resp.Status, body, test.want)
			}
		})
	}
}
