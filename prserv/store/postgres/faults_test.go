package postgres_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

func isLong() bool { return os.Getenv("PRSERV_LONG") != "" }

// rounds returns how often a fault comes: far more often in the long suite.
func rounds() int {
	if isLong() {
		return 20
	}
	return 1
}

// keepAll lets no value be deleted, so that all that were given can be looked for.
func keepAll(t *testing.T, s store.Store) {
	t.Helper()
	if _, err := s.GetPR(t.Context(), key("first", "all", "a"), store.Mode{Revisions: true}); err != nil {
		t.Fatal(err)
	}
}

// TestRestart kills PostgreSQL under load, and starts it again.
func TestRestart(t *testing.T) {
	if !isLong() {
		t.Skip("takes half a minute, and the rounds of bitbake-prserv have such a fault: only with PRSERV_LONG=1")
	}
	c := pgtest.Start(t)
	url := c.Database(t)
	one, two := open(t, url), open(t, url)
	keepAll(t, one)
	l := startLoad(t, one, two)
	for range rounds() {
		for _, how := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGINT, syscall.SIGKILL} {
			l.wait(300)
			if err := c.Restart(how); err != nil {
				t.Fatal(err)
			}
		}
	}
	l.wait(300)
	l.finish(url)
	if err := one.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

// TestSessionsEnd has somebody end, and cancel, what the servers do.
func TestSessionsEnd(t *testing.T) {
	if !isLong() {
		t.Skip("takes half a minute, and the rounds of bitbake-prserv have such a fault: only with PRSERV_LONG=1")
	}
	url := pgtest.Database(t)
	one, two := open(t, url), open(t, url)
	keepAll(t, one)
	l := startLoad(t, one, two)
	for range 3 * rounds() {
		for _, end := range []string{"pg_terminate_backend", "pg_cancel_backend"} {
			l.wait(200)
			pgtest.Execute(t, url, "SELECT "+end+"(pid) FROM pg_stat_activity WHERE application_name = 'bitbake-prserv' AND datname = current_database()")
		}
	}
	l.wait(200)
	l.finish(url)
}

// TestLostAnswers loses answers of PostgreSQL, also those to a COMMIT, which has
// happened then.
func TestLostAnswers(t *testing.T) {
	url := pgtest.Database(t)
	p := pgtest.NewProxy(t, pgtest.Shared(t).Addr())
	one, two := open(t, p.URL(url)), open(t, url)
	keepAll(t, one)
	l := startLoad(t, one, two)
	p.LoseAnswers(23)
	prservtest.WaitFor(t, "lost answers", func() bool { return p.Lost() >= 20*rounds() || t.Failed() })
	p.LoseAnswers(0)
	l.wait(300)
	p.Cut()
	l.wait(300)
	l.finish(url)
}

