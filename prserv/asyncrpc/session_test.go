package asyncrpc_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/prservtest"
	"prserver/xmlrpc/spool"
)

// script is a connection whose client sends all it has at once.
type script struct {
	net.Conn
	in            io.Reader
	writes        []string
	readDeadlines []bool // whether there was one
}

func (c *script) Read(p []byte) (int, error) { return c.in.Read(p) }

func (c *script) Write(p []byte) (int, error) {
	c.writes = append(c.writes, string(p))
	return len(p), nil
}

func (c *script) SetReadDeadline(at time.Time) error {
	c.readDeadlines = append(c.readDeadlines, !at.IsZero())
	return nil
}

func (c *script) SetWriteDeadline(time.Time) error { return nil }

func (c *script) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1234} }

// account notes what a session is about, and lets it hold only so much.
type account struct {
	spool.Unlimited
	phases []spool.Phase
	room   int
	held   int
	most   int
}

var errRoom = errors.New("no room")

func (a *account) Enter(p spool.Phase) {
	a.phases = append(a.phases, p)
	if p == spool.Reading {
		a.held = 0
	}
}

func (a *account) Hold(n int) error {
	if a.held+n > a.room {
		return errRoom
	}
	a.held += n
	a.most = max(a.most, a.held)
	return nil
}

type serveFunc = func(context.Context, *asyncrpc.Session, any) (any, error)

// play serves a script and returns the connection and what was logged.
func play(t *testing.T, serve serveFunc, in io.Reader, account spool.Account) (*script, string) {
	t.Helper()
	var log bytes.Buffer
	h := asyncrpc.NewHandler(asyncrpc.HandlerConfig{
		Protocol: "PRSERVICE", Version: "1.0", Serve: serve, FirstTimeout: time.Minute, WriteTimeout: time.Minute,
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})),
	})
	conn := &script{in: in}
	h.ServeConn(t.Context(), conn, bufio.NewReaderSize(conn, 4096), account)
	return conn, log.String()
}

// TestOneWrite sends the answers to messages that came together together.
func TestOneWrite(t *testing.T) {
	a := &account{}
	conn, _ := play(t, echo, strings.NewReader(hello+"[1]\n[2]\n[3]\n"), a)
	if want := []string{"[1]\n[2]\n[3]\n"}; !slices.Equal(conn.writes, want) {
		t.Errorf("got %q, want %q", conn.writes, want)
	}
	if want := []spool.Phase{spool.Working, spool.Sending, spool.Reading}; !slices.Equal(a.phases, want) {
		t.Errorf("phases %v, want %v", a.phases, want)
	}
	if want := []bool{true, false}; !slices.Equal(conn.readDeadlines, want) {
		t.Errorf("read deadlines %v, want one until the first line only", conn.readDeadlines)
	}
	// Half a message must not keep answers waiting.
	r, w := io.Pipe()
	go func() {
		io.WriteString(w, hello+"[1]\n[2")
		io.WriteString(w, "]\n")
		w.Close()
	}()
	conn, _ = play(t, echo, r, a)
	if want := []string{"[1]\n", "[2]\n"}; !slices.Equal(conn.writes, want) {
		t.Errorf("got %q, want %q", conn.writes, want)
	}
}

// TestLongAnswers has the lines that lib/bb/asyncrpc/connection.py:chunkify makes.
func TestLongAnswers(t *testing.T) {
	const size = 32767
	for _, n := range []int{size - 1, size, size + 1, 2 * size, 2*size + 1, 100 * size} {
		text := `"` + strings.Repeat("x", n-2) + `"`
		want := text + "\n"
		if n >= size {
			want = chunks
			for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
				want += rest[:min(size, len(rest))] + "\n"
			}
			want += "\n"
		}
		for _, message := range []string{text, `{"stream": ` + text + `}`} {
			in := hello + "[0]\n" + chunks
			for rest := message; rest != ""; rest = rest[min(60000, len(rest)):] {
				in += rest[:min(60000, len(rest))] + "\n"
			}
			conn, log := play(t, echo, strings.NewReader(in+"\n[1]\n"), &account{room: 8 << 20})
			if got := strings.Join(conn.writes, ""); got != "[0]\n"+want+"[1]\n" {
				t.Errorf("%d characters: %d bytes sent, want %d; %s", n, len(got), len(want)+8, log)
			}
		}
	}
}

