package xmlrpc_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
)

func packed(t testing.TB, data string) string {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed) // 16 MiB take seconds otherwise
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestGzipReply asks for replies of 1,400 bytes, the most that is sent as it is,
// and for longer ones.
func TestGzipReply(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	frame := len(reply("<value><string></string></value>\n"))
	for _, test := range []struct {
		accept string
		size   int
		want   bool
	}{
		{"gzip", 1400, false},
		{"gzip", 1401, true},
		{"gzip", 100_000, true},
		{"", 1401, false},
		{"identity", 1401, false},
		{"deflate, gzip;q=0.5", 1401, true},
		{"gzip;q=0", 1401, false},
		{"x-gzip", 1401, false},
	} {
		c := dial(t, addr)
		c.send(post("/", "Accept-Encoding: "+test.accept+"\r\n", calling("long", fmt.Sprintf("<int>%d</int>", test.size-frame))))
		resp, body := c.response()
		if got := resp.Header.Get("Content-Encoding") == "gzip"; got != test.want {
			t.Errorf("%s, %d bytes: got gzip %v, want %v", test.accept, test.size, got, test.want)
		}
		if resp.ContentLength != int64(len(body)) {
			t.Errorf("%s, %d bytes: got Content-Length %d for %d", test.accept, test.size, resp.ContentLength, len(body))
		}
		if test.want {
			r, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			body = string(plain)
		}
		if want := reply("<value><string>" + strings.Repeat("x", test.size-frame) + "</string></value>\n"); body != want {
			t.Errorf("%s, %d bytes: got %.300q", test.accept, test.size, body)
		}
	}
}

// TestGzipRequest sends packed bodies, and others that claim to be packed.
func TestGzipRequest(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	body := calling("echo", "<value>"+strings.Repeat("x", 2000)+"</value>")
	good := packed(t, body)
	const ok, broken, internal = "200 OK", "400 error decoding gzip content", "500 Internal Server Error"
	corrupt := []byte(good)
	copy(corrupt[10:], "\xff\xff\xff\xff")
	checksum := []byte(good)
	checksum[len(checksum)-5] ^= 1
	for _, test := range []struct {
		name, coding, body string
		py2, py3           string
	}{
		{"packed", "gzip", good, ok, ok},
		{"packed, in capitals", "GZIP", good, ok, ok},
		{"two members", "gzip", packed(t, body[:70]) + packed(t, body[70:]), ok, ok},
		{"zeros behind", "gzip", good + "\x00\x00\x00", ok, ok},
		{"identity", "identity", body, ok, ok},
		{"empty", "gzip", "", ok, ok},
		{"not packed", "gzip", body, broken, broken},
		{"text behind", "gzip", good + "x", broken, broken},
		{"truncated", "gzip", good[:len(good)-9], broken, internal},
		{"corrupt", "gzip", string(corrupt), internal, internal},
		{"wrong checksum", "gzip", string(checksum), broken, broken},
		{"21 MiB", "gzip", packed(t, strings.Repeat(" ", 21<<20)), broken, broken},
		{"deflate", "deflate", body, "501 encoding 'deflate' not supported", "501 encoding 'deflate' not supported"},
	} {
		for agent, want := range map[string]string{agent2: test.py2, agent3: test.py3} {
			c := dial(t, addr)
			c.send(post("/", agent+"Content-Encoding: "+test.coding+"\r\n", test.body))
			resp, answer := c.response()
			c.Close() // the server waits a second for a client that it refuses
			if resp.Status != want {
				t.Errorf("%s, %s: got %s, want %s", test.name, agent[:20], resp.Status, want)
			}
			if echo := strings.Contains(answer, strings.Repeat("x", 2000)); echo != (want == ok && test.name != "empty") {
				t.Errorf("%s, %s: got %.300q", test.name, agent[:20], answer)
			}
		}
	}
}

// TestUnpackedLimit packs the longest body that there may be, and one that is
// longer by a byte.
func TestUnpackedLimit(t *testing.T) {
	h, _ := answering()
	addr := listen(t, h)
	for more, want := range []string{"200 OK", "400 error decoding gzip content"} {
		c := dial(t, addr)
		c.send(post("/", "Content-Encoding: gzip\r\n", packed(t, echo+strings.Repeat(" ", 16<<20+more-len(echo)))))
		if resp, body := c.response(); resp.Status != want {
			t.Errorf("%d bytes over: got %s, %.200q, want %s", more, resp.Status, body, want)
		}
	}
}
