package client_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"prserver/prserv/client"
	"prserver/prserv/prservtest"
)

const (
	beforeText = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><string>"
	behindText = "</string></value>\n</param>\n</params>\n</methodResponse>\n"
	httpOK     = "HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n"
)

// TestClientDump reads a dump of ours, which comes packed, as it is made.
func TestClientDump(t *testing.T) {
	file := prservtest.OddFile(t)
	s := prservtest.Open(t, file)
	var dump strings.Builder
	if err := s.Dump(t.Context(), &dump); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := dump.String()
	if got, err := readDump(prservtest.Serve(t, file).Client().DumpDB(t.Context())); err != nil || got != want {
		t.Errorf("%d bytes, %v; want the %d of the dump", len(got), err, len(want))
	}
}

// answersWithText are answers and the text in them.
var answersWithText = []struct{ answer, want string }{
	{beforeText + "a\nb;\n" + behindText, "a\nb;\n"},
	{beforeText + "a &amp;&lt;&gt;&quot;&apos; &#65;&#x42;&#x1D11E; &amp;amp;" + behindText, "a &<>\"' AB𝄞 &amp;"},
	{beforeText + "&lt;nil/&gt;" + behindText, "<nil/>"},
	{beforeText + "a\rb\r\nc\r\r\n\nd&#13;\n\r&#10;e\r" + behindText, "a\nb\nc\n\n\nd\r\n\n\ne\n"},
	{beforeText + "  a " + behindText, "  a "},
	{beforeText + "Zoë 日本 𝄞" + behindText, "Zoë 日本 𝄞"},
	// No client could read these, but they are in files.
	{beforeText + "a\x01b\xff" + behindText, "a\x01b\xff"},
	{"<?xml version=\"1.0\" encoding='utf-8' ?><methodResponse><params><param><value><string>a" +
		"</string></value></param></params></methodResponse>", "a"},
	{" <methodResponse>\n\t<params> <param>\r\n<value> <string>a</string> </value>\n\n</param> </params>\n</methodResponse>\n\n", "a"},
	{"<methodResponse><params><param><value>a &amp; b </value></param></params></methodResponse>", "a & b "},
	{"<methodResponse><params><param><value>\na</value></param></params></methodResponse>", "\na"},
	{beforeText + strings.Repeat("a&amp;\r\n", 20000) + behindText, strings.Repeat("a&\n", 20000)},
	{beforeText + strings.Repeat("a", 150000) + behindText, strings.Repeat("a", 150000)},
}

func TestReadText(t *testing.T) {
	for _, test := range answersWithText {
		for about, r := range map[string]io.Reader{
			"at once":              strings.NewReader(test.answer),
			"byte by byte":         iotest.OneByteReader(strings.NewReader(test.answer)),
			"with its end":         iotest.DataErrReader(strings.NewReader(test.answer)),
			"where buffers end so": iotest.HalfReader(strings.NewReader(test.answer)),
		} {
			if got, err := client.ReadText(r); err != nil || got != test.want {
				t.Errorf("%.200q %s: got %.200q, %v; want %.200q", test.answer, about, got, err, test.want)
			}
		}
	}
}

// TestReadTextCut has no end of file where an answer has none.
func TestReadTextCut(t *testing.T) {
	for _, test := range answersWithText {
		whole := strings.TrimRight(test.answer, "\n")
		for _, cut := range []int{1, 2, 5, 15, 16, 17, 25, len(behindText) - 3, len(behindText) - 1, len(behindText), len(behindText) + 3} {
			answer := whole[:max(0, len(whole)-cut)]
			if !strings.Contains(answer, "<value>a") && !strings.Contains(answer, "<string>a") {
				continue // not known to be a text
			}
			if got, err := client.ReadText(strings.NewReader(answer)); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%.200q without %d bytes: got %.200q, %v; want io.ErrUnexpectedEOF", test.answer, cut, got, err)
			}
		}
	}
}

