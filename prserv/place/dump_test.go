package place

import (
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"prserver/prserv/prservtest"
)

// readRows reads a text, and returns its rows in its own order, and what it
// warned of.
func readRows(t testing.TB, kind Kind, text string, how readOptions) (rows []Row, warned []string, err error) {
	t.Helper()
	b, err := openScratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	w := &Work{Stdin: iotest.HalfReader(strings.NewReader(text)), Warn: func(line string) { warned = append(warned, line) }}
	table, err := w.read(t.Context(), b, Place{kind, standard}, "t", how)
	if err != nil {
		return nil, warned, err
	}
	found, err := b.open(t.Context(), "SELECT version, pkgarch, checksum, CAST(value AS TEXT) FROM "+table.from)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for {
		columns, err := found.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if columns == nil {
			break
		}
		r, err := rowOf(columns)
		if err != nil && !how.lenient {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	if int64(len(rows)) != table.rows {
		t.Errorf("the table says it has %d rows, and has %d", table.rows, len(rows))
	}
	return rows, warned, nil
}

const (
	make1 = "CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER, PRIMARY KEY (version, pkgarch, checksum));\n"
	make3 = "CREATE TABLE PRMAIN (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value TEXT, PRIMARY KEY (version, pkgarch, checksum, value));\n"
	begin = "BEGIN TRANSACTION;\n"
)

// goodDumps are dumps and the rows that they have.
var goodDumps = []struct {
	about, text string
	want        []Row
	warned      int
}{
	{"dump_db", begin + make1 + `INSERT INTO "PRMAIN_nohist" VALUES('v','p','c',3);` + "\nCOMMIT;\n", []Row{{"v", "p", "c", "3"}}, 0},
	{"odd texts", begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('it''s; \"a\" -- b /* [',''';''','\nCOMMIT;\n',3);\n" +
		"INSERT INTO PRMAIN_nohist VALUES('','''','Zoë',0);\nCOMMIT;\n", []Row{{`it's; "a" -- b /* [`, "';'", "\nCOMMIT;\n", "3"}, {"", "'", "Zoë", "0"}}, 0},
	{"newlines as sqlite3 writes them", begin + make1 + `INSERT INTO PRMAIN_nohist VALUES(replace('a\nb','\n',char(10)),` +
		`replace(replace('a\rb\nc','\r',char(13)),'\n',char(10)),unistr('a\u000ab\\c\u00eb'),3);` + "\nCOMMIT;\n",
		[]Row{{"a\nb", "a\rb\nc", "a\nb\\cë", "3"}}, 0},
	{"BitBake 2.10", begin + make3 + "INSERT INTO PRMAIN VALUES('v','p','c','3');\nINSERT INTO PRMAIN VALUES('v','p','c','3.0');\n" +
		"INSERT INTO PRMAIN VALUES('v','p','d',10);\nCOMMIT;\n", []Row{{"v", "p", "c", "3"}, {"v", "p", "c", "3.0"}, {"v", "p", "d", "10"}}, 0},
	{"both", begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\nINSERT INTO PRMAIN_nohist VALUES('v','p','e',1);\n" + make3 +
		"INSERT INTO PRMAIN VALUES('v','p','c','3');\nINSERT INTO PRMAIN VALUES('v','p','c','3.1');\nCOMMIT;\n",
		[]Row{{"v", "p", "c", "3"}, {"v", "p", "e", "1"}, {"v", "p", "c", "3.1"}}, 0},
	{"others", begin + "CREATE TABLE notes(a -- it's\n, [b;'] int, `c;\"`, d /* isn't; */);\nINSERT INTO notes VALUES(X'00',1e5,NULL,'x');\n" +
		make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\nCREATE TABLE [n m] (a);\nINSERT INTO \"n m\" VALUES('it''s');\n" +
		"ANALYZE sqlite_schema;\nINSERT INTO sqlite_stat1 VALUES('PRMAIN_nohist','x','1 1 1 1');\nDELETE FROM \"sqlite_sequence\";\n" +
		"CREATE UNIQUE INDEX i ON PRMAIN_nohist(value);\nCREATE VIEW w AS SELECT ';';\nCOMMIT;\n", []Row{{"v", "p", "c", "3"}}, 4},
}

func TestDumpRead(t *testing.T) {
	for _, test := range goodDumps {
		got, warned, err := readRows(t, SQL, test.text, readOptions{})
		if err != nil {
			t.Errorf("%s: %v", test.about, err)
			continue
		}
		wantRows(t, test.about, got, test.want)
		if len(warned) != test.warned {
			t.Errorf("%s: warned %q, want %d lines", test.about, warned, test.warned)
		}
	}
}

// TestDumpWrong has the number of the line in every error.
func TestDumpWrong(t *testing.T) {
	const row = "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\n"
	for _, test := range []struct {
		text string
		line int
		want string
	}{
		{begin + make1 + row + "COMMIT;\nINSERT", 5, "it ends in the middle"},
		{begin + make1 + row + "INSERT INTO PRMAIN_nohist VALUES('v\n\n','p',3,3);", 4, "it is no PR value"},
		{begin + make1 + row + row + "INSERT INTO PRMAIN_nohist VALUES(NULL,'p','c',3);", 5, "row NULL p c 3: it is no PR value"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',NULL);", 3, "row v p c NULL"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c','3');", 3, "it is no PR value"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',1.5);", 3, "row v p c 1.5"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',9.0e+999);", 3, "row v p c +Inf"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p',X'6162',3);", 3, "row v p X'6162' 3"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','a\x00b',3);", 3, "it is no PR value"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','\xff',3);", 3, "it is no PR value"},
		{begin + make3 + "INSERT INTO PRMAIN VALUES('v','p','c','3.x');", 3, "it is no PR value"},
		{begin + make3 + "INSERT INTO PRMAIN VALUES('v','p','c',NULL);", 3, "it is no PR value"},
	} {
		_, _, err := readRows(t, SQL, test.text, readOptions{})
		prservtest.WantOneLine(t, test.text, err, fmt.Sprintf("standard input or output:%d: ", test.line), test.want)
	}
	_, _, err := readRows(t, SQL, begin+"COMMIT;", readOptions{})
	prservtest.WantOneLine(t, "no table", err, "reading standard input or output: it makes no table")
}

// TestDumpOfSQLite reads what the sqlite3 program of this machine dumps.
func TestDumpOfSQLite(t *testing.T) {
	program := prservtest.SQLite3(t)
	for of, value := range map[*generation]string{generation1: "7", generation3: "7.10"} {
		want := []Row{{"it's", "a\nb", "c\r\nd;", value}, {"", "'", `\n"`, value}, {"Zoë 日本 𝄞", "--", "/*", value}, {"a\tb", "\x01", "\x1f\x7f", value}}
		p := newDB(t, of, want...)
		dump, err := exec.Command(program, p.Name, ".dump").Output()
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := readRows(t, SQL, string(dump), readOptions{})
		if err != nil {
			t.Errorf("%v of %s", err, dump)
		}
		wantRows(t, fmt.Sprintf("generation %d", of.number), got, want)
	}
}

// sqliteRows executes a dump, and returns the rows that it makes.
func sqliteRows(t testing.TB, text string) ([]Row, error) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(text); err != nil {
		return nil, err
	}
	var out []Row
	for _, of := range generations {
		name := of.table
		var n int
		if err := db.QueryRow("SELECT count(*) FROM sqlite_master WHERE name = ?", name).Scan(&n); err != nil || n == 0 {
			continue
		}
		rows, err := db.Query("SELECT version, pkgarch, checksum, CAST(value AS TEXT) FROM " + name)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var r Row
			if err := rows.Scan(&r.Version, &r.Pkgarch, &r.Checksum, &r.Value); err != nil {
				t.Fatal(err)
			}
			out = append(out, r)
		}
		rows.Close()
	}
	return out, nil
}

