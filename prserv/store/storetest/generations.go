package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"prserver/prserv/store"
)

// testGenerations counts on in one sequence for clients of every generation.
func testGenerations(t *testing.T, db Database) {
	s := db.Open(t)
	wantPR(t, s, old, "a", "0")
	wantPR(t, s, old, "b", "1")
	wantPR(t, s, newer, "b", "1") // from now on older values stay
	wantDump(t, s, store.MainTable, "'v','all','a','0'", "'v','all','b','1'", store.NohistTable, "'v','all','a',0", "'v','all','b',1")
	wantPR(t, s, newer, "c", "2")
	wantPR(t, s, old, "c", "2")
	wantPR(t, s, newer, "a", "3")
	wantPR(t, s, history, "a", "0")
	wantPR(t, s, history, "d", "4")
	wantPR(t, s, old, "b", "5")
	wantPR(t, s, history, "b", "1")
	wantPR(t, s, newer, "b", "5")
	wantDump(t, s,
		store.MainTable, "'v','all','a','0'", "'v','all','b','1'", "'v','all','c','2'", "'v','all','a','3'", "'v','all','d','4'", "'v','all','b','5'",
		store.NohistTable, "'v','all','c',2", "'v','all','a',3", "'v','all','d',4", "'v','all','b',5")

	// Texts would begin again at 10.
	for i := 6; i < 12; i++ {
		wantPR(t, s, newer, fmt.Sprint("n", i), fmt.Sprint(i))
	}
	wantPR(t, s, newer, "n9", "12")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = db.Open(t)
	wantPR(t, s, history, "n9", "9")
	wantPR(t, s, old, "n9", "12")
}

// testSubRevisions gives values that are no whole numbers.
func testSubRevisions(t *testing.T, db Database) {
	s := db.Open(t)
	wantPR(t, s, above(newer, "3", "3"), "x", "3")
	wantPR(t, s, above(newer, "3", ""), "a", "3.0")
	wantPR(t, s, above(newer, "3", ""), "b", "3.1")
	wantPR(t, s, above(newer, "3", ""), "a", "3.2")
	wantPR(t, s, above(newer, "3", ""), "a", "3.2")
	wantPR(t, s, old, "x", "4") // 3 would be below 3.2
	wantPR(t, s, old, "a", "5")
	wantPR(t, s, above(newer, "3", ""), "c", "6") // the upstream is behind
	wantPR(t, s, above(newer, "7", "7"), "c", "7")
	wantPR(t, s, above(old, "8", ""), "c", "9")
	wantPR(t, s, above(newer, "9.9", ""), "d", "9.9.0")
	wantPR(t, s, newer, "e", "9.9.1")
	wantImport(t, s, key("w", "all", "a"), rev("3.9"), rev("3.9"))
	wantPROf(t, s, newer, key("w", "all", "b"), "3.10")
	wantPROf(t, s, old, key("w", "all", "b"), "4")
	wantImport(t, s, key("w", "all", "b"), rev("2.5"), rev("4"))
	wantImport(t, s, key("w", "all", "b"), int64(3), int64(4))
}

// testLimits goes as far as values can.
func testLimits(t *testing.T, db Database) {
	s := db.Open(t)
	wantImport(t, s, key("v", "all", "a"), int64(math.MaxInt64-1), int64(math.MaxInt64-1))
	wantPR(t, s, newer, "b", "9223372036854775807")
	for _, m := range []store.Mode{old, newer} {
		_, err := s.GetPR(t.Context(), key("v", "all", "c"), m)
		wantReason(t, "after the last number", err, store.ErrTooBig)
	}
	wantPR(t, s, newer, "b", "9223372036854775807") // which it has
	wantImport(t, s, key("w", "all", "a"), rev("3.999999999999999999"), rev("3.999999999999999999"))
	_, err := s.GetPR(t.Context(), key("w", "all", "b"), newer)
	wantReason(t, "after the last part", err, store.ErrTooBig)
	wantPROf(t, s, old, key("w", "all", "b"), "4")
}

// testRandomly has clients of all generations, with an upstream server that is
// ahead or behind, ask for the same packages, and opens the database again now
// and then. A value is above every value that was given before, unless it is the
// greatest and the checksum's own.
func testRandomly(t *testing.T, db Database) {
	type groupState struct {
		greatest store.Revision
		holders  map[string]bool // that were given the greatest
	}
	s := db.Open(t)
	groups := map[string]*groupState{}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 3000 {
		version, checksum := fmt.Sprint("v", random.IntN(6)), fmt.Sprint("c", random.IntN(8))
		m := store.Mode{Revisions: random.IntN(2) == 0}
		if random.IntN(4) == 0 {
			m.Upstream = &store.Published{Greatest: store.Revision{random.Int64N(40), random.Int64N(3)}[:1+random.IntN(2)]}
			if random.IntN(2) == 0 {
				m.Upstream.Value = m.Upstream.Greatest
			}
		}
		g := groups[version]
		if g == nil {
			g = &groupState{holders: map[string]bool{}}
			groups[version] = g
		}
		k := key(version, "all", checksum)
		if random.IntN(10) == 0 {
			v := store.Revision{random.Int64N(40), random.Int64N(12)}[:1+random.IntN(2)]
			if _, err := s.ImportOne(t.Context(), k, v); err != nil {
				t.Fatal(err)
			}
			switch v.Compare(g.greatest) {
			case 1:
				g.greatest, g.holders = v, map[string]bool{checksum: true}
			case 0:
				g.holders[checksum] = true
			}
			continue
		}
		got, err := s.GetPR(t.Context(), k, m)
		if err != nil {
			t.Fatal(err)
		}
		r, ok := got.(store.Revision)
		if !ok {
			r = store.Revision{got.(int64)}
		}
		switch c := r.Compare(g.greatest); {
		case c > 0:
			g.greatest, g.holders = r, map[string]bool{checksum: true}
		case c < 0 || !g.holders[checksum]:
			t.Fatalf("%s %s %+v: got %v after %v, which %v have", version, checksum, m, r, g.greatest, g.holders)
		}
		if random.IntN(200) == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = db.Open(t)
		}
	}
}
