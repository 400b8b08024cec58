package postgres_test

import (
	"slices"
	"testing"

	"prserver/prserv/store/postgres/pgtest"
)

// TestVersions looks for versions, also up to what PostgreSQL has no text for.
func TestVersions(t *testing.T) {
	s := open(t, pgtest.Database(t))
	want := []string{"a", "a-1", "b"}
	for _, version := range want {
		wantPR(t, s, key(version, "all", "c"), 0)
	}
	for _, test := range []struct {
		from, below string
		want        []string
	}{
		{"", "z", want},
		{"a", "a\x00", want[:1]},
		{"a-", "a.", want[1:2]},
		{"a", "b\xff", want},
		{"a\x00", "a\x00\x00", nil},
		{"\xff", "\xff\x00", nil},
	} {
		got, err := s.Versions(t.Context(), test.from, test.below, 10)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("Versions(%q, %q): %q, %v; want %q", test.from, test.below, got, err, test.want)
		}
	}
}