// TestReadTextWrong fails for what is no text that XML has.
func TestReadTextWrong(t *testing.T) {
	for _, answer := range []string{
		beforeText + "a&b;" + behindText,
		beforeText + "a&;" + behindText,
		beforeText + "a& " + behindText,
		beforeText + "a&amp" + behindText,
		beforeText + "a&#;" + behindText,
		beforeText + "a&#x;" + behindText,
		beforeText + "a&#X41;" + behindText,
		beforeText + "a&#1114112;" + behindText,
		beforeText + "a&#99999999999999999999;" + behindText,
		beforeText + "a&#-1;" + behindText,
		beforeText + "a&41;" + behindText,
		beforeText + "a<b></b>" + behindText,
		beforeText + "a" + behindText + "<more>",
		beforeText + "a" + behindText + strings.Repeat(" ", 5000),
		beforeText + "a</value></param></params></methodResponse>",
		"<methodResponse><params><param><value>a</string></value></param></params></methodResponse>",
		beforeText + "<![CDATA[a]]>" + behindText,
		beforeText + behindText,
		"<?xml version='1.0' encoding='iso-8859-1'?><methodResponse><params><param><value>a</value></param></params></methodResponse>",
		strings.Repeat(" ", 70000) + "<methodResponse/>",
		"",
	} {
		got, err := client.ReadText(strings.NewReader(answer))
		if err == nil || !strings.HasPrefix(err.Error(), "dump_db: ") {
			t.Errorf("%.200q: got %.200q, %v; want an error that names the method", answer, got, err)
		}
	}
}

// FuzzReadText holds our reader against encoding/xml.
func FuzzReadText(f *testing.F) {
	for _, test := range answersWithText {
		if _, text, ok := strings.Cut(test.answer, "<string>"); ok && len(text) < 1000 {
			text, _, _ = strings.Cut(text, "</string>")
			f.Add(text)
		}
	}
	zeros := regexp.MustCompile(`&#x?0{10}`) // longer than anybody writes it
	f.Fuzz(func(t *testing.T, text string) {
		got, err := client.ReadText(iotest.HalfReader(strings.NewReader(beforeText + text + behindText)))
		if strings.Contains(text, "<") || strings.TrimSpace(text) == "" || len(text) > 4000 || zeros.MatchString(text) {
			return
		}
		var want string
		if xml.Unmarshal([]byte("<string>"+text+"</string>"), &want) != nil {
			return
		}
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
		}
	})
}

// TestClientDumpCut breaks answers off in the ways in which net/http sees
// that something is missing, and in which it does not.
func TestClientDumpCut(t *testing.T) {
	whole := beforeText + strings.Repeat("INSERT;\n", 20000) + behindText
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	io.WriteString(w, whole)
	w.Close()
	zip := packed.String()
	for about, answer := range map[string]string{
		"open":           httpOK + "\r\n" + whole[:100000],
		"with a length":  httpOK + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(whole)) + whole[:100000],
		"packed":         httpOK + "Content-Encoding: gzip\r\n\r\n" + zip[:len(zip)-20],
		"its check only": httpOK + "Content-Encoding: gzip\r\n\r\n" + zip[:len(zip)-4],
	} {
		if got, err := readDump(reply(t, answer).DumpDB(t.Context())); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %d bytes, %v; want io.ErrUnexpectedEOF", about, len(got), err)
		}
	}
	damaged := []byte(zip)
	damaged[len(damaged)-6] ^= 1
	got, err := readDump(reply(t, httpOK+"Content-Encoding: gzip\r\n\r\n"+string(damaged)).DumpDB(t.Context()))
	if !errors.Is(err, gzip.ErrChecksum) {
		t.Errorf("damaged: got %d bytes, %v; want %v", len(got), err, gzip.ErrChecksum)
	}
}

// TestClientDumpRefused has an error at once where there is no dump.
func TestClientDumpRefused(t *testing.T) {
	fault := httpOK + "\r\n<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n" +
		"<member>\n<name>faultCode</name>\n<value><int>1</int></value>\n</member>\n" +
		"<member>\n<name>faultString</name>\n<value><string>a &amp; b</string></value>\n</member>\n" +
		"</struct></value>\n</fault>\n</methodResponse>\n"
	for answer, want := range map[string]string{
		fault:                        "dump_db: fault 1: a & b",
		response("<nil/>"):           "dump_db: the server has no value",
		response("<int>3</int>"):     "dump_db: the server answered 3 (int64), which is not an answer of a PR server",
		"HTTP/1.0 404 No\r\n\r\n":    "dump_db: the server answered HTTP status 404 No; is it a PR server?",
		httpOK + "\r\n" + beforeText: "dump_db: reading the answer: XML syntax error on line 5: unexpected EOF; is it a PR server?",
	} {
		dump, err := reply(t, answer).DumpDB(t.Context())
		if err == nil || err.Error() != want || dump != nil {
			t.Errorf("got %v, %v; want %s", dump, err, want)
		}
	}
	var f *client.FaultError
	if _, err := reply(t, fault).DumpDB(t.Context()); !errors.As(err, &f) || f.Code != 1 {
		t.Errorf("got %v, want a FaultError", err)
	}
}