// TestStreamFails sends nothing of a stream that fails.
func TestStreamFails(t *testing.T) {
	for _, test := range []struct {
		err       error
		want, log string
	}{
		{&asyncrpc.InvokeError{Message: "Disk full"}, `{"invoke-error": {"message": "Disk full"}}` + "\n", ""},
		{fmt.Errorf("all: %w", &asyncrpc.InvokeError{Message: "é"}), `{"invoke-error": {"message": "\u00e9"}}` + "\n", ""},
		{io.ErrUnexpectedEOF, "", "unexpected EOF"},
		{io.EOF, "", "EOF"},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "", "dial: i/o timeout"},
	} {
		fails := func(_ context.Context, _ *asyncrpc.Session, message any) (any, error) {
			if object, _ := message.(asyncrpc.Object); len(object) == 0 {
				return message, nil
			}
			return asyncrpc.Stream(func(w io.Writer) error {
				if _, err := w.Write(bytes.Repeat([]byte("[1]"), 1<<20)); err != nil {
					return err
				}
				return test.err
			}), nil
		}
		conn, log := play(t, fails, strings.NewReader(hello+"[]\n"+ping+"[]\n"), &account{})
		if got := strings.Join(conn.writes, ""); got != "[]\n"+test.want {
			t.Errorf("%v: got %.200q, want %q", test.err, got, "[]\n"+test.want)
		}
		if (log == "") != (test.log == "") || !strings.Contains(log, test.log) {
			t.Errorf("%v: logged %s", test.err, log)
		}
	}
}

// TestLog has one line for each message that is refused, in which what the
// client has sent is short and escaped.
func TestLog(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{hello + "{}\n", ""},
		{hello + "null\n", ""},
		{"", ""},
		{"\n", ""},
		{hello + `{"words": "No"}` + "\n", ""},
		{hello + `{"refuse": "because"}` + "\n[1]\n", `level=WARN msg="message refused" client=192.0.2.1 error=because` + "\n"},
		{"HELO\n", `level=WARN msg="message refused" client=192.0.2.1 error="not the hello of this service: \"HELO\""` + "\n"},
		{"PRSERVICE 1.0\nx\n", `level=WARN msg="message refused" client=192.0.2.1 error="a header without a colon: \"x\""` + "\n"},
		{hello + "{", `level=WARN msg="message refused" client=192.0.2.1 error="the connection ended within a line"` + "\n"},
		{hello + "\n", `level=WARN msg="message refused" client=192.0.2.1 error="no JSON: a value is missing at byte 0: \"\""` + "\n"},
		{hello + "\x1b[31mé\n", `level=WARN msg="message refused" client=192.0.2.1 error="no JSON: a value is missing at byte 0: \"\\x1b[31m\\u00e9\""` + "\n"},
		{hello + x(70000) + "\n", `level=WARN msg="message refused" client=192.0.2.1 error="a line of more than 65,536 bytes"` + "\n"},
	} {
		if _, got := play(t, echo, strings.NewReader(test.in), &account{room: 1 << 20}); got != test.want {
			t.Errorf("%.40q:\ngot  %s\nwant %s", test.in, got, test.want)
		}
	}
	_, got := play(t, echo, strings.NewReader(hello+`{"`+x(5000)+"\n"), &account{room: 1 << 20})
	if len(got) > 300 {
		t.Errorf("%d bytes are logged", len(got))
	}
}

