package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"prserver/prserv/client"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// TestClient calls every method of a server of ours.
func TestClient(t *testing.T) {
	r := prservtest.Serve(t, prservtest.NewFile(t))
	c, ctx := r.Client(), t.Context()
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
	wantValue(t, 0)(c.GetPR(ctx, "v", "all", "a"))
	wantValue(t, 1)(c.GetPR(ctx, "v", "all", "b"))
	wantValue(t, 7)(c.ImportOne(ctx, "v", "arm", "a", 7))
	wantValue(t, 7)(c.ImportOne(ctx, "v", "arm", "a", 3))
	wantValue(t, -3)(c.ImportOne(ctx, "w", "arm", "a", -3))

	dump, err := readDump(c.DumpDB(ctx))
	if want := `INSERT INTO "PRMAIN_nohist" VALUES('v','arm','a',7);`; err != nil || !strings.Contains(dump, want) {
		t.Errorf("DumpDB: got %q, %v; want %s in it", dump, err, want)
	}
	got, err := c.Export(ctx, store.Filter{}, true)
	want := &client.Exported{
		Table: "PRMAIN_nohist", CoreVersion: "1.0.0",
		Columns: []client.Column{
			{Name: "version", Type: "TEXT", NotNull: true, PrimaryKey: 1},
			{Name: "pkgarch", Type: "TEXT", NotNull: true, PrimaryKey: 2},
			{Name: "checksum", Type: "TEXT", NotNull: true, PrimaryKey: 3},
			{Name: "value", Type: "INTEGER"},
		},
		Rows: []client.Row{{"v", "all", "b", 1}, {"v", "arm", "a", 7}, {"w", "arm", "a", -3}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Export:\n got  %+v, %v\n want %+v", got, err, want)
	}
	arm := "arm"
	got, err = c.Export(ctx, store.Filter{Version: &want.Rows[0].Version, Pkgarch: &arm}, false)
	if want := (&client.Exported{Rows: want.Rows[1:2]}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Export with filters:\n got  %+v, %v\n want %+v", got, err, want)
	}
	if err := c.Quit(ctx); err != nil {
		t.Error(err)
	}
	r.WantServed(t)
	if err := c.Ping(ctx); err == nil {
		t.Error("a server that has ended was pinged")
	}
}

// readDump reads a whole dump.
func readDump(dump io.ReadCloser, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer dump.Close()
	text, err := io.ReadAll(dump)
	return string(text), err
}

func wantValue(t *testing.T, want int64) func(int64, error) {
	return func(got int64, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("got %d, %v; want %d", got, err, want)
		}
	}
}

