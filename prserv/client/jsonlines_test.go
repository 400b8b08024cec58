package client_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/client"
	"prserver/prserv/store"
	"prserver/xmlrpc/spool"
)

// answers serves JSON lines: each command has the answer of the table, which is
// JSON, and every other one is refused. What was asked is noted.
func answers(t *testing.T, table map[string]string) (addr string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	handler := asyncrpc.NewHandler(asyncrpc.HandlerConfig{
		Protocol: "PRSERVICE", Version: "1.0", FirstTimeout: time.Minute, WriteTimeout: time.Minute,
		Log: slog.New(slog.DiscardHandler),
		Serve: func(_ context.Context, _ *asyncrpc.Session, message any) (any, error) {
			object, _ := message.(asyncrpc.Object)
			*asked = append(*asked, string(asyncrpc.Append(nil, object)))
			answer, ok := table[object[0].Name]
			if !ok {
				return nil, errors.New("unknown command")
			}
			if words, ok := strings.CutPrefix(answer, "!"); ok {
				return nil, &asyncrpc.InvokeError{Message: words}
			}
			return asyncrpc.Stream(func(w io.Writer) error { _, err := io.WriteString(w, answer); return err }), nil
		},
	})
	return listenRaw(t, func(conn net.Conn) {
		handler.ServeConn(context.Background(), conn, bufio.NewReader(conn), spool.Unlimited{})
	}), asked
}

func wantRevision(t *testing.T, want string) func(store.Revision, error) {
	return func(got store.Revision, err error) {
		t.Helper()
		if err != nil || got.String() != want {
			t.Errorf("got %v, %v; want %s", got, err, want)
		}
	}
}

// TestJSONLines gives every command, and reads both kinds of values.
func TestJSONLines(t *testing.T) {
	for _, value := range []string{`3`, `"3"`, `"3.1"`} {
		long := strings.Repeat(`{"version": "v", "pkgarch": "all", "checksum": "a b", "value": `+value+`}, `, 2000)
		addr, asked := answers(t, map[string]string{
			"ping":    `{"alive": true}`,
			"get-pr":  `{"value": ` + value + `}`,
			"test-pr": `{"value": null}`, "max-package-pr": `{"value": ` + value + `}`, "test-package": `{"value": true}`,
			"import-one": `{"value": ` + value + `}`, "is-readonly": `{"readonly": null}`,
			"export": `{"metainfo": {"tbl_name": "PRMAIN", "core_ver": "2.0.0", "col_info": [` +
				`{"name": "version", "type": "TEXT", "notnull": 1, "dflt_value": null, "pk": 1}]}, ` +
				`"datainfo": [` + strings.TrimSuffix(long, ", ") + `]}`,
		})
		c, ctx := client.NewJSONLines(addr, client.Timeout), t.Context()
		history, want := true, strings.Trim(value, `"`)
		if err := c.Ping(ctx); err != nil {
			t.Error(err)
		}
		wantRevision(t, want)(c.GetPR(ctx, "v", "all", "é", nil))
		wantRevision(t, "")(c.TestPR(ctx, "v", "all", "a", &history))
		wantRevision(t, want)(c.MaxPackagePR(ctx, "v", "all"))
		if known, err := c.TestPackage(ctx, "v", "all"); err != nil || !known {
			t.Errorf("TestPackage: got %v, %v", known, err)
		}
		wantRevision(t, want)(c.ImportOne(ctx, "v", "all", "a", int64(3)))
		wantRevision(t, want)(c.ImportOne(ctx, "v", "all", "a", store.Revision{3, 1}))
		if readOnly, err := c.IsReadOnly(ctx); err != nil || readOnly {
			t.Errorf("IsReadOnly: got %v, %v", readOnly, err)
		}
		out, err := c.Export(ctx, store.Filter{Version: &want}, true, &history)
		if err != nil || len(out.Rows) != 2000 || out.Rows[1999].Checksum != "a b" || out.Table != "PRMAIN" || out.CoreVersion != "2.0.0" ||
			!reflect.DeepEqual(out.Columns, []client.Column{{Name: "version", Type: "TEXT", NotNull: true, PrimaryKey: 1}}) {
			t.Errorf("Export: got %.200v, %v", out, err)
		}
		wantAsked := []string{
			`{"ping": {}}`,
			`{"get-pr": {"version": "v", "pkgarch": "all", "checksum": "\u00e9"}}`,
			`{"test-pr": {"version": "v", "pkgarch": "all", "checksum": "a", "history": true}}`,
			`{"max-package-pr": {"version": "v", "pkgarch": "all"}}`,
			`{"test-package": {"version": "v", "pkgarch": "all"}}`,
			`{"import-one": {"version": "v", "pkgarch": "all", "checksum": "a", "value": 3}}`,
			`{"import-one": {"version": "v", "pkgarch": "all", "checksum": "a", "value": "3.1"}}`,
			`{"is-readonly": {}}`,
			`{"export": {"version": "` + want + `", "pkgarch": null, "checksum": null, "colinfo": true, "history": true}}`,
		}
		if !reflect.DeepEqual(*asked, wantAsked) {
			t.Errorf("asked\n%s\nwant\n%s", strings.Join(*asked, "\n"), strings.Join(wantAsked, "\n"))
		}
		c.Close()
	}
}

