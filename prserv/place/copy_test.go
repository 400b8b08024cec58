package place

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
)

// randomRows are up to n rows of few versions, so that they meet often.
func randomRows(random *rand.Rand, of *generation, n int) []Row {
	seen := map[Row]bool{}
	for range random.IntN(n + 1) {
		r := Row{fmt.Sprint("v", random.IntN(2)), fmt.Sprint("p", random.IntN(2)), fmt.Sprint("c", random.IntN(4)), ""}
		if of.revisions {
			r.Value = []string{"0", "0.0", "1", "2", "2.0", "2.1", "9", "9.10", "10", "10.0"}[random.IntN(10)]
		} else if seen[r] {
			continue
		} else {
			seen[r] = true
			r.Value = strconv.Itoa(random.IntN(12) - 1)
		}
		seen[r] = true
	}
	var rows []Row
	for r := range seen {
		if r.Value != "" {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, compareRows) // maps have no order
	random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}

// makePlace makes a place of a kind with rows.
func makePlace(t testing.TB, kind Kind, of *generation, rows []Row) Place {
	t.Helper()
	put := func(put func(Row)) {
		for _, r := range rows {
			put(r)
		}
	}
	switch kind {
	case Database:
		return newDB(t, of, rows...)
	case SQL:
		return textPlace(t, "a.sql", dumpText(of, put))
	}
	var text strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&text, "PRAUTO$%s$%s$%s = \"%s\"\n", r.Version, r.Pkgarch, r.Checksum, r.Value)
	}
	return textPlace(t, "a.inc", text.String())
}

// merged is what importone makes of rows and others that are imported; in a
// table of revisions nothing is replaced.
func merged(of *generation, old, in []Row) (rows []Row, c Copied) {
	rows = slices.Clone(old)
	for _, r := range in {
		at := slices.IndexFunc(rows, func(o Row) bool {
			return compareKeys(&o, &r) == 0 && (!of.revisions || o.Value == r.Value)
		})
		switch {
		case at < 0:
			rows = append(rows, r)
			c.New++
		case !of.revisions && compareRevisions(r.Value, rows[at].Value) > 0:
			rows[at] = r
			c.Raised++
		default:
			c.Kept++
		}
	}
	return rows, c
}

func hasRevisions(rows []Row) bool {
	return slices.ContainsFunc(rows, func(r Row) bool { return strings.Contains(r.Value, ".") })
}

// TestCopyRandom copies random rows between files of all kinds, to such as
// there are and such as are made.
func TestCopyRandom(t *testing.T) {
	usual, copies := sortFrom, 0
	defer func() { sortFrom = usual }()
	for seed := range uint64(150) {
		if sortFrom = usual; seed%4 == 0 {
			sortFrom = 2
		}
		random := rand.New(rand.NewPCG(seed, 1))
		kinds := []Kind{Database, SQL, Inc}
		from, to := kinds[random.IntN(3)], kinds[random.IntN(3)]
		inGen := generations[random.IntN(2)]
		in := randomRows(random, inGen, 12)
		if from == Inc && !hasRevisions(in) {
			inGen = generation1 // nothing tells
			slices.SortFunc(in, compareRows)
			in = slices.CompactFunc(in, func(a, b Row) bool { return compareKeys(&a, &b) == 0 })
		}
		src := makePlace(t, from, inGen, in)
		about := fmt.Sprintf("seed %d: %v of generation %d to kind %d, %v", seed, from, inGen.number, to, in)
		var dst Place
		var old []Row
		gen := inGen
		if random.IntN(2) == 0 {
			dst = Place{to, filepath.Join(t.TempDir(), "new")}
		} else {
			gen = newest(inGen, generations[random.IntN(2)])
			old = randomRows(random, gen, 12)
			if to == Inc && !hasRevisions(old) && gen != inGen {
				continue
			}
			if to == Inc && gen.revisions && !hasRevisions(old) {
				slices.SortFunc(old, compareRows)
				old = slices.CompactFunc(old, func(a, b Row) bool { return compareKeys(&a, &b) == 0 })
			}
			dst = makePlace(t, to, gen, old)
			about += fmt.Sprint(" into ", old)
		}
		copies++
		want, counts := merged(gen, old, in)
		got, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{All: to == Inc})
		if err != nil || got != counts {
			t.Errorf("%s: %+v, %v; want %+v", about, got, err, counts)
			continue
		}
		var rows []Row
		switch to {
		case Database:
			rows = stored(t, dst.Name, gen)
			if len(old) == 0 && from != Inc && sortFrom == usual {
				wantRows(t, about+": the order", rows, want)
			}
		case SQL:
			text := prservtest.ReadFile(t, dst.Name)
			if rows, err = sqliteRows(t, text); err != nil {
				t.Errorf("%s: %v", about, err)
			}
			if len(old) == 0 && from != Inc && sortFrom == usual {
				wantRows(t, about+": the order", rows, want)
			}
		case Inc:
			rows = listed(t, dst, ListOptions{})
		}
		wantRows(t, about, sortedRows(rows), sortedRows(want))
		prservtest.WantFolder(t, about, filepath.Dir(dst.Name), filepath.Base(dst.Name))
	}
	if copies < 130 {
		t.Errorf("only %d of 150 seeds made a copy", copies)
	}
}

