package store_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"prserver/prserv/store"
)

func ExampleRevision_Compare() {
	var all []store.Revision
	for _, text := range []string{"10.1", "9", "10", "10.0"} {
		r, ok := store.ParseRevision(text)
		if !ok {
			fmt.Println(text, "is no revision")
		}
		all = append(all, r)
	}
	slices.SortFunc(all, store.Revision.Compare)
	fmt.Println(all)
	// Output: [9 10 10.0 10.1]
}

func TestParseRevision(t *testing.T) {
	for _, text := range []string{"0", "9", "-3", "10.0.1", "9223372036854775807", "-9223372036854775808", "007", "3.00"} {
		if _, ok := store.ParseRevision(text); !ok {
			t.Errorf("%q: no revision, want one", text)
		}
	}
	for _, text := range []string{"", ".", "1.", ".1", "1..2", "+1", "1.-2", "1.+2", "a", "1 ", "1.5e3", "1_0",
		"9223372036854775808", "1.9999999999999999999", "0000000000000000001"} {
		if r, ok := store.ParseRevision(text); ok {
			t.Errorf("%q: got %v, want none", text, r)
		}
	}
}

// TestRevisionOrder compares every pair of an ordered list.
func TestRevisionOrder(t *testing.T) {
	ordered := []string{"", "-1", "0", "0.0", "1", "1.0", "1.0.5", "1.1", "1.9", "1.10", "2", "9", "10", "10.0", "10.1"}
	for i, a := range ordered {
		for j, b := range ordered {
			ra, _ := store.ParseRevision(a)
			rb, _ := store.ParseRevision(b)
			if got, want := ra.Compare(rb), cmp.Compare(i, j); got != want {
				t.Errorf("%q against %q: got %d, want %d", a, b, got, want)
			}
			if ra.String() != a {
				t.Errorf("%q is written %q", a, ra.String())
			}
		}
	}
}
