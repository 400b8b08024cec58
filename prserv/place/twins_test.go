package place

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// TestRaiseTwinsRandom raises twins of random rows in every kind of place.
func TestRaiseTwinsRandom(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 11))
		kind, of := []Kind{Database, SQL, Inc}[seed%3], generations[seed/3%2]
		rows := randomRows(random, of, 14)
		if kind == Inc { // whose rows are written in the order of their keys, and which has one value of each
			rows, _ = merged(generation1, nil, sortedRows(rows))
		}
		p := makePlace(t, kind, of, rows)
		before := prservtest.ReadFile(t, p.Name)
		var want Raised
		twins := greatestOf(rows)
		for _, held := range twins {
			if len(held) > 1 {
				want.Versions++
				want.Rows += int64(len(held) - 1)
			}
		}
		got, err := (&Work{}).RaiseTwins(t.Context(), p)
		if err != nil || got != want {
			t.Errorf("seed %d: %+v, %v; want %+v", seed, got, err, want)
		}
		if want.Rows == 0 && prservtest.ReadFile(t, p.Name) != before {
			t.Errorf("seed %d: a place without twins was changed", seed)
		}
		// The first one keeps its number, the others get the next ones.
		var raised []Row
		for _, held := range twins {
			for i, r := range held[1:] {
				number, _ := store.ParseRevision(r.Value)
				r.Value = fmt.Sprint(number[0] + int64(i) + 1)
				raised = append(raised, r)
			}
		}
		if kind == Inc && len(rows) == 0 {
			continue
		}
		expected, _ := merged(of, rows, raised)
		wantRows(t, fmt.Sprintf("seed %d, kind %d, generation %d", seed, kind, of.number), listed(t, p, ListOptions{}), sortedRows(expected))
		if again, err := (&Work{}).RaiseTwins(t.Context(), p); err != nil || again != (Raised{}) {
			t.Errorf("seed %d: the second time %+v, %v", seed, again, err)
		}
	}
}

// newFile makes a database file by SQL.
func newFile(t *testing.T, sql string) Place {
	t.Helper()
	p := Place{Database, filepath.Join(t.TempDir(), "a.db")}
	execute(t, openDB(t, p.Name), sql)
	return p
}

// manyTwins are rows of many versions, in which two checksums are twins.
func manyTwins(n int) []Row {
	var rows []Row
	for i := range n {
		for _, checksum := range []string{"b", "a"} {
			rows = append(rows, Row{fmt.Sprint("v", i), "p", checksum, "1"})
		}
	}
	return rows
}

// TestRaiseTwinsOfServer raises thousands in one go, while builds make new ones.
func TestRaiseTwinsOfServer(t *testing.T) {
	const versions = 2000
	p := serve(t, manyTwins(versions)...)
	told := map[string]int64{}
	w := &Work{Progress: func(p Progress) { told[p.What] = max(told[p.What], p.Rows) }}
	got, err := w.RaiseTwins(t.Context(), p)
	if err != nil || got != (Raised{Versions: versions, Rows: versions}) {
		t.Errorf("%+v, %v", got, err)
	}
	if told["importing into "+p.Name] == 0 {
		t.Errorf("told no progress of importing: %v", told)
	}
	for _, held := range greatestOf(listed(t, p, ListOptions{})) {
		if len(held) > 1 || held[0].Checksum != "a" || held[0].Value != "2" {
			t.Errorf("%v hold the greatest value, want a with 2", held)
		}
	}
}

// TestRaiseTwinsWithoutNumber has values above which there is none to answer.
func TestRaiseTwinsWithoutNumber(t *testing.T) {
	for _, test := range []struct {
		of    *generation
		value string
		want  Raised
		left  []string // the greatest values of checksums afterwards
	}{
		{generation1, "2147483645", Raised{1, 2, 0}, []string{"2147483645", "2147483646", "2147483647"}},
		{generation1, "2147483646", Raised{1, 1, 1}, []string{"2147483646", "2147483647", "2147483646"}},
		{generation1, "2147483647", Raised{0, 0, 2}, []string{"2147483647", "2147483647", "2147483647"}},
		{generation1, "9223372036854775807", Raised{0, 0, 2}, []string{"9223372036854775807", "9223372036854775807", "9223372036854775807"}},
		{generation1, "-9223372036854775808", Raised{1, 2, 0}, []string{"-9223372036854775808", "-9223372036854775807", "-9223372036854775806"}},
		{generation3, "9223372036854775806", Raised{1, 1, 1}, []string{"9223372036854775806", "9223372036854775807", "9223372036854775806"}},
		{generation3, "9223372036854775807", Raised{0, 0, 2}, []string{"9223372036854775807", "9223372036854775807", "9223372036854775807"}},
		{generation3, "999999999999999999.7", Raised{1, 2, 0}, []string{"999999999999999999.7", "1000000000000000000", "1000000000000000001"}},
	} {
		for _, kind := range []Kind{Database, SQL} {
			p := makePlace(t, kind, test.of, []Row{{"v", "p", "a", test.value}, {"v", "p", "b", test.value}, {"v", "p", "c", test.value}})
			warned := ""
			w := &Work{Warn: func(line string) { warned += line }}
			got, err := w.RaiseTwins(t.Context(), p)
			if err != nil || got != test.want || (warned != "") != (test.want.Left > 0) {
				t.Errorf("%s: %+v, %v, warned %q; want %+v", test.value, got, err, warned, test.want)
			}
			values := map[string]string{}
			for _, r := range listed(t, p, ListOptions{}) {
				if compareRevisions(r.Value, values[r.Checksum]) > 0 {
					values[r.Checksum] = r.Value
				}
			}
			if want := (map[string]string{"a": test.left[0], "b": test.left[1], "c": test.left[2]}); !maps.Equal(values, want) {
				t.Errorf("%s: %v, want %v", test.value, values, want)
			}
		}
	}
}

