package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// rev makes a revision of a text.
func rev(text string) store.Revision {
	r, _ := store.ParseRevision(text)
	return r
}

// same is a mode whose upstream has a value for the checksum.
func same(m store.Mode, value string) store.Mode {
	m.Upstream.Value = rev(value)
	return m
}

// TestPeek holds a store that is asked to store nothing against a read-only store
// of the same file, and looks that nothing was stored.
func TestPeek(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			file := prservtest.NewFile(t)
			s := prservtest.Open(t, file)
			reader, err := sqlite.Open(t.Context(), file, true)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			modes := []store.Mode{old, newer, history, above(old, "3"), same(above(newer, "3.1"), "2"), same(above(newer, "1"), "1")}
			if seed%2 == 0 {
				modes = modes[:1] // one table only
			}
			imports := []store.Value{int64(2), int64(7), rev("1.4"), 2.5, "odd", rev("9")}
			for range 40 {
				k := key(fmt.Sprint("v", r.IntN(3)), "all", fmt.Sprint("c", r.IntN(4)))
				if r.IntN(5) == 0 {
					if _, err := s.ImportOne(t.Context(), k, imports[r.IntN(len(imports))]); err != nil {
						t.Fatal(err)
					}
				} else if _, err := s.GetPR(t.Context(), k, modes[r.IntN(len(modes))]); err != nil {
					t.Fatal(err)
				}
				before := tableOf(t, file, "PRMAIN_nohist")
				for _, m := range modes {
					k := key(fmt.Sprint("v", r.IntN(4)), "all", fmt.Sprint("c", r.IntN(5)))
					want, wantErr := reader.GetPR(t.Context(), k, m)
					m.Peek = true
					got, err := s.GetPR(t.Context(), k, m)
					if fmt.Sprintf("%T %v %v", got, got, err) != fmt.Sprintf("%T %v %v", want, want, wantErr) {
						t.Fatalf("%+v, %v: got %v, %v; a read-only store answers %v, %v", m, k, got, err, want, wantErr)
					}
				}
				if after := tableOf(t, file, "PRMAIN_nohist"); after != before {
					t.Fatalf("stored:\n%s\nbefore:\n%s", after, before)
				}
			}
		})
	}
}
