package place

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"prserver/compat"
	"prserver/prserv"
)

// randomRows are up to n rows of few versions, so that they meet often.
func randomRows(random *rand.Rand, generation, n int) []Row {
	seen := map[Row]bool{}
	for range random.IntN(n + 1) {
		r := Row{fmt.Sprint("v", random.IntN(2)), fmt.Sprint("p", random.IntN(2)), fmt.Sprint("c", random.IntN(4)), ""}
		if generation == revisions {
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
func makePlace(t testing.TB, kind Kind, generation int, rows []Row) Place {
	t.Helper()
	put := func(put func(Row)) {
		for _, r := range rows {
			put(r)
		}
	}
	switch kind {
	case File:
		return newDB(t, generation, rows...)
	case SQL:
		return textPlace(t, "a.sql", dumpText(generation, put))
	}
	var text strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&text, "PRAUTO$%s$%s$%s = \"%s\"\n", r.Version, r.Pkgarch, r.Checksum, r.Value)
	}
	return textPlace(t, "a.inc", text.String())
}

// merged is what importone makes of rows and others that are imported; in a
// table of revisions nothing is replaced.
func merged(generation int, old, in []Row) (rows []Row, c Copied) {
	rows = slices.Clone(old)
	for _, r := range in {
		at := slices.IndexFunc(rows, func(o Row) bool {
			return compareKeys(&o, &r) == 0 && (generation == whole || o.Value == r.Value)
		})
		switch {
		case at < 0:
			rows = append(rows, r)
			c.New++
		case generation == whole && compareValues(r.Value, rows[at].Value) > 0:
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
	usual := sortFrom
	defer func() { sortFrom = usual }()
	for seed := range uint64(150) {
		if sortFrom = usual; seed%4 == 0 {
			sortFrom = 2
		}
		random := rand.New(rand.NewPCG(seed, 1))
		kinds := []Kind{File, SQL, Inc}
		from, to := kinds[random.IntN(3)], kinds[random.IntN(3)]
		inGen := []int{whole, revisions}[random.IntN(2)]
		in := randomRows(random, inGen, 12)
		if from == Inc && !hasRevisions(in) {
			inGen = whole // nothing tells
			slices.SortFunc(in, compareRows)
			in = slices.CompactFunc(in, func(a, b Row) bool { return compareKeys(&a, &b) == 0 })
		}
		src := makePlace(t, from, inGen, in)
		about := fmt.Sprintf("seed %d: %v of generation %d to kind %d, %v", seed, from, inGen, to, in)
		var dst Place
		var old []Row
		gen := inGen
		if random.IntN(2) == 0 {
			dst = Place{to, filepath.Join(t.TempDir(), "new")}
		} else {
			gen = max(inGen, []int{whole, revisions}[random.IntN(2)])
			old = randomRows(random, gen, 12)
			if to == Inc && !hasRevisions(old) && gen > inGen {
				continue
			}
			if to == Inc && inGen == whole && gen == revisions && !hasRevisions(old) {
				continue
			}
			if to == Inc && gen == revisions && !hasRevisions(old) {
				slices.SortFunc(old, compareRows)
				old = slices.CompactFunc(old, func(a, b Row) bool { return compareKeys(&a, &b) == 0 })
			}
			dst = makePlace(t, to, gen, old)
			about += fmt.Sprint(" into ", old)
		}
		want, counts := merged(gen, old, in)
		got, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{All: to == Inc})
		if err != nil || got != counts {
			t.Errorf("%s: %+v, %v; want %+v", about, got, err, counts)
			continue
		}
		var rows []Row
		switch to {
		case File:
			rows = stored(t, dst.Name, gen)
			if len(old) == 0 && from != Inc && sortFrom == usual {
				wantRows(t, about+": the order", rows, want)
			}
		case SQL:
			text := readFile(t, dst.Name)
			if rows, err = sqliteRows(t, text); err != nil {
				t.Errorf("%s: %v", about, err)
			}
			if len(old) == 0 && from != Inc {
				wantRows(t, about+": the order", rows, want)
			}
		case Inc:
			rows = listed(t, dst, ListOptions{})
		}
		wantRows(t, about, sortedRows(rows), sortedRows(want))
		wantFolder(t, about, filepath.Dir(dst.Name), filepath.Base(dst.Name))
	}
}

// TestMergeIncGreatest adds the greatest values only, and loses none of the file.
func TestMergeIncGreatest(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 2))
		in, old := randomRows(random, whole, 12), randomRows(random, whole, 12)
		src, dst := makePlace(t, SQL, whole, in), makePlace(t, Inc, whole, old)
		var most []Row
		for _, r := range in {
			if !slices.ContainsFunc(in, func(o Row) bool {
				return o.Version == r.Version && o.Pkgarch == r.Pkgarch && compareValues(o.Value, r.Value) > 0
			}) {
				most = append(most, r)
			}
		}
		want, counts := merged(whole, old, most)
		counts.Left = int64(len(in) - len(most))
		got, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{})
		if err != nil || got != counts {
			t.Errorf("seed %d: %+v, %v; want %+v", seed, got, err, counts)
		}
		wantRows(t, fmt.Sprintf("seed %d: %v into %v", seed, in, old), listed(t, dst, ListOptions{}), sortedRows(want))
	}
}