// TestClientDumpTimeouts waits for as long as something comes, and for the
// beginning longer.
func TestClientDumpTimeouts(t *testing.T) {
	const timeout = time.Second
	begun := func(conn net.Conn) { io.WriteString(conn, httpOK+"\r\n"+beforeText+"BEGIN") }
	never := make(chan struct{})
	defer close(never)
	for about, test := range map[string]struct {
		serve func(net.Conn)
		begin time.Duration
		want  string // of the error
	}{
		"nothing comes": {func(net.Conn) { <-never }, timeout / 10, "nothing has come for 100ms"},
		"no more comes": {func(conn net.Conn) { begun(conn); <-never }, 10 * timeout, "dump_db: reading the answer: nothing has come for 1s"},
		"it begins late": {func(conn net.Conn) {
			time.Sleep(timeout * 3 / 2)
			begun(conn)
			io.WriteString(conn, behindText)
		}, 20 * timeout, ""},
		"it comes slowly": {func(conn net.Conn) {
			begun(conn)
			for range 6 {
				time.Sleep(timeout / 4)
				io.WriteString(conn, "x")
			}
			io.WriteString(conn, behindText)
		}, timeout, ""},
	} {
		c := client.New(listen(t, test.serve), timeout)
		c.WaitForDumps(test.begin)
		got, err := readDump(c.DumpDB(t.Context()))
		var timeout net.Error
		switch {
		case test.want == "" && (err != nil || !strings.HasPrefix(got, "BEGIN")):
			t.Errorf("%s: got %q, %v", about, got, err)
		case test.want != "" && (!errors.As(err, &timeout) || !timeout.Timeout() || !strings.HasSuffix(err.Error(), test.want)):
			t.Errorf("%s: got %q, %v; want a timeout: %s", about, got, err, test.want)
		}
	}
}

// TestClientDumpCancelled ends a dump that is being read with its context, and
// one that nobody wants with Close.
func TestClientDumpCancelled(t *testing.T) {
	gone := make(chan error, 1)
	addr := listen(t, func(conn net.Conn) {
		io.WriteString(conn, httpOK+"\r\n"+beforeText+"BEGIN")
		_, err := conn.Read(make([]byte, 1))
		gone <- err
	})
	for about, end := range map[string]func(cancel func(), dump io.Closer){
		"context": func(cancel func(), dump io.Closer) { cancel() },
		"Close":   func(cancel func(), dump io.Closer) { dump.Close() },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		dump, err := client.New(addr, client.Timeout).DumpDB(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 5)
		if _, err := io.ReadFull(dump, got); err != nil || string(got) != "BEGIN" {
			t.Errorf("%s: got %q, %v; want BEGIN", about, got, err)
		}
		read := make(chan error)
		go func() { _, err := dump.Read(got); read <- err }()
		end(cancel, dump)
		if err := <-read; err == nil || errors.Is(err, io.EOF) || about == "context" && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Read ends with %v", about, err)
		}
		<-gone
		dump.Close()
		dump.Close() // once more does no harm
	}
}

// TestClientDumpMemory reads a large dump in little memory.
func TestClientDumpMemory(t *testing.T) {
	const pieces, limit = 800, 4 << 20
	piece := []byte(strings.Repeat("INSERT INTO \"PRMAIN_nohist\" VALUES('a &amp; b','all','c',1);\n", 1000))
	addr := listen(t, func(conn net.Conn) {
		io.WriteString(conn, httpOK+"\r\n"+beforeText)
		for range pieces {
			if _, err := conn.Write(piece); err != nil {
				return
			}
		}
		io.WriteString(conn, behindText)
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	dump, err := client.New(addr, client.Timeout).DumpDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer dump.Close()
	n, err := io.Copy(io.Discard, dump)
	runtime.ReadMemStats(&after)
	want := int64(pieces * (len(piece) - 1000*len("amp;")))
	if err != nil || n != want {
		t.Errorf("got %d bytes, %v; want %d", n, err, want)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > limit {
		t.Errorf("%d bytes were allocated for a dump of %d, more than %d", took, n, limit)
	}
}