// TestHang has the network swallow everything for a while. The connections are
// given up, and what was not answered is done again.
func TestHang(t *testing.T) {
	url := pgtest.Database(t)
	p := pgtest.NewProxy(t, pgtest.Shared(t).Addr())
	hangs, err := postgres.OpenImpatient(t.Context(), p.URL(url), 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer hangs.Close()
	keepAll(t, hangs)
	l := startLoad(t, hangs, open(t, url))
	for range rounds() {
		l.wait(300)
		p.Hang()
		prservtest.WaitFor(t, "the server to notice", func() bool { return hangs.Ready() != nil })
		p.Resume()
	}
	l.wait(300)
	l.finish(url)
}

// TestCloseWhileItHangs closes a store whose PostgreSQL does not answer.
func TestCloseWhileItHangs(t *testing.T) {
	url := pgtest.Database(t)
	p := pgtest.NewProxy(t, pgtest.Shared(t).Addr())
	s, err := postgres.OpenImpatient(t.Context(), p.URL(url), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantPR(t, s, key("v", "all", "a"), 0)
	p.Hang()
	ended := make(chan error, 1)
	go func() {
		_, err := s.GetPR(t.Context(), key("v", "all", "b"), store.Mode{})
		ended <- err
	}()
	prservtest.WaitFor(t, "the server to notice", func() bool { return s.Ready() != nil })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("the call got %v", err)
	}
}

// TestDown answers with the reason where PostgreSQL stays down for longer than a
// call may wait.
func TestDown(t *testing.T) {
	c := pgtest.Start(t)
	s := open(t, c.Database(t))
	wantPR(t, s, key("v", "all", "a"), 0)
	c.Stop(syscall.SIGINT)
	inTime := store.WithPatience(t.Context(), 50*time.Millisecond)
	if err := s.Check(inTime); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Check, before anybody has noticed: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := s.GetPR(ctx, key("v", "all", "b"), store.Mode{})
		ended <- err
	}()
	var err error
	prservtest.WaitFor(t, "the server to notice", func() bool {
		err = s.Ready()
		return err != nil && strings.Contains(err.Error(), "(nothing listens at ")
	})
	prservtest.WantOneLine(t, "Ready", err, "PostgreSQL does not answer", "the call can be made again")
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Ready: %#v", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("a call that nobody waits for: %v", err)
	}
	for name, call := range map[string]func(context.Context) error{
		"GetPR of a known value": func(ctx context.Context) error {
			_, err := s.GetPR(ctx, key("v", "all", "a"), store.Mode{})
			return err
		},
		"GetPR": func(ctx context.Context) error {
			_, err := s.GetPR(ctx, key("v", "all", "b"), store.Mode{})
			return err
		},
		"Find": func(ctx context.Context) error {
			_, err := s.Find(ctx, key("v", "all", "a"), store.Mode{})
			return err
		},
		"ImportOne": func(ctx context.Context) error {
			_, err := s.ImportOne(ctx, key("v", "all", "a"), int64(7))
			return err
		},
		"Export": func(ctx context.Context) error {
			return s.Export(ctx, store.Filter{}, func(store.Row) error { return nil })
		},
		"Check": s.Check,
	} {
		err := call(inTime)
		prservtest.WantOneLine(t, name, err, "PostgreSQL does not answer (nothing listens at ", "the call can be made again")
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %#v", name, err)
		}
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil { // it waits, and makes no call
		t.Errorf("Check: %v", err)
	}
	if err := s.Ready(); err != nil {
		t.Errorf("Ready: %v", err)
	}
	wantPR(t, s, key("v", "all", "c"), 1)
}