// serve starts a server of rows.
func serve(t testing.TB, rows ...Row) Place {
	t.Helper()
	s, err := prserv.New(t.Context(), prserv.Config{
		File: newDB(t, whole, rows...).Name, Dialect: compat.DialectFor, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), ln) }()
	t.Cleanup(func() { s.Quit(); <-served; s.Close() })
	return Place{Server, ln.Addr().String()}
}

func TestCopyToServerRandom(t *testing.T) {
	for seed := range uint64(15) {
		random := rand.New(rand.NewPCG(seed, 3))
		in, old := randomRows(random, whole, 14), randomRows(random, whole, 14)
		dst := serve(t, old...)
		want, counts := merged(whole, old, in)
		for range 2 {
			got, err := (&Work{}).Copy(t.Context(), makePlace(t, []Kind{File, SQL, Inc}[seed%3], whole, in), dst, CopyOptions{})
			if err != nil || got != counts {
				t.Errorf("seed %d: %+v, %v; want %+v", seed, got, err, counts)
			}
			wantRows(t, fmt.Sprint("seed ", seed), listed(t, dst, ListOptions{}), sortedRows(want))
			counts = Copied{Kept: int64(len(in))} // the second time
		}
	}
}

func TestCopyToServerRefused(t *testing.T) {
	dst := serve(t)
	for _, test := range []struct {
		row  Row
		want string
	}{
		{Row{"v", "p", "c", "2147483648"}, "the row v p c 2147483648: a server cannot answer a value beyond 2147483647"},
		{Row{"v", "p", "c", "-2147483649"}, "a server cannot answer"},
		{Row{"v", "p", "a\x01b", "3"}, `the row v p "a\x01b" 3: asking 127.0.0.1:`},
	} {
		_, err := (&Work{}).Copy(t.Context(), newDB(t, whole, test.row), dst, CopyOptions{})
		wantOneLine(t, test.row.Checksum, err, test.want)
	}
	_, err := (&Work{}).Copy(t.Context(), newDB(t, whole), Place{Server, "127.0.0.1:1"}, CopyOptions{})
	wantOneLine(t, "nobody listens", err, "127.0.0.1:1")
}

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
		"what SQLite would round": {[]Row{{"v", "p", "a", "9007199254740993"}}, []Row{{"v", "p", "a", "9007199254740993"}}, 0},
	} {
		for _, kind := range []Kind{File, SQL} {
			dst := Place{File, filepath.Join(t.TempDir(), "a.db")}
			warned := 0
			w := &Work{Warn: func(string) { warned++ }}
			c, err := w.Copy(t.Context(), makePlace(t, kind, revisions, test.in), dst, CopyOptions{Generation: whole})
			if want := (Copied{New: int64(len(test.want)), Left: test.left}); err != nil || c != want {
				t.Errorf("%s: %+v, %v; want %+v", about, c, err, want)
				continue
			}
			wantRows(t, about, sortedRows(stored(t, dst.Name, whole)), test.want)
			if test.left > 0 && warned == 0 {
				t.Errorf("%s: no warning", about)
			}
		}
	}
}

