package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

func key(version, pkgarch, checksum string) store.Key {
	return store.Key{Version: version, Pkgarch: pkgarch, Checksum: checksum}
}

// wantPR asks for a value and wants this one.
func wantPR(t *testing.T, s store.Store, k store.Key, want int64) {
	t.Helper()
	if got, err := s.GetPR(t.Context(), k, store.Mode{}); err != nil || got != want {
		t.Errorf("%v: got %v, %v; want %d", k, got, err, want)
	}
}

// TestOpenTogether lets servers make the tables at the same time.
func TestOpenTogether(t *testing.T) {
	url := pgtest.Database(t)
	stores := make([]*postgres.Store, 4)
	var all sync.WaitGroup
	for i := range stores {
		all.Add(1)
		go func() {
			defer all.Done()
			s, err := postgres.Open(context.Background(), url, false)
			if err != nil {
				t.Error(err)
				return
			}
			stores[i] = s
		}()
	}
	all.Wait()
	for i, s := range stores {
		if s != nil {
			wantPR(t, s, key("v", "all", string(rune('a'+i))), int64(i))
			s.Close()
		}
	}
}

// TestNewerSchema refuses a database that a newer version has upgraded.
func TestNewerSchema(t *testing.T) {
	url := pgtest.Database(t)
	open(t, url).Close()
	pgtest.Execute(t, url, "UPDATE prserv_state SET schema_version = 99")
	for _, readOnly := range []bool{false, true} {
		_, err := postgres.Open(t.Context(), url, readOnly)
		prservtest.WantOneLine(t, "a newer schema", err, "has version 99", "install a newer one")
	}
}

// TestEmpty has a database without tables, which is not to be read, and one
// without values.
func TestEmpty(t *testing.T) {
	url := pgtest.Database(t)
	_, err := postgres.Open(t.Context(), url, true)
	prservtest.WantOneLine(t, "no tables", err, "no tables of PR values")
	if warnings := open(t, url).Warnings(); len(warnings) != 1 || !strings.Contains(warnings[0], "has no values") {
		t.Errorf("an empty database: %q", warnings)
	}
}

// TestKinds refuses what only SQLite would store.
func TestKinds(t *testing.T) {
	s := open(t, pgtest.Database(t))
	for _, v := range []store.Value{nil, 2.5, 1e300, "twelve", "3.1", []byte("3"), store.Revision{}} {
		_, err := s.ImportOne(t.Context(), key("v", "all", "a"), v)
		if !errors.Is(err, store.ErrMismatch) {
			t.Errorf("%v: got %v, want %v", v, err, store.ErrMismatch)
		}
		prservtest.WantOneLine(t, "an odd value", err, "PostgreSQL stores nothing else")
	}
	wantPR(t, s, key("v", "all", "a"), 0)
}

// TestRemoved goes on where somebody has removed all values under a server.
func TestRemoved(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	wantPR(t, s, key("v", "all", "a"), 0)
	pgtest.Execute(t, url, "TRUNCATE prgroup, prvalue")
	for i, checksum := range []string{"b", "c", "a"} {
		wantPR(t, s, key("v", "all", checksum), int64(i))
	}
	if n, err := snapshot(t, url).Orphans(t.Context()); n != 0 || err != nil {
		t.Errorf("%d orphans, %v", n, err)
	}
}

// TestLongKey refuses a key that the index cannot hold, and nobody else's call.
func TestLongKey(t *testing.T) {
	s := open(t, pgtest.Database(t))
	long := incompressible(60000)
	var all sync.WaitGroup
	for i := range 16 {
		all.Add(1)
		go func() {
			defer all.Done()
			k := key("v", "all", string(rune('a'+i)))
			if i%4 == 0 {
				k.Checksum = long
			}
			_, err := s.GetPR(t.Context(), k, store.Mode{})
			if got, want := errors.Is(err, store.ErrTooBig), i%4 == 0; got != want {
				t.Errorf("key %d: %v", i, err)
			}
		}()
	}
	all.Wait()
	wantPR(t, s, key("v", "all", "z"), 12)
}

// incompressible returns a text in which nothing comes again.
func incompressible(n int) string {
	text := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range text {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		text[i] = byte('!' + x%90)
	}
	return string(text)
}

// TestWrongURL says in one line what is wrong and what to do, and never the
// password.
func TestWrongURL(t *testing.T) {
	addr := pgtest.Shared(t).Addr()
	pgtest.Execute(t, pgtest.Shared(t).URL("postgres"), "CREATE ROLE weak LOGIN", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
	at := func(user, database string) string { return "postgres://" + user + ":secret@" + addr + "/" + database }
	for url, words := range map[string][]string{
		"http://x":                          {"it is no URL that begins with postgres://; give it as postgres://USER@HOST/DATABASE"},
		"postgres://u:secret@[":             {"not written as a URL"},
		at("postgres", "nosuch"):            {"postgres://postgres@" + addr + `/nosuch: PostgreSQL: database "nosuch" does not exist; make it with createdb`},
		at("nosuch", "postgres"):            {`: PostgreSQL: role "nosuch" does not exist; name another user`},
		at("weak", "postgres"):              {": PostgreSQL: permission denied for schema public; give the role weak that right"},
		at("postgres", "latin"):             {"/latin: its encoding is not UTF8; make one with CREATE DATABASE"},
		at("postgres", "postgres?nosuch=1"): {`: PostgreSQL: unrecognized configuration parameter "nosuch"; correct the URL`},
	} {
		_, err := postgres.Open(t.Context(), url, false)
		prservtest.WantOneLine(t, url, err, words...)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in %q", err)
		}
	}
	// A server would wait for these.
	for url, want := range map[string]string{
		at("postgres", "postgres?sslmode=require"):       addr + " has no TLS; set ssl = on there, or write sslmode=disable into the URL",
		"postgres://u:secret@x.invalid/db":               "no host has the name x.invalid; correct the URL",
		"postgres://u:secret@127.0.0.1:1/db":             "nothing listens at 127.0.0.1:1; start PostgreSQL there, or correct the URL",
		"postgres://u:secret@/db?host=/nosuch":           "nothing listens at /nosuch/.s.PGSQL.5432; start PostgreSQL there, or correct the URL",
		"postgres://u:secret@127.0.0.1:1,127.0.0.1:2/db": "nothing listens at 127.0.0.1:1; start PostgreSQL there, or correct the URL; nothing listens at 127.0.0.1:2; start PostgreSQL there, or correct the URL",
	} {
		if _, err := postgres.OpenSnapshot(t.Context(), url); err == nil || err.Error() != want {
			t.Errorf("%s: %v; want %s", url, err, want)
		}
	}
}

// TestSocket opens a database by the socket of its PostgreSQL.
func TestSocket(t *testing.T) {
	url := pgtest.Database(t)
	var folder string
	if err := pgtest.Connect(t, url).QueryRow(t.Context(), "SHOW unix_socket_directories").Scan(&folder); err != nil {
		t.Fatal(err)
	}
	_, database, _ := strings.Cut(strings.TrimSuffix(url, "?sslmode=disable"), pgtest.Shared(t).Addr()+"/")
	want := fmt.Sprintf("postgres://postgres@/%s?host=%s&port=%d", database, folder, pgtest.Shared(t).Port)
	if got := open(t, want).Name(); got != want {
		t.Errorf("the name is %s, want %s", got, want)
	}
}