// TestJSONLinesAgain connects again, and sends again, when the server closes a
// connection that was kept, but not for ever.
func TestJSONLinesAgain(t *testing.T) {
	var connections, refuse atomic.Int32
	addr := listenRaw(t, func(conn net.Conn) {
		connections.Add(1)
		in := bufio.NewReader(conn)
		for range 4 { // the hello, and one message
			in.ReadString('\n')
		}
		if refuse.Add(-1) < 0 {
			io.WriteString(conn, `{"alive": true}`+"\n")
		}
	})
	c := client.NewJSONLines(addr, client.Timeout)
	defer c.Close()
	for range 3 {
		if err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if got := connections.Load(); got != 3 {
		t.Errorf("%d connections for 3 answers that each ended one", got)
	}
	refuse.Store(2)
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	c.Close() // the server has closed this one as well
	connections.Store(0)
	refuse.Store(100)
	if err := c.Ping(t.Context()); !errors.Is(err, io.EOF) || !errors.Is(err, client.ErrNoAnswer) {
		t.Errorf("got %v, want EOF", err)
	}
	if got := connections.Load(); got != 4 {
		t.Errorf("%d attempts, want 4", got)
	}
}

// TestJSONLinesErrorTexts has errors on one line that a person can read, with
// their cause.
func TestJSONLinesErrorTexts(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := ln.Addr().String()
	ln.Close()
	const hint = "; is it a PR server? Those of BitBake up to 1.50 speak another protocol"
	reply := func(text string) string {
		return listenRaw(t, func(conn net.Conn) {
			in := bufio.NewReader(conn)
			for range 4 {
				in.ReadString('\n')
			}
			io.WriteString(conn, text)
			io.Copy(io.Discard, in)
		})
	}
	silent := listenRaw(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	reset := listenRaw(t, func(conn net.Conn) { conn.Read(make([]byte, 1)); conn.(*net.TCPConn).SetLinger(0) })
	words, _ := answers(t, map[string]string{"ping": "!No room on the disk"})
	for _, test := range []struct {
		addr, want string // ADDR is the address
		cause      error
	}{
		{nobody, "connecting to ADDR: connection refused; is the server running, and on that port?", syscall.ECONNREFUSED},
		{listenRaw(t, func(net.Conn) {}), "asking ADDR: ping: ", client.ErrNoAnswer},
		{reset, "asking ADDR: ping: connection reset by peer" + hint, syscall.ECONNRESET},
		{reply("null\n"), "ping: the server answered null, which is not an answer of a PR server", nil},
		{reply("PONG\n"), "ping: reading the answer of ADDR: no JSON: a value is missing at byte 0; is it a PR server?", nil},
		{silent, "asking ADDR: ping: ", context.DeadlineExceeded},
		{words, "ping: No room on the disk", nil},
	} {
		timeout := client.Timeout
		if test.addr == silent {
			timeout = time.Millisecond
		}
		c := client.NewJSONLines(test.addr, timeout)
		err := c.Ping(t.Context())
		if want := strings.Replace(test.want, "ADDR", test.addr, 1); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if test.cause != nil && !errors.Is(err, test.cause) {
			t.Errorf("%v does not wrap %v", err, test.cause)
		}
		c.Close()
	}
	c := client.NewJSONLines(words, client.Timeout)
	defer c.Close()
	if _, err := c.GetPR(t.Context(), "\xff", "all", "a", nil); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}
