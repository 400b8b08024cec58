package golden

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestNormalise(t *testing.T) {
	gzipHead := "HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\nContent-length: "
	for _, c := range []struct{ name, reply, normalised, comparable string }{
		{"empty", "", "", ""},
		{"no status line", "<html>\r\nDate: x\r\n\r\n", "<html>\r\nDate: x\r\n\r\n", "<html>\r\nDate: x\r\n\r\n"},
		{
			"headers",
			"HTTP/1.0 200 OK\r\nServer: BaseHTTP/0.3\r\nDate: Mon\r\nContent-length: 2\r\n\r\nhi",
			"HTTP/1.0 200 OK\r\nServer: *\r\nDate: *\r\nContent-length: 2\r\n\r\nhi",
			"HTTP/1.0 200 OK\r\nContent-length: 2\r\n\r\nhi",
		},
		{
			"a connection header, and header-like text in the body",
			"HTTP/1.0 404 Not Found\r\nDate: x\r\nConnection: close\r\n\r\nDate: y\r\n\r\nServer: z\r\n",
			"HTTP/1.0 404 Not Found\r\nDate: *\r\nConnection: close\r\n\r\nDate: y\r\n\r\nServer: z\r\n",
			"HTTP/1.0 404 Not Found\r\n\r\nDate: y\r\n\r\nServer: z\r\n",
		},
		{
			"cut off within the headers",
			"HTTP/1.0 200 OK\r\nServer: x\r\nContent-type: text/xml\r\n",
			"HTTP/1.0 200 OK\r\nServer: *\r\nContent-type: text/xml\r\n",
			"HTTP/1.0 200 OK\r\nContent-type: text/xml\r\n",
		},
		{"gzipped", gzipHead + "9\r\n\r\n" + gzipped(t, "text", gzip.DefaultCompression), gzipHead + "*\r\n\r\ntext", gzipHead + "*\r\n\r\ntext"},
		{"said to be gzipped", gzipHead + "4\r\n\r\ntext", gzipHead + "4\r\n\r\ntext", gzipHead + "4\r\n\r\ntext"},
	} {
		normalised := Normalise([]byte(c.reply))
		if string(normalised) != c.normalised {
			t.Errorf("%s: Normalise(%q) = %q, want %q", c.name, c.reply, normalised, c.normalised)
		}
		if again := Normalise(normalised); !bytes.Equal(again, normalised) {
			t.Errorf("%s: Normalise twice = %q, want %q", c.name, again, normalised)
		}
		if got := Comparable([]byte(c.reply)); string(got) != c.comparable {
			t.Errorf("%s: Comparable(%q) = %q, want %q", c.name, c.reply, got, c.comparable)
		}
		if got := Comparable(normalised); string(got) != c.comparable {
			t.Errorf("%s: Comparable(Normalise(%q)) = %q, want %q", c.name, c.reply, got, c.comparable)
		}
	}
}

// TestNormaliseLevels: however a body was compressed, it is the same afterwards.
func TestNormaliseLevels(t *testing.T) {
	body := strings.Repeat("<value/>", 300)
	want := "HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\nContent-length: *\r\n\r\n" + body
	for _, level := range []int{gzip.NoCompression, gzip.BestSpeed, gzip.BestCompression} {
		reply := "HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\nContent-length: 7\r\n\r\n" + gzipped(t, body, level)
		if got := Normalise([]byte(reply)); string(got) != want {
			t.Errorf("level %d: got %.100q, want %.100q", level, got, want)
		}
	}
}

func gzipped(t *testing.T, text string, level int) string {
	t.Helper()
	var out strings.Builder
	writer, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(writer, text)
	writer.Close()
	return out.String()
}

// serveOnce accepts one connection and hands it over.
func serveOnce(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		serve(conn.(*net.TCPConn))
	}()
	return listener.Addr().String()
}

func TestSendHalfCloses(t *testing.T) {
	addr := serveOnce(t, func(conn *net.TCPConn) {
		request, _ := io.ReadAll(conn)
		conn.Write(append([]byte("got "), request...))
	})
	got, err := Send(t.Context(), addr, Exchange{Request: []byte("all"), HalfClose: true})
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != "got all" {
		t.Errorf("Send = %q, want %q", got, "got all")
	}
}

// TestSendReset: the server answers, leaves most of the request unread and closes, which resets the connection.
func TestSendReset(t *testing.T) {
	addr := serveOnce(t, func(conn *net.TCPConn) {
		io.ReadFull(conn, make([]byte, 10))
		io.WriteString(conn, "enough")
	})
	got, err := Send(t.Context(), addr, Exchange{Request: make([]byte, 10<<20)})
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != "enough" {
		t.Errorf("Send = %q, want %q", got, "enough")
	}
}

func TestSendGivesUp(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	addr := serveOnce(t, func(conn *net.TCPConn) {
		io.WriteString(conn, "part")
		<-release
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Send(ctx, addr, Exchange{Request: []byte("x")}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Send to a server that hangs: %v, want %v", err, os.ErrDeadlineExceeded)
	}
}