// TestMergeIncGreatest adds the greatest values only, and loses none of the file.
func TestMergeIncGreatest(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 2))
		in, old := randomRows(random, generation1, 12), randomRows(random, generation1, 12)
		src, dst := makePlace(t, SQL, generation1, in), makePlace(t, Inc, generation1, old)
		var most []Row
		for _, r := range in {
			if !slices.ContainsFunc(in, func(o Row) bool {
				return o.Version == r.Version && o.Pkgarch == r.Pkgarch && compareRevisions(o.Value, r.Value) > 0
			}) {
				most = append(most, r)
			}
		}
		want, counts := merged(generation1, old, most)
		counts.Left = int64(len(in) - len(most))
		counts.Lower = counts.Left
		got, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{})
		if err != nil || got != counts {
			t.Errorf("seed %d: %+v, %v; want %+v", seed, got, err, counts)
		}
		wantRows(t, fmt.Sprintf("seed %d: %v into %v", seed, in, old), listed(t, dst, ListOptions{}), sortedRows(want))
	}
}

func TestCopyRefused(t *testing.T) {
	db, folder := newDB(t, generation1, Row{"v", "p", "a", "7"}), t.TempDir()
	text := textPlace(t, "a.sql", "BEGIN TRANSACTION;\n"+make1+"COMMIT;\n")
	other := Place{Database, filepath.Join(t.TempDir(), "other.db")}
	execute(t, openDB(t, other.Name), "CREATE TABLE x (a)")
	keyless := Place{Database, filepath.Join(t.TempDir(), "keyless.db")}
	execute(t, openDB(t, keyless.Name), "CREATE TABLE PRMAIN_nohist (version, pkgarch, checksum, value)")
	strange := Place{Database, filepath.Join(t.TempDir(), "strange.db")}
	execute(t, openDB(t, strange.Name), "CREATE TABLE PRMAIN_nohist (a, b)")
	bad := Place{Database, filepath.Join(t.TempDir(), "bad.db")}
	execute(t, openDB(t, bad.Name), make1+"INSERT INTO PRMAIN_nohist VALUES ('v', 'p', 'a\nb', 'x')")
	none := textPlace(t, "none.db", "this is no database, but long enough to be taken for one, or so one should think")
	new := Place{Database, filepath.Join(folder, "new.db")}
	for _, test := range []struct {
		src, dst Place
		o        CopyOptions
		want     string
	}{
		{db, new, CopyOptions{Generation: 2}, "there is no generation 2"},
		{db, Place{Inc, folder + "/a.inc"}, CopyOptions{Generation: 1}, "has no generation"},
		{db, new, CopyOptions{All: true}, "--all is for"},
		{db, new, CopyOptions{Replace: true}, "cannot be replaced"},
		{text, text, CopyOptions{}, "cannot be copied to itself"},
		{db, db, CopyOptions{}, "cannot be copied to itself"},
		{db, Place{SQL, folder}, CopyOptions{}, "writing " + folder + ": it is no file"},
		{db, Place{SQL, "/dev/null"}, CopyOptions{}, "writing /dev/null: it is no file"},
		{db, Place{SQL, folder + "/none/a.sql"}, CopyOptions{}, "writing " + folder + "/none/a.sql: no such file or directory"},
		{db, other, CopyOptions{}, other.Name + ": it is not a PR database"},
		{db, keyless, CopyOptions{}, "has lost its primary key"},
		{db, strange, CopyOptions{}, "it has the columns a, b"},
		{db, none, CopyOptions{}, none.Name + ": file is not a database"},
		{other, new, CopyOptions{}, "reading " + other.Name + ": it is not a PR database"},
		{strange, new, CopyOptions{}, "reading " + strange.Name + ": its table PRMAIN_nohist is not"},
		{none, new, CopyOptions{}, "reading " + none.Name + ": file is not a database"},
		{bad, new, CopyOptions{}, bad.Name + `: the row v p "a\nb" x: it is no PR value`},
		{Place{Database, folder + "/none.db"}, new, CopyOptions{}, folder + "/none.db"},
		{Place{SQL, folder + "/none.sql"}, new, CopyOptions{}, "reading " + folder + "/none.sql: no such file or directory"},
		{Place{SQL, folder}, new, CopyOptions{}, "reading " + folder + ": it is a folder"},
		{Place{Inc, folder}, new, CopyOptions{}, "reading " + folder + ": it is a folder"},
		{textPlace(t, "a.inc", "x"), new, CopyOptions{}, `a.inc:1: "x" is not a setting`},
	} {
		_, err := (&Work{}).Copy(t.Context(), test.src, test.dst, test.o)
		prservtest.WantOneLine(t, fmt.Sprint(test.src, test.dst), err, test.want)
		prservtest.WantFolder(t, test.want, folder)
	}
}
