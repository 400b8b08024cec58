package place

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// TestConvert has the cases that the comment in convert is about.
func TestConvert(t *testing.T) {
	for about, test := range map[string]struct {
		in, want []Row
		left     int64
	}{
		"whole numbers":           {[]Row{{"v", "p", "a", "2"}, {"v", "p", "b", "3"}}, []Row{{"v", "p", "a", "2"}, {"v", "p", "b", "3"}}, 0},
		"several of one":          {[]Row{{"v", "p", "a", "9"}, {"v", "p", "a", "10"}}, []Row{{"v", "p", "a", "10"}}, 1},
		"one checksum":            {[]Row{{"v", "p", "a", "3"}, {"v", "p", "a", "3.0"}, {"v", "p", "a", "3.1"}}, []Row{{"v", "p", "a", "4"}}, 2},
		"3, 3.0, 3.1":             {[]Row{{"v", "p", "a", "3"}, {"v", "p", "b", "3.0"}, {"v", "p", "c", "3.1"}}, []Row{{"v", "p", "a", "3"}, {"v", "p", "c", "4"}}, 1},
		"the next is whole":       {[]Row{{"v", "p", "a", "3.9"}, {"v", "p", "b", "4"}}, []Row{{"v", "p", "b", "4"}}, 1},
		"3.0 is more than 3":      {[]Row{{"v", "p", "a", "3"}, {"v", "p", "b", "3.0"}}, []Row{{"v", "p", "a", "3"}, {"v", "p", "b", "4"}}, 0},
		"nothing but fractions":   {[]Row{{"v", "p", "a", "9.9"}, {"v", "p", "b", "9.10"}}, []Row{{"v", "p", "b", "10"}}, 1},
		"zero":                    {[]Row{{"v", "p", "a", "0"}}, []Row{{"v", "p", "a", "0"}}, 0},
		"less than one":           {[]Row{{"v", "p", "a", "0.0"}}, []Row{{"v", "p", "a", "1"}}, 0},
		"below zero":              {[]Row{{"v", "p", "a", "-5"}, {"v", "p", "b", "0.1"}}, []Row{{"v", "p", "a", "-5"}, {"v", "p", "b", "1"}}, 0},
		"others are not its":      {[]Row{{"v", "p", "a", "3.1"}, {"v", "q", "a", "7"}, {"w", "p", "b", "7"}}, []Row{{"v", "p", "a", "4"}, {"v", "q", "a", "7"}, {"w", "p", "b", "7"}}, 0},
		"10 is more than 9.9":     {[]Row{{"v", "p", "a", "9.9"}, {"v", "p", "b", "10"}}, []Row{{"v", "p", "b", "10"}}, 1},
		"the most there is":       {[]Row{{"v", "p", "a", "999999999999999999.1"}}, []Row{{"v", "p", "a", "1000000000000000000"}}, 0},
		"the last whole number":   {[]Row{{"v", "p", "a", "9223372036854775807"}, {"v", "p", "b", "7.1"}}, []Row{{"v", "p", "a", "9223372036854775807"}}, 1},
		"what SQLite would round": {[]Row{{"v", "p", "a", "9007199254740993"}}, []Row{{"v", "p", "a", "9007199254740993"}}, 0},
	} {
		for _, kind := range []Kind{Database, SQL} {
			dst := Place{Database, filepath.Join(t.TempDir(), "a.db")}
			warned := 0
			w := &Work{Warn: func(string) { warned++ }}
			c, err := w.Copy(t.Context(), makePlace(t, kind, generation3, test.in), dst, CopyOptions{Generation: store.Generation1})
			if want := (Copied{New: int64(len(test.want)), Left: test.left}); err != nil || c != want {
				t.Errorf("%s: %+v, %v; want %+v", about, c, err, want)
				continue
			}
			wantRows(t, about, sortedRows(stored(t, dst.Name, generation1)), test.want)
			if test.left > 0 && warned == 0 {
				t.Errorf("%s: no warning", about)
			}
		}
	}
}

// TestConvertBeyond has values behind which there is no whole number. They are
// refused; the last ones that are not stand in TestConvert.
func TestConvertBeyond(t *testing.T) {
	for _, value := range []string{"9223372036854775807.1", "9223372036854775808", "1000000000000000000.0"} {
		for _, kind := range []Kind{Database, SQL} {
			dst := Place{Database, filepath.Join(t.TempDir(), "a.db")}
			_, err := (&Work{}).Copy(t.Context(), makePlace(t, kind, generation3, []Row{{"v", "p", "a", value}}), dst,
				CopyOptions{Generation: store.Generation1})
			prservtest.WantOneLine(t, value, err, "the row v p a "+value+": it is no PR value")
		}
	}
}

// TestConvertRandom converts random generation3: no number may go back, and none
// be given twice that was not.
func TestConvertRandom(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 4))
		in := randomRows(random, generation3, 20)
		dst := Place{Database, filepath.Join(t.TempDir(), "a.db")}
		c, err := (&Work{}).Copy(t.Context(), makePlace(t, SQL, generation3, in), dst, CopyOptions{Generation: store.Generation1})
		out := stored(t, dst.Name, generation1)
		if want := (Copied{New: int64(len(out)), Left: int64(len(in) - len(out))}); err != nil || c != want {
			t.Errorf("seed %d: %+v, %v; want %+v", seed, c, err, want)
		}
		before, after := greatestOf(in), greatestOf(out)
		for group, b := range before {
			a := after[group]
			if len(a) == 0 {
				t.Fatalf("seed %d: %s has no value of %v", seed, group, b)
			}
			n, _ := strconv.Atoi(a[0].Value)
			if next := strconv.Itoa(n + 1); compareRevisions(next, b[0].Value) <= 0 {
				t.Errorf("seed %d: the next value of %s is %s, after %v", seed, group, next, b)
			}
			if shared := len(a) > 1; shared && len(b) < 2 {
				t.Errorf("seed %d: %v share what %v did not", seed, a, b)
			}
		}
		for _, r := range in {
			at := slices.IndexFunc(out, func(o Row) bool { return compareKeys(&o, &r) == 0 })
			if !strings.Contains(r.Value, ".") && (at < 0 || compareRevisions(out[at].Value, r.Value) < 0) {
				t.Errorf("seed %d: %v is lost or lowered in %v", seed, r, out)
			}
		}
	}
}

// greatestOf returns the rows with the greatest value of each version and
// pkgarch.
func greatestOf(rows []Row) map[string][]Row {
	out := map[string][]Row{}
	for _, r := range rows {
		group := r.Version + " " + r.Pkgarch
		switch best := out[group]; {
		case len(best) == 0 || compareRevisions(r.Value, best[0].Value) > 0:
			out[group] = []Row{r}
		case compareRevisions(r.Value, best[0].Value) == 0:
			out[group] = append(best, r)
		}
	}
	return out
}
