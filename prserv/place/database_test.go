package place

import (
	"path/filepath"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

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
			src := Place{Database, filepath.Join(t.TempDir(), "it's? 100%#1.sqlite3")}
			execute(t, openDB(t, src.Name), test.make)
			for _, kind := range []Kind{Database, SQL, Inc} {
				dst := Place{kind, filepath.Join(t.TempDir(), "b")}
				var warned []string
				w := &Work{Warn: func(line string) { warned = append(warned, line) }}
				o := CopyOptions{All: kind == Inc}
				c, err := w.Copy(t.Context(), src, dst, o)
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
	src := newDB(t, generation1, Row{"v", "p", "a", "1"})
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
	for _, kind := range []Kind{Database, SQL} {
		dst := Place{kind, filepath.Join(t.TempDir(), "b")}
		if c, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{}); err != nil || c != (Copied{New: 1}) {
			t.Errorf("%+v, %v", c, err)
		}
	}
	// A row that comes while rows are read is none of them.
	b, err := openScratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	table, err := (&Work{}).read(t.Context(), b, src, "src", readOptions{})
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
	t.Parallel() // it waits for locks
	src := newDB(t, generation1, Row{"v", "p", "a", "5"}, Row{"v", "p", "b", "6"})
	dst := newDB(t, generation1, Row{"v", "p", "a", "1"})
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
	wantRows(t, "merged", stored(t, dst.Name, generation1), []Row{{"v", "p", "a", "5"}, {"v", "p", "b", "6"}})
	execute(t, db, "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE")
	_, err = (&Work{}).Copy(t.Context(), src, dst, CopyOptions{})
	prservtest.WantOneLine(t, "beside a writer", err, dst.Name, "is in use by ")
	_, err = (&Work{}).Diff(t.Context(), src, dst, nil)
	prservtest.WantOneLine(t, "a writer's", err, dst.Name, "is in use by ")
	prservtest.WantFolder(t, "refused", filepath.Dir(dst.Name), "db.sqlite3")
}

// TestTakeOver brings the older table of a file into the one of BitBake 2.10.
func TestTakeOver(t *testing.T) {
	file := func() Place {
		p := newDB(t, generation1, Row{"v", "p", "a", "7"}, Row{"v", "p", "b", "8"})
		execute(t, openDB(t, p.Name), make3+"INSERT INTO PRMAIN VALUES ('v','p','a','0'), ('v','p','b','8')")
		return p
	}
	want := []Row{{"v", "p", "a", "0"}, {"v", "p", "a", "7"}, {"v", "p", "b", "8"}}
	p := file()
	c, err := (&Work{}).Copy(t.Context(), p, p, CopyOptions{Generation: store.Generation3})
	if err != nil {
		t.Errorf("to itself: %+v, %v", c, err)
	}
	wantRows(t, "to itself", sortedRows(stored(t, p.Name, generation3)), want)
	p = file()
	in := newDB(t, generation3, Row{"w", "p", "a", "0.1"})
	c, err = (&Work{}).Copy(t.Context(), in, p, CopyOptions{})
	if err != nil || c != (Copied{New: 1}) {
		t.Errorf("merged: %+v, %v", c, err)
	}
	wantRows(t, "merged", sortedRows(stored(t, p.Name, generation3)), append(want, Row{"w", "p", "a", "0.1"}))
	wantRows(t, "merged, whole numbers", sortedRows(stored(t, p.Name, generation1)),
		[]Row{{"v", "p", "a", "7"}, {"v", "p", "b", "8"}, {"w", "p", store.Reserved, "1"}})
	for _, number := range []int{0, store.Generation1} {
		_, err := (&Work{}).Copy(t.Context(), p, p, CopyOptions{Generation: number})
		prservtest.WantOneLine(t, "to itself", err, p.Name+" cannot be copied to itself")
	}
}