// TestRaiseTwinsOfBothTables raises what shares the greatest value of both tables.
func TestRaiseTwinsOfBothTables(t *testing.T) {
	rows := "INSERT INTO PRMAIN VALUES('v','p','a','9');\n" +
		"INSERT INTO PRMAIN_nohist VALUES('v','p','a',1);\nINSERT INTO PRMAIN_nohist VALUES('v','p','b',9);\n"
	want := []Row{{"v", "p", "a", "1"}, {"v", "p", "a", "9"}, {"v", "p", "b", "9"}, {"v", "p", "b", "10"}}
	p := newFile(t, make1+make3+"CREATE TABLE notes (a);\n"+rows)
	warned := []string(nil)
	w := &Work{Warn: func(line string) { warned = append(warned, line) }}
	got, err := w.RaiseTwins(t.Context(), p)
	if err != nil || got != (Raised{Versions: 1, Rows: 1}) {
		t.Errorf("%+v, %v", got, err)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "values were copied from its table PRMAIN_nohist into PRMAIN: 2") {
		t.Errorf("warned %q", warned)
	}
	wantRows(t, "raised", sortedRows(stored(t, p.Name, generation3)), want)
	wantRows(t, "raised, whole numbers", stored(t, p.Name, generation1), []Row{{"v", "p", "a", "9"}, {"v", "p", "b", "10"}})
	wantProblems(t, "raised", problemsOf(t, p), nil)
	dump := textPlace(t, "a.sql", begin+make3+make1+rows+"COMMIT;\n")
	if got, err := (&Work{}).RaiseTwins(t.Context(), dump); err != nil || got != (Raised{Versions: 1, Rows: 1}) {
		t.Errorf("a dump: %+v, %v", got, err)
	}
	if text := prservtest.ReadFile(t, dump.Name); !strings.Contains(text, `"PRMAIN" VALUES('v','p','b','10')`) ||
		!strings.Contains(text, `"PRMAIN_nohist" VALUES('v','p','b',10)`) {
		t.Errorf("the dump has only %s", text)
	}
	wantRows(t, "a dump", listed(t, dump, ListOptions{}), want)
}

// TestRaiseTwinsRefused has places that cannot be mended so.
func TestRaiseTwinsRefused(t *testing.T) {
	for about, test := range map[string]struct {
		p    Place
		want string
	}{
		"a bad row": {newFile(t, make1+"INSERT INTO PRMAIN_nohist VALUES('v','p','a',9.3e18)"), "row v p a 9.3e+18: it is no PR value"},
		"no key":    {newFile(t, "CREATE TABLE PRMAIN_nohist (version TEXT, pkgarch TEXT, checksum TEXT, value INTEGER)"), "lost its primary key; copy it"},
		"no table":  {newFile(t, "CREATE TABLE notes (a)"), "it is not a PR database"},
		"no file":   {Place{Database, t.TempDir() + "/a.db"}, "no such file"},
		"no text":   {Place{SQL, t.TempDir() + "/a.sql"}, "no such file"},
	} {
		_, err := (&Work{}).RaiseTwins(t.Context(), test.p)
		prservtest.WantOneLine(t, about, err, test.p.Name, test.want)
		if strings.Count(err.Error(), test.p.Name) > 1 && about != "no table" {
			t.Errorf("%s: names the place twice: %v", about, err)
		}
	}
}

// TestMergeTellsOfTwins merges what two servers have given out since they began
// with the same values.
func TestMergeTellsOfTwins(t *testing.T) {
	of := func(builder string) (rows []Row) {
		for i := range 30 {
			rows = append(rows, Row{fmt.Sprint("v", i), "p", "common", "0"}, Row{fmt.Sprint("v", i), "p", builder, "1"})
		}
		return rows
	}
	for _, dst := range []Place{
		makePlace(t, Database, generation1, of("one")), makePlace(t, Database, generation3, of("one")),
		makePlace(t, SQL, generation1, of("one")), makePlace(t, Inc, generation1, of("one")), serve(t, of("one")...),
	} {
		for _, round := range []string{"the first time", "again", "raised"} {
			warned := ""
			w := &Work{Warn: func(line string) {
				if !strings.Contains(line, "have been merged into it") { // of which other tests are
					warned += line
				}
			}}
			if _, err := w.Copy(t.Context(), makePlace(t, SQL, generation1, of("two")), dst, CopyOptions{}); err != nil {
				t.Fatal(err)
			}
			switch want := "now, so different packages get the same number: 30; give each a number of its own with: prserv-tool raise-twins " + dst.Name; {
			case round == "raised" && warned != "":
				t.Errorf("%s, raised: warned %q", dst, warned)
			case round != "raised" && !strings.HasSuffix(warned, want):
				t.Errorf("%s, %s: warned %q, want %q", dst, round, warned, want)
			}
			if round != "again" {
				continue
			}
			got, err := w.RaiseTwins(t.Context(), dst)
			if err != nil || got != (Raised{Versions: 30, Rows: 30}) {
				t.Errorf("%s: %+v, %v", dst, got, err)
			}
			// What the destination had before keeps its number.
			for _, r := range listed(t, dst, ListOptions{Greatest: true}) {
				if r.Checksum != "two" || r.Value != "2" {
					t.Errorf("%s: %v holds the greatest value", dst, r)
				}
			}
		}
	}
}
