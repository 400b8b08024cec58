package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"prserver/prserv/place"
)

// TestStopGivesUp asks a server to end that goes on.
func TestStopGivesUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, trueBody) }))
	defer server.Close()
	at := place.Place{Kind: place.Server, Name: server.Listener.Addr().String()}
	err := stop(t.Context(), at, 0, 200*time.Millisecond)
	if want := at.Name + " has not ended 200ms after it was asked to; its log may say why"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	err = stop(ctx, at, 0, time.Minute)
	if want := "interrupted; " + at.Name + " has been asked to end"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestStopOfOneThatTakesItsTime asks a server to end that first answers that
// it is about to.
func TestStopOfOneThatTakesItsTime(t *testing.T) {
	pings := 0
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(call), "ping") {
			io.WriteString(w, nilBody)
			return
		}
		if pings++; pings == 3 {
			server.Listener.Close()
		}
		io.WriteString(w, strings.Replace(trueBody, "1</boolean>", "0</boolean>", 1))
	}))
	defer server.Close()
	at := place.Place{Kind: place.Server, Name: server.Listener.Addr().String()}
	if err := stop(t.Context(), at, 0, scriptPatience); err != nil || pings != 3 {
		t.Errorf("%v after %d pings", err, pings)
	}
}
