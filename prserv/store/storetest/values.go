package storetest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"prserver/prserv/store"
)

// testGetPR counts in no-history mode.
func testGetPR(t *testing.T, db Database) {
	s := db.Open(t)
	wantDump(t, s, store.NohistTable)
	wantPR(t, s, old, "a", "0")
	wantPR(t, s, old, "a", "0") // known, and the greatest
	wantPR(t, s, old, "b", "1")
	wantPR(t, s, old, "b", "1")
	wantPR(t, s, old, "a", "2") // known, but not the greatest: replaced
	wantPR(t, s, old, "b", "3")
	wantPROf(t, s, old, key("v", "arm", "a"), "0") // each pkgarch and each version counts for itself
	wantPROf(t, s, old, key("w", "all", "a"), "0")
	wantPR(t, s, old, "b", "3")
	// What was replaced has gone to the end.
	wantDump(t, s, store.NohistTable, "'v','all','a',2", "'v','all','b',3", "'v','arm','a',0", "'w','all','a',0")
	wantPR(t, s, old, "a", "4")
	wantDump(t, s, store.NohistTable, "'v','all','b',3", "'v','arm','a',0", "'w','all','a',0", "'v','all','a',4")
}

// testGetPRAfterImport goes on from what was imported.
func testGetPRAfterImport(t *testing.T, db Database) {
	s := db.Open(t)
	wantImport(t, s, key("v", "all", "a"), int64(7), int64(7))
	wantImport(t, s, key("v", "all", "b"), int64(7), int64(7))
	wantPR(t, s, old, "a", "7") // both are the greatest
	wantPR(t, s, old, "b", "7")
	wantPR(t, s, newer, "a", "7")
	wantPR(t, s, newer, "b", "7")
	wantPR(t, s, old, "c", "8")
	wantPR(t, s, old, "a", "9")
	wantImport(t, s, key("n", "all", "a"), int64(-5), int64(-5))
	wantPROf(t, s, old, key("n", "all", "b"), "-4")
	wantImport(t, s, key("g", "all", "a"), int64(1)<<40, int64(1)<<40)
	wantPROf(t, s, old, key("g", "all", "b"), "1099511627777")
}

func testImportOneNeverLowers(t *testing.T, db Database) {
	s := db.Open(t)
	a, b := key("v", "all", "a"), key("v", "all", "b")
	for _, step := range []struct{ value, want int64 }{{5, 5}, {3, 5}, {5, 5}, {8, 8}, {0, 8}, {-1, 8}, {9, 9}} {
		wantImport(t, s, a, step.value, step.want)
	}
	wantImport(t, s, b, int64(2), int64(2)) // another checksum may be lower
	wantDump(t, s, store.NohistTable, "'v','all','a',9", "'v','all','b',2")
	wantPR(t, s, old, "b", "10")
	wantImport(t, s, b, store.Revision{12}, int64(12)) // a revision that is a whole number
	wantImport(t, s, b, "13", int64(13))               // a text likewise
	wantImport(t, s, b, 14.0, int64(14))
	wantPR(t, s, old, "a", "15")
}

// testFind looks at what is known, without storing anything.
func testFind(t *testing.T, db Database) {
	s := db.Open(t)
	want := func(m store.Mode, checksum string, want store.Known) {
		t.Helper()
		if got, err := s.Find(t.Context(), key("v", "all", checksum), m); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v looks for %s: got %#v, %v; want %#v", m, checksum, got, err, want)
		}
	}
	want(old, "a", store.Known{})
	want(newer, "a", store.Known{})
	wantPR(t, s, old, "a", "0")
	wantPR(t, s, old, "b", "1")
	want(old, "a", store.Known{First: int64(0), Last: int64(0), Greatest: int64(1)})
	want(old, "c", store.Known{Greatest: int64(1)})
	wantPR(t, s, newer, "a", "2")
	want(newer, "a", store.Known{First: rev("0"), Last: rev("2"), Greatest: rev("2")})
	wantPR(t, s, above(newer, "3", ""), "d", "3.0")
	wantPR(t, s, newer, "b", "3.1")
	want(newer, "b", store.Known{First: rev("1"), Last: rev("3.1"), Greatest: rev("3.1")})
	want(newer, "c", store.Known{Greatest: rev("3.1")})
	want(old, "b", store.Known{First: int64(1), Last: int64(1), Greatest: rev("3.1")})
	want(old, "d", store.Known{Greatest: rev("3.1")})
}

