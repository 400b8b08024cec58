package compat_test

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"prserver/compat"
	"prserver/compat/golden"
	"prserver/prserv"
)

// TestGolden replays every recorded session and compares raw replies.
func TestGolden(t *testing.T) {
	for _, dialect := range []golden.Dialect{golden.Py2, golden.Py3} {
		sessions, err := golden.ReadDir(filepath.Join("..", "testdata", "golden", string(dialect)))
		if err != nil {
			t.Fatal(err)
		}
		exchanges := 0
		for _, session := range sessions {
			if session.Differs() {
				continue // TestDifferences
			}
			exchanges += len(session.Exchanges)
			t.Run(string(dialect)+"/"+session.Name, func(t *testing.T) {
				t.Parallel()
				replay(t, dialect, session)
			})
		}
		if exchanges < 400 {
			t.Errorf("%s: %d exchanges recorded, want at least 400", dialect, exchanges)
		}
	}
}

// replay compares our replies to the recorded ones, and those on the list of
// differences to what the list says.
func replay(t *testing.T, dialect golden.Dialect, session golden.Session) {
	file := seeded(t, session.Seed)
	if reason := refusedFile(session.Name); reason != "" {
		checkRefused(t, file, reason)
		return
	}
	addr := serve(t, file)
	for i, exchange := range session.Exchanges {
		got := golden.Comparable(send(t, addr, exchange))
		want := golden.Comparable(exchange.Reply)
		diff := findDifference(dialect, session.Name, i+1)
		switch same := bytes.Equal(got, want); {
		case diff == nil && !same:
			at := firstDifference(got, want)
			t.Errorf("exchange %d, %s\n request %q\n got     %q\n want    %q",
				i+1, exchange.About, clip(exchange.Request, len(exchange.Request)), clip(got, at), clip(want, at))
		case diff != nil && same:
			t.Errorf("exchange %d, %s: does not differ any more, take it off the list", i+1, exchange.About)
		case diff != nil && !bytes.Contains(got, []byte(diff.ours)):
			t.Errorf("exchange %d, %s\n got     %q\n want %q in it, because %s", i+1, exchange.About, clip(got, 0), diff.ours, diff.reason)
		}
	}
}

// firstDifference returns where a and b part.
func firstDifference(a, b []byte) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return i
}

// clip returns what is around offset at.
func clip(b []byte, at int) []byte {
	const around = 500
	return b[max(at-around, 0):min(at+around, len(b))]
}

func send(t *testing.T, addr string, exchange golden.Exchange) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	reply, err := golden.Send(ctx, addr, exchange)
	if err != nil {
		t.Fatalf("%s: %v", exchange.About, err)
	}
	return reply
}

// seeded makes a database file with the given SQL, or names one that does not
// exist.
func seeded(t *testing.T, seed string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "prserv.sqlite3")
	if seed == "" {
		return file
	}
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(seed); err != nil {
		t.Fatalf("seeding the database: %v", err)
	}
	return file
}

// serve starts a server on file and returns its address.
func serve(t *testing.T, file string) string {
	t.Helper()
	s, err := prserv.New(t.Context(), prserv.Config{
		File: file, Dialect: compat.DialectFor, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return ln.Addr().String()
}
