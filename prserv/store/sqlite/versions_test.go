package sqlite_test

import (
	"fmt"
	"slices"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// TestVersions looks for versions in files with one table, with both, and, only
// to read, with that of generation 3 alone.
func TestVersions(t *testing.T) {
	want := []string{"a-1", "a-2", "b-1"}
	check := func(name string, db *sqlite.Store) {
		t.Helper()
		for _, test := range []struct {
			from, below string
			limit       int
			want        []string
		}{
			{"", "z", 10, want},
			{"a-", "a.", 10, want[:2]},
			{"a-2", "z", 10, want[1:]},
			{"", "z", 2, want[:2]},
			{"c", "z", 2, nil},
		} {
			got, err := db.Versions(t.Context(), test.from, test.below, test.limit)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%s: Versions(%q, %q, %d): %q, %v; want %q", name, test.from, test.below, test.limit, got, err, test.want)
			}
		}
	}
	file := prservtest.NewFile(t)
	db := prservtest.Open(t, file)
	for i, version := range want {
		for checksum := range 3 {
			k := store.Key{Version: version, Pkgarch: "all", Checksum: fmt.Sprint(i, checksum)}
			if _, err := db.GetPR(t.Context(), k, store.Mode{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	check("one table", db)
	if _, err := db.GetPR(t.Context(), store.Key{Version: "a-1", Pkgarch: "all", Checksum: "new"}, store.Mode{Revisions: true}); err != nil {
		t.Fatal(err)
	}
	check("both in step", db)
	readOnly, err := sqlite.Open(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	check("both, only to read", readOnly)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	prservtest.Execute(t, prservtest.Outside(t, file), "DROP TABLE "+store.NohistTable)
	alone, err := sqlite.Open(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	check("generation 3 alone", alone)
}
