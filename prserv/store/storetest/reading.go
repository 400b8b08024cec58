package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"prserver/prserv/store"
)

// testReadOnly reads beside a server that writes.
func testReadOnly(t *testing.T, db Database) {
	writer := db.Open(t)
	wantPR(t, writer, old, "a", "0")
	reader := db.ReadOnly(t)
	wantPR(t, reader, old, "a", "0")
	wantPR(t, reader, old, "b", "1") // computed
	wantPR(t, reader, old, "b", "1") // and not stored
	wantPR(t, writer, old, "c", "1")
	wantPR(t, reader, old, "c", "1")
	wantPR(t, reader, old, "b", "2")
	wantPR(t, reader, old, "a", "2") // no longer the greatest
	if _, err := reader.ImportOne(t.Context(), key("v", "all", "d"), int64(9)); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("a read-only store imported a value: %v", err)
	}
	wantDump(t, reader, store.NohistTable, "'v','all','a',0", "'v','all','c',1")
}

// testPeek holds a store that is asked to store nothing against a read-only store
// of the same database, and looks that nothing was stored.
func testPeek(t *testing.T, db Database) {
	modes := []store.Mode{old, newer, history, above(old, "3", ""), above(newer, "3.1", "2"), above(newer, "1", "1")}
	imports := []store.Value{int64(2), int64(7), rev("1.4"), 2.5, "odd", rev("9")}
	s := db.Open(t)
	reader := db.ReadOnly(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for n := range 160 {
		asked := modes
		if n < 40 { // whole numbers only: one table
			asked = modes[:1]
		}
		k := key(fmt.Sprint("v", random.IntN(3)), "all", fmt.Sprint("c", random.IntN(4)))
		if random.IntN(5) == 0 {
			v := imports[random.IntN(len(imports))]
			if _, isRevision := v.(store.Revision); isRevision && n < 40 {
				v = int64(9)
			}
			// Not every store has a place for every value.
			if _, err := s.ImportOne(t.Context(), k, v); err != nil && !errors.Is(err, store.ErrMismatch) {
				t.Fatal(err)
			}
		} else if _, err := s.GetPR(t.Context(), k, asked[random.IntN(len(asked))]); err != nil {
			t.Fatal(err)
		}
		before := dumped(t, s)
		for _, m := range asked {
			k := key(fmt.Sprint("v", random.IntN(4)), "all", fmt.Sprint("c", random.IntN(5)))
			want, wantErr := reader.GetPR(t.Context(), k, m)
			m.Peek = true
			got, err := s.GetPR(t.Context(), k, m)
			if fmt.Sprintf("%T %v %v", got, got, err) != fmt.Sprintf("%T %v %v", want, want, wantErr) {
				t.Fatalf("%+v, %v: got %v, %v; a read-only store answers %v, %v", m, k, got, err, want, wantErr)
			}
		}
		if after := dumped(t, s); after != before {
			t.Fatalf("stored:\n%s\nbefore:\n%s", after, before)
		}
	}
}

// versions is a store that finds versions, for whoever looks at what is stored.
type versions interface {
	Versions(ctx context.Context, from, below string, limit int) ([]string, error)
}

// testVersions looks for versions, also where a bound is no text for PostgreSQL.
func testVersions(t *testing.T, db Database) {
	all := []string{"a", "a-1", "a-2", "b"}
	s := db.Open(t)
	check := func(about string, s store.Store) {
		t.Helper()
		for _, test := range []struct {
			from, below string
			limit       int
			want        []string
		}{
			{"", "z", 10, all},
			{"a-", "a.", 10, all[1:3]},
			{"a-2", "z", 10, all[2:]},
			{"", "z", 2, all[:2]},
			{"c", "z", 2, nil},
			{"a", "a\x00", 10, all[:1]},
			{"a", "b\xff", 10, all},
			{"a\x00", "a\x00\x00", 10, nil},
			{"\xff", "\xff\x00", 10, nil},
		} {
			got, err := s.(versions).Versions(t.Context(), test.from, test.below, test.limit)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%s: Versions(%q, %q, %d): %q, %v; want %q", about, test.from, test.below, test.limit, got, err, test.want)
			}
		}
	}
	for i, version := range all {
		for checksum := range 3 {
			wantPROf(t, s, old, key(version, []string{"all", "arm"}[i%2], fmt.Sprint(checksum)), fmt.Sprint(checksum))
		}
	}
	check("whole numbers", s)
	wantPROf(t, s, newer, key("a-1", "all", "new"), "0")
	check("all generations", s)
	check("only to read", db.ReadOnly(t))
}