// TestConvertRandom converts random revisions: no number may go back, and none
// be given twice that was not.
func TestConvertRandom(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 4))
		in := randomRows(random, revisions, 20)
		dst := Place{File, filepath.Join(t.TempDir(), "a.db")}
		c, err := (&Work{}).Copy(t.Context(), makePlace(t, SQL, revisions, in), dst, CopyOptions{Generation: whole})
		out := stored(t, dst.Name, whole)
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
			if next := strconv.Itoa(n + 1); compareValues(next, b[0].Value) <= 0 {
				t.Errorf("seed %d: the next value of %s is %s, after %v", seed, group, next, b)
			}
			if shared := len(a) > 1; shared && len(b) < 2 {
				t.Errorf("seed %d: %v share what %v did not", seed, a, b)
			}
		}
		for _, r := range in {
			at := slices.IndexFunc(out, func(o Row) bool { return compareKeys(&o, &r) == 0 })
			if !strings.Contains(r.Value, ".") && (at < 0 || compareValues(out[at].Value, r.Value) < 0) {
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
		case len(best) == 0 || compareValues(r.Value, best[0].Value) > 0:
			out[group] = []Row{r}
		case compareValues(r.Value, best[0].Value) == 0:
			out[group] = append(best, r)
		}
	}
	return out
}

// TestOddFiles copies files that somebody has worked on.
func TestOddFiles(t *testing.T) {
	want := []Row{{"v", "p", "a", "3"}, {"v", "p", "b", "4"}, {"w", "p", "a", "0"}}
	insert := "INSERT INTO PRMAIN_nohist VALUES ('v','p','b',4), ('v','p','a',3), ('w','p','a',0)"
	columns := "(version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER"
	for about, test := range map[string]struct {
		make   string
		warned int
		left   int64
	}{
		"as it is":            {make1 + insert, 0, 0},
		"no key":              {"CREATE TABLE PRMAIN_nohist " + columns + ");" + insert, 0, 0},
		"no key, and twice":   {"CREATE TABLE PRMAIN_nohist " + columns + ");" + insert + "; INSERT INTO PRMAIN_nohist VALUES ('v','p','a',2), ('v','p','b',4)", 1, 2},
		"WITHOUT ROWID":       {strings.TrimSuffix(make1, ";\n") + " WITHOUT ROWID;" + insert, 0, 0},
		"other order of keys": {"CREATE TABLE PRMAIN_nohist " + columns + ", PRIMARY KEY (checksum, version, pkgarch));" + insert, 0, 0},
		"no types":            {"CREATE TABLE PRMAIN_nohist (version, pkgarch, checksum, value);" + insert, 0, 0},
		"any case":            {"CREATE TABLE PRMAIN_nohist (version TEXT COLLATE NOCASE, pkgarch, checksum, value INT, PRIMARY KEY (version, pkgarch, checksum));" + insert, 0, 0},
		"other things":        {make1 + insert + "; CREATE TABLE x (a); CREATE VIEW y AS SELECT 1; CREATE INDEX z ON PRMAIN_nohist (value); CREATE TABLE q (i INTEGER PRIMARY KEY AUTOINCREMENT); ANALYZE", 2, 0},
		"both":                {make1 + insert + ";" + make3, 0, 0},
		"both with rows":      {make1 + insert + ";" + make3 + "INSERT INTO PRMAIN VALUES ('v','p','a',3)", 0, 0},
		"WAL":                 {"PRAGMA journal_mode = WAL;" + make1 + insert, 0, 0},
	} {
		t.Run(about, func(t *testing.T) {
			src := Place{File, filepath.Join(t.TempDir(), "it's? 100%#1.sqlite3")}
			execute(t, openDB(t, src.Name), test.make)
			for _, kind := range []Kind{File, SQL, Inc} {
				dst := Place{kind, filepath.Join(t.TempDir(), "b")}
				var warned []string
				c, err := (&Work{Warn: func(line string) { warned = append(warned, line) }}).Copy(t.Context(), src, dst, CopyOptions{All: kind == Inc})
				if wantC := (Copied{New: 3, Left: test.left}); err != nil || c != wantC || len(warned) != test.warned {
					t.Errorf("to kind %d: %+v, %v, warned %q; want %+v, %d lines", kind, c, err, warned, wantC, test.warned)
				}
				wantRows(t, about, listed(t, dst, ListOptions{}), want)
			}
		})
	}
}