// TestFailOver kills the primary and promotes its synchronous standby. The old
// primary comes back alone, first in the list of hosts, and is not used.
func TestFailOver(t *testing.T) {
	primary := pgtest.Start(t)
	url := primary.Database(t)
	standby := primary.Standby(t)
	pgtest.Execute(t, primary.URL("postgres"), "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
	pgtest.WaitForRow(t, primary.URL("postgres"), "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
	both := strings.Replace(url, primary.Addr(), primary.Addr()+","+standby.Addr(), 1)
	one, two := open(t, both), open(t, both)
	if warnings := one.Warnings(); len(warnings) != 1 {
		t.Errorf("warnings %q, want that there are no values", warnings)
	}
	keepAll(t, one)
	l := startLoad(t, one, two)
	l.wait(500)
	primary.Stop(syscall.SIGKILL)
	standby.Promote(t)
	l.wait(500)

	primary.Configure(t, "synchronous_standby_names = ''")
	os.Remove(primary.AutoConf())
	if err := primary.Start(); err != nil {
		t.Fatal(err)
	}
	now := strings.Replace(url, primary.Addr(), standby.Addr(), 1)
	for range 3 {
		pgtest.Execute(t, now, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bitbake-prserv'")
		l.wait(200)
	}
	l.finish(now)
}

// TestOldPrimaryLives promotes a standby while the primary goes on, as it does
// when nobody has stopped it, or for a while when its first process was killed. A
// server of which one connection has found the new primary trusts no other one to
// the old.
func TestOldPrimaryLives(t *testing.T) {
	primary := pgtest.Start(t)
	url := primary.Database(t)
	standby := primary.Standby(t)
	p := pgtest.NewProxy(t, primary.Addr())
	s := open(t, p.URL(url))
	wantPR(t, s, key("v", "all", "a"), 0)
	export := func() int {
		t.Helper()
		n := 0
		if err := s.Export(t.Context(), store.Filter{}, func(store.Row) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := export(); n != 1 {
		t.Errorf("the export has %d rows, want 1", n)
	}
	now := strings.Replace(url, primary.Addr(), standby.Addr(), 1)
	pgtest.WaitForRow(t, now, "SELECT FROM prvalue")
	standby.Promote(t)
	p.Redirect(standby.Addr())
	pgtest.Execute(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bitbake-prserv' AND query = 'COMMIT'")
	wantPR(t, s, key("w", "all", "b"), 0) // stored by the new primary
	if v, err := s.Find(t.Context(), key("w", "all", "b"), store.Mode{}); err != nil || v.Greatest != int64(0) {
		t.Errorf("what is known of w is %v, %v; the old primary has answered", v, err)
	}
	if n := export(); n != 2 {
		t.Errorf("the export has %d rows, want 2; the old primary has answered", n)
	}
}

// TestOtherDatabase does not go on where another database has come to the address.
func TestOtherDatabase(t *testing.T) {
	url := pgtest.Database(t)
	p := pgtest.NewProxy(t, pgtest.Shared(t).Addr())
	s := open(t, p.URL(url))
	wantPR(t, s, key("v", "all", "a"), 0)
	other := pgtest.Start(t)
	name := url[strings.LastIndexByte(url, '/'):]
	name = name[1:strings.IndexByte(name, '?')]
	pgtest.Execute(t, other.URL("postgres"), "CREATE DATABASE "+name)
	open(t, other.URL(name))
	p.Redirect(other.Addr())
	p.Cut()
	answer := ask(s, key("v", "all", "b"), store.Mode{})
	answer.wantNone(t, "the other database", func() bool {
		err := s.Ready()
		return err != nil && strings.Contains(err.Error(), "(it is another database than the one that was served until now)")
	})
	p.Redirect(pgtest.Shared(t).Addr())
	if got := <-answer; got != int64(1) {
		t.Errorf("got %v, want 1", got)
	}
}

// TestLateStandby warns of a standby that may lack values when it takes over.
func TestLateStandby(t *testing.T) {
	primary := pgtest.Start(t)
	url := primary.Database(t)
	standby := primary.Standby(t)
	pgtest.WaitForRow(t, primary.URL("postgres"), "SELECT 1 FROM pg_stat_replication")
	s := open(t, url)
	if warnings := s.Warnings(); len(warnings) != 2 || !strings.Contains(warnings[1], "may lag behind") {
		t.Errorf("warnings %q", warnings)
	}
	wantPR(t, s, key("v", "all", "a"), 0)
	// A server that may only read takes it, one that is to write does not.
	there := strings.Replace(url, primary.Addr(), standby.Addr(), 1)
	pgtest.WaitForRow(t, there, "SELECT 1 FROM prvalue")
	reading := openReadOnly(t, there)
	wantPR(t, reading, key("v", "all", "a"), 0)
	wantPR(t, reading, key("v", "all", "b"), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // it might become the primary
	defer cancel()
	_, err := postgres.Open(ctx, there, false)
	prservtest.WantOneLine(t, "a standby", err, "it is a standby")
}

// TestPooler refuses a connection that is not PostgreSQL's own: a pooler makes up
// the process id that the protocol tells.
func TestPooler(t *testing.T) {
	p := pgtest.NewProxy(t, pgtest.Shared(t).Addr())
	p.Change(func(answer []byte) {
		if at := strings.Index(string(answer), "K\x00\x00\x00\x0c"); at >= 0 {
			answer[at+5] ^= 0x40
		}
	})
	_, err := postgres.Open(t.Context(), p.URL(pgtest.Database(t)), false)
	prservtest.WantOneLine(t, "a pooler", err, "a connection pooler stands before it; give the URL of PostgreSQL itself")
}

// TestUnsafe refuses a PostgreSQL that does not write to the disk.
func TestUnsafe(t *testing.T) {
	url := pgtest.Database(t)
	pgtest.Execute(t, url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
	defer func() {
		pgtest.Execute(t, url, "ALTER SYSTEM RESET fsync", "SELECT pg_reload_conf()")
		pgtest.WaitForRow(t, url, "SELECT 1 WHERE current_setting('fsync') = 'on'")
	}()
	pgtest.WaitForRow(t, url, "SELECT 1 WHERE current_setting('fsync') = 'off'")
	_, err := postgres.Open(t.Context(), url, false)
	prservtest.WantOneLine(t, "fsync", err, "its setting fsync is off")
}
