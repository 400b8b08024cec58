package compat_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"prserver/compat/golden"
	"prserver/prserv"
	"prserver/prserv/client"
	"prserver/prserv/prservtest"
	"prserver/prserv/store/sqlite"
)

// TestGolden replays every recorded session.
func TestGolden(t *testing.T) {
	for _, dialect := range []golden.Dialect{golden.Py2, golden.Py3} {
		sessions, err := golden.ReadDir(filepath.Join("..", "testdata", "golden", string(dialect)))
		if err != nil {
			t.Fatal(err)
		}
		exchanges := 0
		for _, session := range sessions {
			exchanges += len(session.Exchanges)
			t.Run(string(dialect)+"/"+session.Name, func(t *testing.T) {
				t.Parallel()
				replay(t, session)
			})
		}
		if exchanges < 400 {
			t.Errorf("%s: %d exchanges recorded, want at least 400", dialect, exchanges)
		}
	}
}

// replay plays a session to our server and checks each reply. If we are to
// refuse the session's database file, it checks that we do.
func replay(t *testing.T, session golden.Session) {
	file := seeded(t, session.Seed)
	if session.Refused != (golden.Difference{}) {
		checkRefused(t, file, session.Refused)
		return
	}
	cfg, upstream := prserv.Config{ReadOnly: session.ReadOnly}, ""
	if session.Upstream {
		upstream = prservtest.Serve(t, seeded(t, session.UpstreamSeed)).Addr
		cfg.Upstream = client.NewUpstream(upstream)
	}
	play(t, session, prservtest.ServeConfig(t, file, cfg).Addr, upstream)
}

// play holds the exchanges of a session with the server at addr or, where they
// say so, with the one upstream, and checks each reply.
func play(t *testing.T, session golden.Session, addr, upstream string) {
	t.Helper()
	for i, exchange := range session.Exchanges {
		if exchange.Reply == nil {
			t.Fatalf("exchange %d, %s: no reply is recorded; testdata/README.md says how to record it", i+1, exchange.About)
		}
		to := addr
		if exchange.Upstream {
			to = upstream
		}
		if err := check(exchange, send(t, to, exchange), session.Comparable); err != nil {
			t.Errorf("exchange %d, %s%v", i+1, exchange.About, err)
		}
	}
}

// check compares our reply with the recorded one, or, if ours is to differ,
// with what the mark of the exchange says of it. Comparable brings replies into
// the form in which they are compared.
func check(exchange golden.Exchange, reply []byte, comparable func([]byte) []byte) error {
	got, want := comparable(reply), comparable(exchange.Reply)
	same, diff := bytes.Equal(got, want), exchange.Differs
	switch {
	case diff == (golden.Difference{}) && !same:
		at := firstDifference(got, want)
		return fmt.Errorf("\n request %q\n got     %q\n want    %q",
			clip(exchange.Request, len(exchange.Request)), clip(got, at), clip(want, at))
	case diff != (golden.Difference{}) && same:
		return errors.New(": our reply does not differ any more, remove the mark")
	case !bytes.Contains(got, []byte(diff.Ours)), diff.Ours == "" && diff.Reason != "" && len(got) > 0:
		return fmt.Errorf("\n got     %q\n want %q in it, because %s", clip(got, 0), diff.Ours, diff.Reason)
	}
	return nil
}

func checkRefused(t *testing.T, file string, diff golden.Difference) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), file, false)
	if err == nil {
		s.Close()
		t.Fatalf("the file is served, want it refused with %q, because %s", diff.Ours, diff.Reason)
	}
	if !strings.Contains(err.Error(), diff.Ours) {
		t.Errorf("got error %q, want %q in it", err, diff.Ours)
	}
}

// TestCheck checks the check: a reply is compared with what is recorded, and a
// marked exchange has to differ in the way its mark says.
func TestCheck(t *testing.T) {
	marked := golden.Difference{Ours: "ours", Reason: "of a reason"}
	for _, c := range []struct {
		reply string
		diff  golden.Difference
		want  string // in the error; empty for none
	}{
		{"theirs", golden.Difference{}, ""},
		{"ours", golden.Difference{}, `want    "theirs"`},
		{"this is ours", marked, ""},
		{"another", marked, "of a reason"},
		{"theirs", marked, "does not differ any more"},
		{"", golden.Difference{Reason: "of a reason"}, ""},
		{"another", golden.Difference{Reason: "of a reason"}, "of a reason"},
	} {
		err := check(golden.Exchange{Reply: []byte("theirs"), Differs: c.diff}, []byte(c.reply), golden.Comparable)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("reply %q with the mark %v: %v, want an error with %q", c.reply, c.diff, err, c.want)
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