// testExport has the greatest values only, all of them.
func testExport(t *testing.T, db Database) {
	s := db.Open(t)
	for _, r := range []struct {
		k store.Key
		v int64
	}{
		{key("v", "all", "b"), 7}, {key("v", "all", "a"), 7}, {key("v", "all", "c"), 6},
		{key("v", "arm", "a"), 1}, {key("u", "arm", "a"), 0}, {key("", "arm", "a"), 9},
	} {
		wantImport(t, s, r.k, r.v, r.v)
	}
	text := func(s string) *string { return &s }
	const ea, ua, va, vb, vr = " arm a 9", "u arm a 0", "v all a 7", "v all b 7", "v arm a 1"
	for _, test := range []struct {
		about  string
		filter store.Filter
		want   []string
	}{
		{"all", store.Filter{}, []string{ea, ua, va, vb, vr}},
		{"version", store.Filter{Version: text("v")}, []string{va, vb, vr}},
		{"pkgarch", store.Filter{Pkgarch: text("arm")}, []string{ea, ua, vr}},
		{"checksum", store.Filter{Checksum: text("a")}, []string{ea, ua, va, vr}},
		{"all three", store.Filter{Version: text("v"), Pkgarch: text("all"), Checksum: text("b")}, []string{vb}},
		{"a checksum that is not the greatest", store.Filter{Checksum: text("c")}, nil},
		{"another case", store.Filter{Version: text("V")}, nil},
		{"no pattern", store.Filter{Version: text("%")}, nil},
		{"no SQL", store.Filter{Version: text("' OR 1=1 --")}, nil},
		{"the empty version", store.Filter{Version: text("")}, []string{ea}},
	} {
		if got, want := exported(t, s, test.filter), strings.Join(test.want, "; "); got != want {
			t.Errorf("%s:\n got  %s\n want %s", test.about, got, want)
		}
	}
}

// testExportRevisions has the rows of generation 3: the greatest, and with the
// history all of them.
func testExportRevisions(t *testing.T, db Database) {
	s := db.Open(t)
	wantPR(t, s, newer, "b", "0")
	wantPR(t, s, newer, "a", "1")
	wantPR(t, s, newer, "b", "2")
	wantPROf(t, s, above(newer, "10", ""), key("u", "all", "a"), "10.0")
	wantPROf(t, s, newer, key("u", "all", "b"), "10.1")
	u, b := "u", "b"
	for _, test := range []struct {
		filter store.Filter
		want   string
	}{
		{store.Filter{Revisions: true}, "u all b 10.1; v all b 2"},
		{store.Filter{Revisions: true, Version: &u}, "u all b 10.1"},
		{store.Filter{Revisions: true, Checksum: &b}, "u all b 10.1; v all b 2"},
		{store.Filter{Revisions: true, History: true}, "v all b 0; v all a 1; v all b 2; u all a 10.0; u all b 10.1"},
		{store.Filter{Revisions: true, History: true, Version: &u}, "u all a 10.0; u all b 10.1"},
		{store.Filter{Revisions: true, History: true, Checksum: &b}, "v all b 0; v all b 2; u all b 10.1"},
		// A server of whole numbers goes on above 10.1.
		{store.Filter{}, "u all " + store.Reserved + " 11; v all b 2"},
	} {
		if got := exported(t, s, test.filter); got != test.want {
			t.Errorf("%+v:\n got  %s\n want %s", test.filter, got, test.want)
		}
	}
	wantDump(t, s, store.MainTable, "'v','all','b','0'", "'v','all','a','1'", "'v','all','b','2'", "'u','all','a','10.0'", "'u','all','b','10.1'",
		store.NohistTable, "'v','all','a',1", "'v','all','b',2", "'u','all','"+store.Reserved+"',11")
}

