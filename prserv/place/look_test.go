package place

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
)

// valuesOf returns all values of each key, in their order.
func valuesOf(rows []Row) map[Row]string {
	out := map[Row]string{}
	for _, r := range sortedRows(rows) {
		key := Row{r.Version, r.Pkgarch, r.Checksum, ""}
		if out[key] != "" {
			out[key] += ","
		}
		out[key] += r.Value
	}
	return out
}

func TestDiffRandom(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 5))
		gens, kinds := generations, []Kind{Database, SQL, Inc}
		var rows [2][]Row
		var places [2]Place
		for i := range places {
			of, kind := gens[random.IntN(2)], kinds[random.IntN(3)]
			rows[i] = randomRows(random, of, 14)
			if kind == Inc && of.revisions && !hasRevisions(rows[i]) {
				kind = SQL
			}
			places[i] = makePlace(t, kind, of, rows[i])
		}
		a, b := valuesOf(rows[0]), valuesOf(rows[1])
		var want []Difference
		var counts Compared
		for key, value := range a {
			switch other := b[key]; {
			case other == "":
				counts.OnlyA++
			case other != value:
				counts.Other++
			default:
				counts.Same++
				continue
			}
			want = append(want, Difference{key.Version, key.Pkgarch, key.Checksum, value, b[key]})
		}
		for key, value := range b {
			if a[key] == "" {
				counts.OnlyB++
				want = append(want, Difference{key.Version, key.Pkgarch, key.Checksum, "", value})
			}
		}
		slices.SortFunc(want, func(x, y Difference) int {
			return strings.Compare(x.Version+x.Pkgarch+x.Checksum, y.Version+y.Pkgarch+y.Checksum)
		})
		var got []Difference
		c, err := (&Work{}).Diff(t.Context(), places[0], places[1], func(d Difference) error { got = append(got, d); return nil })
		if err != nil || c != counts || !slices.Equal(got, want) {
			t.Errorf("seed %d: %v and %v differ in %v, %+v, %v; want %v, %+v", seed, rows[0], rows[1], got, c, err, want, counts)
		}
	}
}

func TestDiffErrors(t *testing.T) {
	a, b := newDB(t, generation1, Row{"v", "p", "a", "1"}), newDB(t, generation1, Row{"v", "p", "b", "1"})
	_, err := (&Work{}).Diff(t.Context(), a, b, func(Difference) error { return errStop })
	if !errors.Is(err, errStop) {
		t.Errorf("%v, want %v", err, errStop)
	}
	if c, err := (&Work{}).Diff(t.Context(), a, a, func(Difference) error { return errStop }); err != nil || c.Same != 1 {
		t.Errorf("with itself: %+v, %v", c, err)
	}
	in := Place{SQL, standard}
	_, err = (&Work{}).Diff(t.Context(), in, in, nil)
	prservtest.WantOneLine(t, "both", err, "only one of the places can be standard input")
	_, err = (&Work{}).Diff(t.Context(), a, Place{SQL, "none.sql"}, nil)
	prservtest.WantOneLine(t, "none", err, "reading none.sql: no such file")
}

func TestListRandom(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 6))
		of := generations[random.IntN(2)]
		rows := randomRows(random, of, 14)
		p := makePlace(t, []Kind{Database, SQL}[random.IntN(2)], of, rows)
		o := ListOptions{Greatest: random.IntN(2) == 0}
		want := sortedRows(rows)
		if o.Greatest {
			most := greatestOf(rows)
			want = slices.DeleteFunc(want, func(r Row) bool { return !slices.Contains(most[r.Version+" "+r.Pkgarch], r) })
		}
		for _, f := range []struct {
			pattern *string
			of      func(Row) string
			letter  string
		}{
			{&o.Version, func(r Row) string { return r.Version }, "v"}, {&o.Pkgarch, func(r Row) string { return r.Pkgarch }, "p"},
			{&o.Checksum, func(r Row) string { return r.Checksum }, "c"},
		} {
			switch random.IntN(4) {
			case 0:
				*f.pattern = f.letter + "1"
				want = slices.DeleteFunc(want, func(r Row) bool { return f.of(r) != f.letter+"1" })
			case 1:
				*f.pattern = []string{"*", "??", f.letter + "*", f.letter + "?*"}[random.IntN(4)]
			}
		}
		wantRows(t, fmt.Sprintf("seed %d: %+v", seed, o), listed(t, p, o), want)
	}
}

