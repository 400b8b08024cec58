package prserv_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"math/big"
	"net"
	"strings"
	"testing"

	"prserver/compat"
	"prserver/prserv"
	"prserver/prserv/client"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/xmlrpc"
)

// call calls a method as a client with Python 2 does.
func call(t *testing.T, s *prserv.Server, method string, params ...any) (any, error) {
	t.Helper()
	return s.Call(t.Context(), &xmlrpc.Call{Method: method, HasMethod: true, Params: params, Dialect: compat.Py2})
}

// TestKeysOfAnyType stores what is no string as SQLite's TEXT columns have it.
func TestKeysOfAnyType(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.New(t, prservtest.Open(t, file))
	for _, test := range []struct {
		method string
		params []any
		want   any
	}{
		{"getPR", []any{int64(5), true, 1.5}, int64(0)},
		{"getPR", []any{"5", "1", "1.5"}, int64(0)},
		{"importone", []any{"v", "all", "truth", true}, int64(1)},
		{"importone", []any{1e20, false, "big", int64(7)}, int64(7)},
		{"importone", []any{"v", "all", "nan", math.NaN()}, nil},
	} {
		if got, err := call(t, s, test.method, test.params...); err != nil || got != test.want {
			t.Errorf("%s%v: got %v, %v; want %v", test.method, test.params, got, err, test.want)
		}
	}
	prservtest.WantRows(t, file, prservtest.Row("5", "1", "1.5", int64(0)), prservtest.Row("v", "all", "truth", int64(1)),
		prservtest.Row("1.0e+20", "0", "big", int64(7)), prservtest.Row("v", "all", "nan", nil))
}

// TestLongKeys refuses parts of a key, and values, that no PR client sends.
func TestLongKeys(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.New(t, prservtest.Open(t, file))
	longest := strings.Repeat("x", 64<<10)
	for i := range 4 {
		params := []any{"v", "all", "a", "1"}
		params[i] = longest + "x"
		if v, err := call(t, s, "importone", params...); v != nil || !errors.Is(err, prserv.ErrTextTooLong) {
			t.Errorf("importone with a long parameter %d: %.20v, %v", i+1, v, err)
		}
		if i == 3 {
			break
		}
		for _, other := range []any{"b", nil} {
			params = []any{other, other, other}
			params[i] = longest + "x"
			if v, err := call(t, s, "getPR", params...); v != nil || !errors.Is(err, prserv.ErrTextTooLong) {
				t.Errorf("getPR with a long parameter %d beside %v: %.20v, %v", i+1, other, v, err)
			}
		}
	}
	prservtest.WantRows(t, file)
	for want := range 2 {
		if v, err := call(t, s, "getPR", longest, longest, longest[want:]); v != int64(want) || err != nil {
			t.Errorf("getPR with the longest key: %v, %v", v, err)
		}
	}
}

// TestImpossibleKeys changes nothing, and leaves no lock.
func TestImpossibleKeys(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.New(t, prservtest.Open(t, file))
	for _, bad := range []any{nil, []any{}, xmlrpc.Struct{}, xmlrpc.Binary("x"), new(big.Int).Lsh(big.NewInt(1), 64), math.NaN()} {
		for i := range 3 {
			key := []any{"v", "all", "a"}
			key[i] = bad
			_, isBig := bad.(*big.Int)
			if v, err := call(t, s, "getPR", key...); v != nil || isBig != errors.Is(err, prserv.ErrIntegerRange) {
				t.Errorf("getPR(%v): got %v, %v", key, v, err)
			}
			if v, err := call(t, s, "importone", append(key, int64(1))...); v != nil {
				t.Errorf("importone(%v): got %v, %v; want none", key, v, err)
			}
			prservtest.WantRows(t, file)
			db := prservtest.Outside(t, file)
			prservtest.Execute(t, db, "PRAGMA busy_timeout = 0", "BEGIN IMMEDIATE", "ROLLBACK")
		}
	}
	var bind *prserv.BindError
	if _, err := call(t, s, "importone", "v", "all", []any{}, int64(1)); !errors.As(err, &bind) || bind.Index != 2 {
		t.Errorf("an array as checksum: got %v, want a BindError of argument 2", err)
	}
}

