package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"prserver/compat/golden"
)

func TestFillLength(t *testing.T) {
	for request, want := range map[string]string{
		"POST / HTTP/1.1\r\nContent-Length: *\r\n\r\nbody":         "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody",
		"POST / HTTP/1.1\r\nContent-Length: *\r\nA: b\r\n\r\n":     "POST / HTTP/1.1\r\nContent-Length: 0\r\nA: b\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nbody":         "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nbody",
		"POST / HTTP/1.1\r\nA: b\r\n\r\n\r\nContent-Length: *\r\n": "POST / HTTP/1.1\r\nA: b\r\n\r\n\r\nContent-Length: *\r\n",
		"\r\nContent-Length: *\r\n":                                "\r\nContent-Length: *\r\n",
		"":                                                         "",
	} {
		if got := fillLength([]byte(request)); string(got) != want {
			t.Errorf("fillLength(%q) = %q, want %q", request, got, want)
		}
	}
}

// TestPlayHang: an exchange without a reply ends the session with an error that names it.
func TestPlayHang(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the system accepts, nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	session := golden.Session{Exchanges: []golden.Exchange{{About: "half a request", Request: []byte("GET")}}}
	_, err = play(t.Context(), silent.Addr().String(), "", session, time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "exchange 1 (half a request): no reply") {
		t.Errorf("play: %v, want an error that names the exchange", err)
	}
}