// FuzzDump holds what is read of a dump against what SQLite makes of it, and
// reads it again as we write it.
func FuzzDump(f *testing.F) {
	for _, test := range goodDumps {
		f.Add(test.text)
	}
	f.Add(begin + make1 + "CREATE TABLE [a'] (b);INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);CREATE TABLE \"'\" (b);\nCOMMIT;")
	f.Add(begin + make1 + "CREATE TABLE x (a /*/ '*/);INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);COMMIT;")
	f.Add(begin + make1 + "CREATE TABLE x (a --'\n);INSERT INTO PRMAIN_nohist VALUES('v','p','c',- 3);COMMIT;")
	f.Fuzz(func(t *testing.T, text string) {
		got, _, err := readRows(t, SQL, text, readOptions{})
		readRows(t, SQL, text, readOptions{lenient: true})
		if err != nil {
			prservtest.WantOneLine(t, text, err)
			return
		}
		// Where it fails, somebody has to look at it: nothing is lost silently.
		if want, err := sqliteRows(t, text); err == nil {
			slices.SortFunc(want, compareRows)
			want = slices.Compact(want)
			wantRows(t, "SQLite has other", sortedRows(got), want)
		}
		dst := Place{SQL, filepath.Join(t.TempDir(), "b.sql")}
		w := &Work{Stdin: strings.NewReader(text)}
		_, err = w.Copy(t.Context(), Place{SQL, standard}, dst, CopyOptions{})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		again, _, err := readRows(t, SQL, prservtest.ReadFile(t, dst.Name), readOptions{})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		wantRows(t, text, again, got)
	})
}