// TestLiveFile copies from a file that is being written.
func TestLiveFile(t *testing.T) {
	src := newDB(t, whole, Row{"v", "p", "a", "1"})
	db := openDB(t, src.Name)
	execute(t, db, "PRAGMA journal_mode = WAL")
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec("INSERT INTO PRMAIN_nohist VALUES ('v', 'p', 'b', 2)"); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []Kind{File, SQL} {
		dst := Place{kind, filepath.Join(t.TempDir(), "b")}
		if c, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{}); err != nil || c != (Copied{New: 1}) {
			t.Errorf("%+v, %v", c, err)
		}
	}
	// A row that comes while rows are read is none of them.
	b, err := openBase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	table, err := (&Work{}).read(t.Context(), b, src, "src", reading{})
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if n, err := b.number(t.Context(), "SELECT count(*) FROM "+table.from); err != nil || n != table.rows {
		t.Errorf("%d rows, %v; want the %d there were", n, err, table.rows)
	}
}

// TestMergeLive merges into a file that somebody reads, and one that somebody
// writes.
func TestMergeLive(t *testing.T) {
	src := newDB(t, whole, Row{"v", "p", "a", "5"}, Row{"v", "p", "b", "6"})
	dst := newDB(t, whole, Row{"v", "p", "a", "1"})
	db := openDB(t, dst.Name)
	db.SetMaxOpenConns(1)
	execute(t, db, "PRAGMA journal_mode = WAL")
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT value FROM PRMAIN_nohist").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if c, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{}); err != nil || c != (Copied{New: 1, Raised: 1}) {
		t.Errorf("beside a reader: %+v, %v", c, err)
	}
	tx.Rollback()
	wantRows(t, "merged", stored(t, dst.Name, whole), []Row{{"v", "p", "a", "5"}, {"v", "p", "b", "6"}})
	execute(t, db, "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE")
	_, err = (&Work{}).Copy(t.Context(), src, dst, CopyOptions{})
	wantOneLine(t, "beside a writer", err, dst.Name, "is in use by ")
	_, err = (&Work{}).Diff(t.Context(), src, dst, nil)
	wantOneLine(t, "a writer's", err, dst.Name, "is in use by ")
	wantFolder(t, "refused", filepath.Dir(dst.Name), "db.sqlite3")
}

// TestTakeOver brings the older table of a file into the one of BitBake 2.10.
func TestTakeOver(t *testing.T) {
	file := func() Place {
		p := newDB(t, whole, Row{"v", "p", "a", "7"}, Row{"v", "p", "b", "8"})
		execute(t, openDB(t, p.Name), make3+"INSERT INTO PRMAIN VALUES ('v','p','a','0'), ('v','p','b','8')")
		return p
	}
	want := []Row{{"v", "p", "a", "0"}, {"v", "p", "a", "7"}, {"v", "p", "b", "8"}}
	p := file()
	c, err := (&Work{}).Copy(t.Context(), p, p, CopyOptions{Generation: revisions})
	if err != nil {
		t.Errorf("to itself: %+v, %v", c, err)
	}
	wantRows(t, "to itself", sortedRows(stored(t, p.Name, revisions)), want)
	p = file()
	c, err = (&Work{}).Copy(t.Context(), newDB(t, revisions, Row{"w", "p", "a", "0.1"}), p, CopyOptions{})
	if err != nil || c != (Copied{New: 1}) {
		t.Errorf("merged: %+v, %v", c, err)
	}
	wantRows(t, "merged", sortedRows(stored(t, p.Name, revisions)), append(want, Row{"w", "p", "a", "0.1"}))
	for _, generation := range []int{0, whole} {
		_, err := (&Work{}).Copy(t.Context(), p, p, CopyOptions{Generation: generation})
		wantOneLine(t, "to itself", err, p.Name+" cannot be copied to itself")
	}
}

