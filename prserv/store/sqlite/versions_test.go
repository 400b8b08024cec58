package sqlite_test

import (
	"slices"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// TestVersionsOfGeneration3 looks for versions in a file that has the table of
// generation 3 alone.
func TestVersionsOfGeneration3(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	wantPR(t, s, newer, "a", "0")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	prservtest.Execute(t, prservtest.Outside(t, file), "DROP TABLE "+store.NohistTable)
	got, err := open(t, file, true).Versions(t.Context(), "", "z", 10)
	if want := []string{"v"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