// troubled is a store whose database does nothing.
type troubled struct {
	store.Store
	err error
}

func (s troubled) GetPR(context.Context, store.Key, store.Mode) (store.Value, error) {
	return nil, s.err
}
func (s troubled) ImportOne(context.Context, store.Key, store.Value) (store.Value, error) {
	return nil, s.err
}
func (s troubled) Export(context.Context, store.Filter, func(store.Row) error) error { return s.err }
func (s troubled) Columns(context.Context, bool) ([]store.Column, error)             { return nil, s.err }
func (s troubled) Check(context.Context) error                                       { return s.err }
func (s troubled) Dump(_ context.Context, w io.Writer) error {
	io.WriteString(w, "BEGIN TRANSACTION;\n")
	return s.err
}

// TestTrouble answers nil or a fault as the reference does. The log has the
// reason for each nil and for all trouble of the database, with the package and
// the file.
func TestTrouble(t *testing.T) {
	full := &store.FileError{File: "/srv/pr.db", Err: &store.Error{Reason: store.ErrFull, Text: "database or disk is full"}}
	for _, test := range []struct {
		method string
		params []any
		err    error
		fault  bool
		log    string // what follows the error; nothing is logged if it is empty
	}{
		{"getPR", []any{"v", "all", "a"}, full, false, "method=getPR version=v pkgarch=all client=\"\" file=/srv/pr.db"},
		{"getPR", []any{"v", "all", "a"}, context.Canceled, true, ""},
		{"importone", []any{"v", "all", "a", int64(1)}, full, true, "method=importone version=v pkgarch=all client=\"\" file=/srv/pr.db"},
		{"export", nil, full, false, "method=export client=\"\" file=/srv/pr.db"},
		{"export", []any{nil, "all", "", false}, full, false, "method=export pkgarch=all client=\"\" file=/srv/pr.db"},
		{"export", nil, context.Canceled, true, ""},
		{"dump_db", nil, full, false, "method=dump_db client=\"\" file=/srv/pr.db"},
		{"dump_db", nil, context.Canceled, false, ""},
		{"dump_db", nil, store.ErrClosed, false, ""},
	} {
		logged := &prservtest.Log{}
		s, err := prserv.New(prserv.Config{
			Store: troubled{err: test.err}, Dialect: compat.DialectFor, Log: slog.New(slog.NewTextHandler(logged, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		v, err := call(t, s, test.method, test.params...)
		if v != nil || test.fault != errors.Is(err, test.err) {
			t.Errorf("%s%v where the store says %q: got %v, %v", test.method, test.params, test.err, v, err)
		}
		_, said, told := strings.Cut(strings.TrimSpace(logged.String()), test.err.Error())
		if said = strings.TrimLeft(said, `" `); said != test.log || told == (test.log == "") {
			t.Errorf("%s%v: behind the error the log says %q, want %q", test.method, test.params, said, test.log)
		}
	}
}

// TestReadOnlyImport refuses an import, whatever the store would do.
func TestReadOnlyImport(t *testing.T) {
	s, err := prserv.New(prserv.Config{
		Store: troubled{}, ReadOnly: true, Dialect: compat.DialectFor, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := call(t, s, "importone", "v", "all", "a", int64(1)); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("got %v, %v; want ErrReadOnly", v, err)
	}
}

// panicking is a store that panics.
type panicking struct{ store.Store }

func (panicking) Check(context.Context) error { return nil }

func (panicking) GetPR(context.Context, store.Key, store.Mode) (store.Value, error) {
	panic("a store that panics")
}

// TestPanic closes the connection whose call panics, tells the operator, and
// answers the next client.
func TestPanic(t *testing.T) {
	logged := &prservtest.Log{}
	addr, _ := serveConfig(t, prserv.Config{Store: panicking{}, Log: slog.New(slog.NewTextHandler(logged, nil))})
	c := client.New(addr, client.Timeout)
	if v, err := c.GetPR(t.Context(), "v", "all", "a"); err == nil {
		t.Errorf("answered %d", v)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Errorf("the next client: %v", err)
	}
	prservtest.WaitFor(t, "the log to tell of it", func() bool { return strings.Contains(logged.String(), "a store that panics") })
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