func TestCopyRefused(t *testing.T) {
	db, folder := newDB(t, whole, Row{"v", "p", "a", "7"}), t.TempDir()
	text := textPlace(t, "a.sql", "BEGIN TRANSACTION;\n"+make1+"COMMIT;\n")
	other := Place{File, filepath.Join(t.TempDir(), "other.db")}
	execute(t, openDB(t, other.Name), "CREATE TABLE x (a)")
	keyless := Place{File, filepath.Join(t.TempDir(), "keyless.db")}
	execute(t, openDB(t, keyless.Name), "CREATE TABLE PRMAIN_nohist (version, pkgarch, checksum, value)")
	strange := Place{File, filepath.Join(t.TempDir(), "strange.db")}
	execute(t, openDB(t, strange.Name), "CREATE TABLE PRMAIN_nohist (a, b)")
	bad := Place{File, filepath.Join(t.TempDir(), "bad.db")}
	execute(t, openDB(t, bad.Name), make1+"INSERT INTO PRMAIN_nohist VALUES ('v', 'p', 'a\nb', 'x')")
	none := textPlace(t, "none.db", "this is no database, but long enough to be taken for one, or so one should think")
	new := Place{File, filepath.Join(folder, "new.db")}
	for _, test := range []struct {
		src, dst Place
		o        CopyOptions
		want     string
	}{
		{db, new, CopyOptions{Generation: 2}, "there is no generation 2"},
		{db, Place{SQL, folder + "/a.sql"}, CopyOptions{Generation: 1}, "has no generation"},
		{db, new, CopyOptions{All: true}, "--all is for"},
		{db, new, CopyOptions{Replace: true}, "is not to be replaced"},
		{text, text, CopyOptions{}, "cannot be copied to itself"},
		{db, db, CopyOptions{}, "cannot be copied to itself"},
		{db, Place{SQL, folder}, CopyOptions{}, "writing " + folder + ": it is no file"},
		{db, Place{SQL, "/dev/null"}, CopyOptions{}, "writing /dev/null: it is no file"},
		{db, Place{SQL, folder + "/none/a.sql"}, CopyOptions{}, "writing " + folder + "/none/a.sql: no such file or directory"},
		{db, other, CopyOptions{}, other.Name + ": it is no PR database"},
		{db, keyless, CopyOptions{}, "has lost its primary key"},
		{db, strange, CopyOptions{}, "it has the columns a, b"},
		{db, none, CopyOptions{}, none.Name + ": file is not a database"},
		{other, new, CopyOptions{}, "reading " + other.Name + ": it is no PR database"},
		{strange, new, CopyOptions{}, "reading " + strange.Name + ": its table PRMAIN_nohist is not"},
		{none, new, CopyOptions{}, "reading " + none.Name + ": file is not a database"},
		{bad, new, CopyOptions{}, bad.Name + `: the row v p "a\nb" x: no PR server has issued it`},
		{Place{File, folder + "/none.db"}, new, CopyOptions{}, folder + "/none.db"},
		{Place{SQL, folder + "/none.sql"}, new, CopyOptions{}, "reading " + folder + "/none.sql: no such file or directory"},
		{Place{SQL, folder}, new, CopyOptions{}, folder + ":1: is a directory"},
		{Place{Inc, folder}, new, CopyOptions{}, "reading " + folder + ": is a directory"},
		{textPlace(t, "a.inc", "x"), new, CopyOptions{}, `a.inc:1: "x" is no setting`},
	} {
		_, err := (&Work{}).Copy(t.Context(), test.src, test.dst, test.o)
		wantOneLine(t, fmt.Sprint(test.src, test.dst), err, test.want)
		wantFolder(t, test.want, folder)
	}
}