func testColumns(t *testing.T, db Database) {
	s := db.Open(t)
	for _, revisions := range []bool{true, false} {
		got, err := s.Columns(t.Context(), revisions)
		want := store.NohistColumns()
		if revisions {
			want = store.MainColumns()
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("revisions %v: got %v, %v; want %v", revisions, got, err, want)
		}
	}
}

// testTexts has keys that SQL or PostgreSQL might take for something else.
func testTexts(t *testing.T, db Database) {
	s := db.Open(t)
	for i, text := range []string{"", "'", `"`, `\`, `{a,"b"}`, "NULL", "%", "ü", "\u2028", " a ", "A", "a", "\U0001F600", strings.Repeat("long", 500)} {
		wantPROf(t, s, old, key("texts", "all", text), fmt.Sprint(i))
		wantPROf(t, s, old, key(text, text, text), "0")
		wantPROf(t, s, old, key(text, text, text), "0")
	}
}

// testOddTexts has texts that not every database takes, in every place where a
// client may send one. Nothing is known of them, and a server that stores nothing
// says what they would get. A new value is stored for them, or refused as theirs
// alone.
func testOddTexts(t *testing.T, db Database) {
	odd := []string{"\x00", "v\x00", "\x00v", "\xff", "v\xff", "\xed\xa0\x80"}
	s := db.Open(t)
	wantPR(t, s, newer, "a", "0")
	wantPR(t, s, newer, "v", "1")
	before := dumped(t, s)
	reader := db.ReadOnly(t)
	for _, text := range odd {
		for _, m := range []store.Mode{old, newer, history} {
			for _, test := range []struct {
				key      store.Key
				next     string
				greatest store.Value
			}{
				{key(text, "all", "a"), "0", nil},
				{key("v", text, "a"), "0", nil},
				{key("v", "all", text), "2", valueIn(m, 1)},
			} {
				peek := m
				peek.Peek = true
				wantPROf(t, s, peek, test.key, test.next)
				wantPROf(t, reader, m, test.key, test.next)
				known, err := s.Find(t.Context(), test.key, m)
				if want := (store.Known{Greatest: test.greatest}); err != nil || !reflect.DeepEqual(known, want) {
					t.Errorf("%+v looks for %q: got %v, %v; want %v", m, test.key, known, err, want)
				}
			}
		}
		for _, f := range []store.Filter{{Version: &text}, {Pkgarch: &text}, {Checksum: &text}} {
			if got := exported(t, s, f); got != "" {
				t.Errorf("%q: exported %s", text, got)
			}
		}
	}
	if after := dumped(t, s); after != before {
		t.Errorf("stored:\n%s\nbefore:\n%s", after, before)
	}
	together(len(odd)*6, func(i int) {
		var err error
		k := [...]store.Key{key(odd[i/6], "all", "a"), key("v", odd[i/6], "a"), key("v", "all", odd[i/6])}[i%3]
		if i%6 < 3 {
			_, err = s.GetPR(t.Context(), k, newer)
		} else {
			_, err = s.ImportOne(t.Context(), k, int64(1))
		}
		if err != nil {
			wantReason(t, fmt.Sprintf("%q", k), err, store.ErrMismatch)
		}
		_, err = s.GetPR(t.Context(), key("w", "all", fmt.Sprint(i)), newer)
		if err != nil {
			t.Errorf("beside %q: %v", k, err)
		}
	})
}

// valueIn is a whole number as a mode returns it.
func valueIn(m store.Mode, n int64) store.Value {
	if m.Revisions {
		return store.Revision{n}
	}
	return n
}
