package xmlrpc_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"prserver/xmlrpc"
)

// TestText has a method return texts of many lengths, on both sides of the
// lengths from which a reply is packed and from which it is kept in a file.
func TestText(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	h, _ := answering()
	var length int
	h.Serve = func(_ context.Context, call *xmlrpc.Call) (any, error) {
		return call.NewText(func(w io.Writer) error {
			for left := length; left > 0; left -= min(left, 1000) {
				if _, err := io.WriteString(w, strings.Repeat("<&>é'", 200)[:min(left, 1000)]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	addr := listen(t, h)
	for _, length = range []int{0, 5, 1000, 2000, 100_000, 6_000_000} {
		want := reply("<value><string>" + escape(strings.Repeat(strings.Repeat("<&>é'", 200)[:1000], length/1000+1)[:length]) + "</string></value>\n")
		for _, packed := range []bool{false, true} {
			c := dial(t, addr)
			headers := ""
			if packed {
				headers = "Accept-Encoding: gzip\r\n"
			}
			c.send(post("/", headers, echo))
			resp, body := c.response()
			if got := resp.Header.Get("Content-Encoding") == "gzip"; got != (packed && len(want) > 1400) {
				t.Errorf("%d characters: packed is %v", length, got)
			}
			if resp.ContentLength != int64(len(body)) {
				t.Errorf("%d characters: Content-length %d, %d came", length, resp.ContentLength, len(body))
			}
			if resp.Header.Get("Content-Encoding") == "gzip" {
				body = unpack(t, body)
			}
			if body != want {
				t.Errorf("%d characters: got %d bytes, want %d", length, len(body), len(want))
			}
		}
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func unpack(t *testing.T, body string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTextFails checks that there is no reply if the text fails or there is no
// room for it.
func TestTextFails(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/none")
	for _, test := range []struct {
		name  string
		write func(io.Writer) error
		want  string
	}{
		{"at once", func(io.Writer) error { return errors.New("no text") }, "no text"},
		{"later", func(w io.Writer) error {
			io.WriteString(w, strings.Repeat("x", 100_000))
			return errors.New("no more text")
		}, "no more text"},
		{"no room", func(w io.Writer) error {
			_, err := io.WriteString(w, strings.Repeat("x", 5_000_000))
			return err
		}, "making room for a long reply"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, err := (&xmlrpc.Call{}).NewText(test.write)
			if text != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v; want an error with %q", text, err, test.want)
			}
		})
	}
}