// TestClientTexts sends texts that something on the way could change, and has
// them back from an export.
func TestClientTexts(t *testing.T) {
	for _, text := range []string{
		"a<b>&amp;c]]>", `quotes ' " and \`, " padded ", "\ttab", "two\nlines", "Zoë 日本 𝄞",
		strings.Repeat("0123456789", 300), "<nil/>", "é\u0301", "%s%d", "<fault></fault>",
	} {
		r := prservtest.Serve(t, prservtest.NewFile(t))
		c, ctx := r.Client(), t.Context()
		wantValue(t, 0)(c.GetPR(ctx, text, text, text))
		wantValue(t, 0)(c.GetPR(ctx, text, text, text))
		got, err := c.Export(ctx, store.Filter{}, false)
		want := &client.Exported{Rows: []client.Row{{text, text, text, 0}}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Export:\n got  %+v, %v\n want %+v", got, err, want)
		}
	}
}

// TestClientEmptyTexts reads empty strings as such, and not as nil.
func TestClientEmptyTexts(t *testing.T) {
	r := prservtest.Serve(t, prservtest.NewFile(t))
	c, ctx := r.Client(), t.Context()
	wantValue(t, 4)(c.ImportOne(ctx, "v", "", "", 4))
	wantValue(t, 4)(c.GetPR(ctx, "v", "", ""))
	got, err := c.Export(ctx, store.Filter{}, false)
	want := &client.Exported{Rows: []client.Row{{"v", "", "", 4}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Export:\n got  %+v, %v\n want %+v", got, err, want)
	}
}

// TestClientImpossibleTexts does not ask for another key than it was given
// where XML has no way to write it.
func TestClientImpossibleTexts(t *testing.T) {
	file := prservtest.NewFile(t)
	r := prservtest.Serve(t, file)
	for _, text := range []string{"\x00", "a\x01", "\x1b", "\xff", "\ufffe"} {
		if v, err := r.Client().GetPR(t.Context(), "v", "all", text); err == nil {
			t.Errorf("checksum %q: got %d, want an error; stored %q", text, v, prservtest.Rows(t, file))
		}
	}
	prservtest.WantRows(t, file)
}

// TestClientNil tells nil from 0. The trigger keeps rows from being stored,
// which the reference answers with nil.
func TestClientNil(t *testing.T) {
	file := prservtest.NewFile(t)
	prservtest.Make(t, file)
	prservtest.Execute(t, prservtest.Outside(t, file), `CREATE TRIGGER refuse BEFORE INSERT ON PRMAIN_nohist
		WHEN new.version = 'refused' BEGIN SELECT raise(ABORT, 'refused'); END`)
	c := prservtest.Serve(t, file).Client()
	wantValue(t, 0)(c.GetPR(t.Context(), "v", "all", "a"))
	if v, err := c.GetPR(t.Context(), "refused", "all", "a"); !errors.Is(err, client.ErrNoValue) || v != 0 {
		t.Errorf("got %d, %v; want ErrNoValue", v, err)
	}
	wantValue(t, 1)(c.GetPR(t.Context(), "v", "all", "b"))
}

// TestClientFault gets a fault for a value that XML-RPC has no integer for.
// The row is stored all the same, as in the reference.
func TestClientFault(t *testing.T) {
	file := prservtest.NewFile(t)
	c := prservtest.Serve(t, file).Client()
	_, err := c.ImportOne(t.Context(), "v", "all", "a", 1<<31)
	var fault *client.FaultError
	want := client.FaultError{Code: 1, Message: "<type 'exceptions.OverflowError'>:int exceeds XML-RPC limits"}
	if !errors.As(err, &fault) || *fault != want {
		t.Errorf("got %v, want %v", err, &want)
	}
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "a", int64(1)<<31))
}

// reply makes a server that has one reply for everything. Each is sent as it
// stands; an empty one closes the connection.
func reply(t *testing.T, bytes string) *client.Client {
	t.Helper()
	return client.New(listen(t, func(conn net.Conn) { io.WriteString(conn, bytes) }), client.Timeout)
}

// listen makes a server that hands each connection on once it has sent a
// whole request.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	return listenRaw(t, func(conn net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return // the client has given up
		}
		io.Copy(io.Discard, req.Body)
		serve(conn)
	})
}

// listenRaw starts a server that calls serve for each connection.
func listenRaw(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return ln.Addr().String()
}

func response(value string) string {
	body := "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>" + value + "</value>\n</param>\n</params>\n</methodResponse>\n"
	return fmt.Sprintf("HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// TestClientGarbage has servers that are none, or that answer what no PR
// server answers: every call fails.
func TestClientGarbage(t *testing.T) {
	const ok = "HTTP/1.0 200 OK\r\n\r\n"
	deep := strings.Repeat("<array><data><value>", 1000) + "<int>1</int>" + strings.Repeat("</value></data></array>", 1000)
	replies := map[string]string{
		"nothing":               "",
		"no HTTP":               "\x00\x01\x02 SSH-2.0-OpenSSH_9.2\r\n",
		"half a head":           "HTTP/1.0 200 OK\r\nContent-",
		"an error":              "HTTP/1.0 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
		"no such page":          "HTTP/1.0 404 Not Found\r\n\r\n" + strings.TrimPrefix(response("<int>1</int>"), "HTTP/1.0 200 OK\r\n"),
		"no body":               ok,
		"a page":                ok + "<!DOCTYPE html><html><body><p>Welcome<br></body></html>",
		"XML of another kind":   ok + "<?xml version='1.0'?><rss><channel/></rss>",
		"half an answer":        response("<int>1</int>")[:150],
		"half XML":              ok + "<methodResponse><params><param><value><int>1",
		"no value":              ok + "<methodResponse><params></params></methodResponse>",
		"less than it promised": "HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n<methodResponse>",
		"broken gzip":           "HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip",
		"no integer":            response("<int>one</int>"),
		"a great integer":       response("<int>99999999999999999999</int>"),
		"a number":              response("<double>1.5</double>"),
		"an unknown tag":        response("<one/>"),
		"a struct":              response("<struct><member><name>value</name><value><int>1</int></value></member></struct>"),
		"an empty array":        response("<array><data></data></array>"),
		"an array of numbers":   response("<array><data><value><int>1</int></value><value><int>2</int></value></data></array>"),
		"a deep array":          response(deep),
		"half an export":        response("<array><data><value><struct></struct></value><value><array><data><value><struct></struct></value></data></array></value></data></array>"),
		"an empty fault":        ok + "<methodResponse><fault></fault></methodResponse>",
		"a fault of strings":    ok + "<methodResponse><fault><value><struct><member><name>faultCode</name><value>x</value></member></struct></value></fault></methodResponse>",
	}
	for about, bytes := range replies {
		t.Run(about, func(t *testing.T) {
			c, ctx := reply(t, bytes), t.Context()
			calls := map[string]func() (any, error){
				"getPR":     func() (any, error) { return c.GetPR(ctx, "v", "all", "a") },
				"importone": func() (any, error) { return c.ImportOne(ctx, "v", "all", "a", 1) },
				"dump_db":   func() (any, error) { return readDump(c.DumpDB(ctx)) },
				"export":    func() (any, error) { return c.Export(ctx, store.Filter{}, true) },
				"ping":      func() (any, error) { return nil, c.Ping(ctx) },
			}
			for method, call := range calls {
				v, err := call()
				if err == nil {
					t.Errorf("%s: got %v, want an error", method, v)
				} else if !strings.Contains(err.Error(), method+": ") {
					t.Errorf("%s: the error does not name the method: %v", method, err)
				}
			}
		})
	}
}

// TestClientNilAnswers has ErrNoValue for a nil and for nothing else.
func TestClientNilAnswers(t *testing.T) {
	ctx := t.Context()
	c := reply(t, response("<nil/>"))
	_, errGet := c.GetPR(ctx, "v", "all", "a")
	_, errImport := c.ImportOne(ctx, "v", "all", "a", 1)
	_, errDump := c.DumpDB(ctx)
	_, errExport := c.Export(ctx, store.Filter{}, true)
	for method, err := range map[string]error{"getPR": errGet, "importone": errImport, "dump_db": errDump, "export": errExport} {
		if !errors.Is(err, client.ErrNoValue) {
			t.Errorf("%s: got %v, want ErrNoValue", method, err)
		}
	}
	for _, value := range []string{"<string>x</string>", "<boolean>0</boolean>"} {
		if v, err := reply(t, response(value)).GetPR(ctx, "v", "all", "a"); err == nil || errors.Is(err, client.ErrNoValue) {
			t.Errorf("getPR answered with %s: got %d, %v; want another error than ErrNoValue", value, v, err)
		}
	}
	wantValue(t, 0)(reply(t, response("<int>0</int>")).GetPR(ctx, "v", "all", "a"))
	wantValue(t, 0)(reply(t, response("\n <i4>0</i4> ")).GetPR(ctx, "v", "all", "a"))
}

// TestClientFaults takes faults as Python's server writes them.
func TestClientFaults(t *testing.T) {
	body := "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n" +
		"<member>\n<name>faultCode</name>\n<value><int>3</int></value>\n</member>\n" +
		"<member>\n<name>faultString</name>\n<value><string>&lt;class 'X'&gt;:\nhow &amp; why</string></value>\n</member>\n" +
		"</struct></value>\n</fault>\n</methodResponse>\n"
	_, err := reply(t, "HTTP/1.0 200 OK\r\n\r\n"+body).GetPR(t.Context(), "v", "all", "a")
	var fault *client.FaultError
	if want := (client.FaultError{Code: 3, Message: "<class 'X'>:\nhow & why"}); !errors.As(err, &fault) || *fault != want {
		t.Errorf("got %v, want %v", err, &want)
	}
}

// TestClientTimeout does not wait longer than it may for a server that does
// not answer, or not to the end.
func TestClientTimeout(t *testing.T) {
	for about, bytes := range map[string]string{"silent": "", "half": response("<int>1</int>")[:150]} {
		t.Run(about, func(t *testing.T) {
			release := make(chan struct{})
			addr := listen(t, func(conn net.Conn) { io.WriteString(conn, bytes); <-release })
			defer close(release)
			_, err := client.New(addr, 50*time.Millisecond).GetPR(t.Context(), "v", "all", "a")
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("got %v, want a timeout", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err = client.New(addr, client.Timeout).GetPR(ctx, "v", "all", "a")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want context.DeadlineExceeded", err)
			}
		})
	}
}

func TestClientCancelled(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	addr := listen(t, func(net.Conn) { close(arrived); <-release })
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if _, err := client.New(addr, client.Timeout).GetPR(ctx, "v", "all", "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled on the way: got %v, want context.Canceled", err)
	}
	if _, err := client.New(addr, client.Timeout).GetPR(ctx, "v", "all", "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: got %v, want context.Canceled", err)
	}
}