func TestListPatterns(t *testing.T) {
	all := []Row{{"a*b", "p", "1", "1"}, {"a[x]", "p", "2", "1"}, {"ax", "p", "3", "1"}, {"Ax", "p", "4", "1"}}
	p := newDB(t, generation1, all...)
	for pattern, want := range map[string]string{"a*": "1 2 3", "a[x]": "2", "a?": "3", "?x": "3 4", "[": "", "": "1 2 3 4", "*]": "2", "A*": "4"} {
		var got []string
		for _, r := range listed(t, p, ListOptions{Version: pattern}) {
			got = append(got, r.Checksum)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", pattern, got, want)
		}
	}
	err := (&Work{}).List(t.Context(), p, ListOptions{}, func(Row) error { return errStop })
	if !errors.Is(err, errStop) || err.Error() != errStop.Error() {
		t.Errorf("%v, want %v alone", err, errStop)
	}
}

func problemsOf(t *testing.T, p Place) []Problem {
	t.Helper()
	var out []Problem
	if _, err := (&Work{}).Check(t.Context(), p, func(p Problem) error { out = append(out, p); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCheck(t *testing.T) {
	good := "INSERT INTO PRMAIN_nohist VALUES ('v','p','a',1), ('v','p','b',2), ('v','q','a',2), ('w','p','a',1);"
	for about, test := range map[string]struct {
		sql  string
		want []string // in the problems, one each
	}{
		"all is well":  {make1 + good, nil},
		"no key":       {"CREATE TABLE PRMAIN_nohist (version, pkgarch, checksum, value);" + good, []string{"PRMAIN_nohist has lost its primary key"}},
		"shared below": {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('v','p','c',1)", nil},
		"shared": {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('v','p','c',2)",
			[]string{`2 checksums of v p share its greatest value 2, so different packages get the same number: b, c|give each a number of its own: prserv-tool raise-twins `}},
		"shared by an odd name": {make1 + "INSERT INTO PRMAIN_nohist VALUES ('it''s;rm','p','a',2), ('it''s;rm','p','b',2)",
			[]string{"share its greatest value 2|prserv-tool raise-twins /"}},
		"no text":     {make1 + good + "INSERT INTO PRMAIN_nohist VALUES (X'41','p','c',2)", []string{"the row X'41' p c 2 holds"}},
		"NUL":         {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('v' || char(0),'p','c',2)", []string{`the row "v\x00" p c 2 holds`}},
		"no UTF-8":    {make1 + good + "INSERT INTO PRMAIN_nohist VALUES (CAST(X'ff' AS TEXT),'p','c',2)", []string{`the row "\xff" p c 2 has a text that is not UTF-8`}},
		"no value":    {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('v','p','c',NULL)", []string{"the row v p c NULL holds"}},
		"a fraction":  {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('v','p','c',2.5)", []string{"the row v p c 2.5 holds"}},
		"words":       {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('v','p','c','x y')", []string{`the row v p c "x y" holds`}},
		"no version":  {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('','p','c',2)", []string{"no version, so no export has it"}},
		"no checksum": {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('v','p','',0)", []string{"no pkgarch or no checksum"}},
		"below 0":     {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('v','p','c',-1)", []string{"a value below 0"}},
		"beyond":      {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('v','p','c',2147483648)", []string{"a value beyond 2147483647"}},
		"the last":    {make1 + good + "INSERT INTO PRMAIN_nohist VALUES ('v','p','c',2147483647)", []string{"the next one fails"}},
		"2.10 began":  {make1 + good + make3, []string{"versions that have such: 3|copy --generation 3"}},
		"2.10 goes on": {make1 + good + make3 + "INSERT INTO PRMAIN VALUES ('v','p','a','9.0'), ('v','q','a','3'), ('w','p','a','1.0')",
			nil},
		"both, and bad": {make1 + "INSERT INTO PRMAIN_nohist VALUES ('v','p','c',2.5);" + make3 + "INSERT INTO PRMAIN VALUES ('v','p','c','10')",
			[]string{"the row v p c 2.5 holds"}},
		"revisions":        {make3 + "INSERT INTO PRMAIN VALUES ('v','p','a','9'), ('v','p','b','9.1'), ('v','p','b','9.0')", nil},
		"revisions shared": {make3 + "INSERT INTO PRMAIN VALUES ('v','p','a','9'), ('v','p','a','10.1'), ('v','p','b','10.1')", []string{"share its greatest value 10.1"}},
		"revisions bad":    {make3 + "INSERT INTO PRMAIN VALUES ('v','p','a','9.'), ('v','p','b','')", []string{"the row v p a 9.", `the row v p b ""`}},
		"many": {make1 + "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 50) INSERT INTO PRMAIN_nohist SELECT 'v' || n, 'p', 'c', NULL FROM i",
			append(slices.Repeat([]string{"NULL holds"}, maxProblems), "30 more rows hold what no PR server issues")},
		"many shared": {make1 + "WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 49) INSERT INTO PRMAIN_nohist SELECT 'v' || (n / 2), 'p', n, 1 FROM i",
			append(slices.Repeat([]string{"share its greatest value 1"}, maxProblems), "5 more versions have")},
		"many odd": {make1 + "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 50) INSERT INTO PRMAIN_nohist SELECT 'v' || n, '', 'c', 1 FROM i",
			append(slices.Repeat([]string{"no pkgarch"}, maxProblems), "30 more rows are odd in the same way")},
	} {
		p := Place{Database, filepath.Join(t.TempDir(), "a.db")}
		execute(t, openDB(t, p.Name), test.sql)
		wantProblems(t, about, problemsOf(t, p), test.want)
	}
}

func wantProblems(t *testing.T, about string, got []Problem, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %q, want %q", about, got, want)
		return
	}
	for i, w := range want {
		what, do, _ := strings.Cut(w, "|")
		if !strings.Contains(got[i].What, what) || !strings.Contains(got[i].Do, do) || strings.Contains(got[i].What+got[i].Do, "\n") {
			t.Errorf("%s: %q, want %q", about, got[i], w)
		}
	}
}

func TestCheckText(t *testing.T) {
	p := textPlace(t, "a.sql", begin+make1+"INSERT INTO PRMAIN_nohist VALUES('v','p','c','3');\nINSERT INTO PRMAIN_nohist VALUES('v','p',X'41',9.0e+999);\nCOMMIT;\n")
	wantProblems(t, "dump", problemsOf(t, p), []string{"the row v p c 3 holds", "the row v p X'41' +Inf holds"})
	p = serve(t, Row{"v", "p", "a", "1"}, Row{"v", "p", "b", "1"})
	wantProblems(t, "server", problemsOf(t, p), []string{"share its greatest value 1|prserv-tool raise-twins " + p.Name})
}

// TestCheckDamaged looks into files that are not sound.
func TestCheckDamaged(t *testing.T) {
	var rows []Row
	for i := range 2000 {
		rows = append(rows, Row{fmt.Sprint("version ", i), "p", strings.Repeat("c", 40), fmt.Sprint(i)})
	}
	p := Place{Database, filepath.Join(t.TempDir(), "a.db")}
	if _, err := (&Work{}).Copy(t.Context(), makePlace(t, SQL, generation1, rows), p, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	sound := []byte(prservtest.ReadFile(t, p.Name))
	random := rand.New(rand.NewPCG(7, 7))
	published := feedOf(t, "a 1-r0.7")
	found := 0
	for range 40 {
		damaged := slices.Clone(sound)
		at := 4096 + random.IntN(len(damaged)-5000)
		for i := range 600 {
			damaged[at+i] = byte(random.IntN(256))
		}
		prservtest.WriteFile(t, p.Name, string(damaged))
		problems := 0
		_, err := (&Work{}).Check(t.Context(), p, func(problem Problem) error { problems++; return nil })
		if err != nil {
			prservtest.WantOneLine(t, "check", err, p.Name)
		}
		if err != nil || problems > 0 {
			found++
		}
		dst := Place{Database, filepath.Join(t.TempDir(), "b.db")}
		if _, err := (&Work{}).Copy(t.Context(), p, dst, CopyOptions{}); err != nil {
			prservtest.WantOneLine(t, "copy", err, p.Name)
			prservtest.WantFolder(t, "copy", filepath.Dir(dst.Name))
		}
		if err := (&Work{}).List(t.Context(), p, ListOptions{}, func(Row) error { return nil }); err != nil {
			prservtest.WantOneLine(t, "list", err, p.Name)
		}
		if err := (&Work{}).CheckPublished(t.Context(), p, published, func(Behind) error { return nil }); err != nil {
			prservtest.WantOneLine(t, "check of a feed", err, p.Name)
		}
		if _, err := (&Work{}).Diff(t.Context(), published, p, func(Difference) error { return nil }); err != nil {
			prservtest.WantOneLine(t, "diff with a feed", err, p.Name)
		}
	}
	if found != 40 {
		t.Errorf("found %d damages of 40", found)
	}
}