// TestRoom counts what a message takes, packed and unpacked, and lets go of it.
func TestRoom(t *testing.T) {
	const room = 8 << 20
	chunked := func(piece string, size int) io.Reader {
		line := strings.Repeat(piece, 60000/len(piece)) + "\n"
		return io.MultiReader(strings.NewReader(hello+"[0]\n"+chunks+`[`), strings.NewReader(strings.Repeat(line, size/len(line))+"0]\n\n[1]\n"))
	}
	for _, test := range []struct {
		about string
		in    io.Reader
		want  string // behind the first answer
	}{
		{"many objects", chunked("{},", 15<<18), ""},
		{"many texts", chunked(`"",`, 15<<18), ""},
		{"deep", chunked("[", 15<<18), ""},
		{"too long", chunked(" 1", 17<<18), ""},
		{"a long line", strings.NewReader(hello + "[0]\n[\"" + x(60000) + "\"]\n[1]\n"), chunks + `["` + x(32765) + "\n" + x(27235) + `"]` + "\n\n[1]\n"},
	} {
		a := &account{room: room}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		conn, log := play(t, echo, test.in, a)
		runtime.ReadMemStats(&after)
		if got := strings.Join(conn.writes, ""); got != "[0]\n"+test.want {
			t.Errorf("%s: got %.100q; %s", test.about, got, log)
		}
		if made := after.TotalAlloc - before.TotalAlloc; made > 6*room {
			t.Errorf("%s: %d MiB were made", test.about, made>>20)
		}
		if a.most == 0 {
			t.Errorf("%s: nothing was held", test.about)
		}
		if test.want != "" && a.held != 0 {
			t.Errorf("%s: %d bytes are still held", test.about, a.held)
		}
	}
	// One long text takes no more than itself.
	a := &account{room: 18 << 18}
	line := x(65000) + "\n"
	conn, log := play(t, echo, strings.NewReader(hello+chunks+`{"a": "`+strings.Repeat(line, 62)+`", "headers": 1}`+"\n\n"), a)
	if got := strings.Join(conn.writes, ""); got != "1\n" {
		t.Errorf("a long text: got %.100q; %s", got, log)
	}
}

// TestFirstLine drops a client that never says its first line.
func TestFirstLine(t *testing.T) {
	addr := serve(t, asyncrpc.HandlerConfig{FirstTimeout: time.Millisecond})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "PRSERVICE")
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("half a hello was answered")
	}
}

// TestNoReader ends the session of a client that does not read, without reading
// all that it sends.
func TestNoReader(t *testing.T) {
	addr := serve(t, asyncrpc.HandlerConfig{WriteTimeout: 10 * time.Millisecond})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	message := []byte(`{"stream": "` + x(50000) + `"}` + "\n")
	if _, err := io.WriteString(conn, hello); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := conn.Write(message); err != nil {
			return
		}
	}
}

// TestAborted leaves nothing behind of sessions that end in every way.
func TestAborted(t *testing.T) {
	n := 100
	if os.Getenv("PRSERV_LONG") != "" {
		n = 1000
	}
	addr := serve(t, asyncrpc.HandlerConfig{})
	long := hello + chunks + strings.Repeat(x(60000)+"\n", 4)
	whole := hello + `{"stream": "` + x(60000) + `"}` + "\n" + strings.Repeat(ping, 10)
	goroutines, files := runtime.NumGoroutine(), prservtest.OpenFiles(t)
	var workers sync.WaitGroup
	for w := range 10 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range n {
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				text := []string{whole, long}[i%2]
				io.WriteString(conn, text[:(i*7919+w*104729)%len(text)])
				if i%3 == 0 {
					conn.(*net.TCPConn).SetLinger(0)
				}
				if i%5 == 0 {
					conn.(*net.TCPConn).CloseWrite() // or both would wait
					conn.Read(make([]byte, 1))
				}
				conn.Close()
			}
		}()
	}
	workers.Wait()
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > goroutines || prservtest.OpenFiles(t) > files; {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d files, there were %d and %d", runtime.NumGoroutine(), prservtest.OpenFiles(t), goroutines, files)
		}
		time.Sleep(time.Millisecond)
	}
}
