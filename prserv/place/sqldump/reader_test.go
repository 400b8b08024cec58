package sqldump_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"prserver/prserv/place/sqldump"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

const (
	make1 = "CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER, PRIMARY KEY (version, pkgarch, checksum));\n"
	make3 = "CREATE TABLE PRMAIN (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value TEXT, PRIMARY KEY (version, pkgarch, checksum, value));\n"
	begin = "BEGIN TRANSACTION;\n"
)

func row(version, pkgarch, checksum string, value any) store.Row {
	if n, ok := value.(int); ok {
		value = int64(n)
	}
	return store.Row{Version: version, Pkgarch: pkgarch, Checksum: checksum, Value: value}
}

func ignore(string, store.Row) error { return nil }

// goodDumps are dumps that have the row v p c 3, and what else their names say.
var goodDumps = []struct {
	about, text string
	want        []store.Row
	skipped     []string
}{
	{"dump_db", begin + make1 + `INSERT INTO "PRMAIN_nohist" VALUES('v','p','c',3);` + "\nCOMMIT;\n", []store.Row{row("v", "p", "c", 3)}, nil},
	{"sqlite3 before 3.8", "PRAGMA foreign_keys=OFF;\n" + begin + make1 + `INSERT INTO "PRMAIN_nohist" VALUES('v','p','c',3);` + "\nCOMMIT;\n",
		[]store.Row{row("v", "p", "c", 3)}, nil},
	{"sqlite3 since", "PRAGMA foreign_keys=OFF;\n" + begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\nCOMMIT;\n",
		[]store.Row{row("v", "p", "c", 3)}, nil},
	{"IF NOT EXISTS", begin + strings.Replace(make1, "TABLE", "TABLE IF NOT EXISTS", 1) + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\nCOMMIT;\n",
		[]store.Row{row("v", "p", "c", 3)}, nil},
	{"no rows", begin + make1 + "COMMIT;\n", nil, nil},
	{"no spaces and many", "BEGIN TRANSACTION;" + strings.TrimSpace(make1) + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);" +
		"\n\n  insert\tinto\r\n\"PRMAIN_nohist\"  values ( 'v' , 'p' ,\n'd',-4 ) ;COMMIT;", []store.Row{row("v", "p", "c", 3), row("v", "p", "d", -4)}, nil},
	{"CRLF", strings.ReplaceAll(begin+make1+"INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\nCOMMIT;\n", "\n", "\r\n"), []store.Row{row("v", "p", "c", 3)}, nil},
	{"odd texts", begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('it''s; \"a\" -- b /* [',''';''','\nCOMMIT;\n',3);\n" +
		"INSERT INTO PRMAIN_nohist VALUES('','''','Zoë',0);\nCOMMIT;\n", []store.Row{row(`it's; "a" -- b /* [`, "';'", "\nCOMMIT;\n", 3), row("", "'", "Zoë", 0)}, nil},
	{"newlines as sqlite3 writes them", begin + make1 + `INSERT INTO PRMAIN_nohist VALUES(replace('a\nb','\n',char(10)),` +
		`replace(replace('a\rb\nc','\r',char(13)),'\n',char(10)),unistr('a\u000ab\\c\u00eb'),3);` + "\nCOMMIT;\n",
		[]store.Row{row("a\nb", "a\rb\nc", "a\nb\\cë", 3)}, nil},
	{"BitBake 2.10", begin + make3 + "INSERT INTO PRMAIN VALUES('v','p','c','3');\nINSERT INTO PRMAIN VALUES('v','p','c','3.0');\n" +
		"INSERT INTO PRMAIN VALUES('v','p','d',10);\nCOMMIT;\n", []store.Row{row("v", "p", "c", "3"), row("v", "p", "c", "3.0"), row("v", "p", "d", 10)}, nil},
	{"both", begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\nINSERT INTO PRMAIN_nohist VALUES('v','p','e',1);\n" + make3 +
		"INSERT INTO PRMAIN VALUES('v','p','c','3');\nINSERT INTO PRMAIN VALUES('v','p','c','3.1');\nCOMMIT;\n",
		[]store.Row{row("v", "p", "c", 3), row("v", "p", "e", 1), row("v", "p", "c", "3"), row("v", "p", "c", "3.1")}, nil},
	{"others", begin + "CREATE TABLE notes(a -- it's\n, [b;'] int, `c;\"`, d /* isn't; */);\nINSERT INTO notes VALUES(X'00',1e5,NULL,'x');\n" +
		make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\nCREATE TABLE [n m] (a);\nINSERT INTO \"n m\" VALUES('it''s');\n" +
		"ANALYZE sqlite_schema;\nINSERT INTO sqlite_stat1 VALUES('PRMAIN_nohist','x','1 1 1 1');\nDELETE FROM \"sqlite_sequence\";\n" +
		"CREATE UNIQUE INDEX i ON PRMAIN_nohist(value);\nCREATE VIEW w AS SELECT ';';\nCOMMIT;\n", []store.Row{row("v", "p", "c", 3)}, []string{"table notes", "table n m", "index i", "view w"}},
}

func TestRead(t *testing.T) {
	for _, test := range goodDumps {
		r := sqldump.NewReader(iotest.HalfReader(strings.NewReader(test.text)))
		var got []store.Row
		tables := map[string]bool{}
		err := r.Read(func(table string, row store.Row) error {
			tables[table] = true
			got = append(got, row)
			return nil
		})
		if err != nil || !slices.Equal(got, test.want) || !slices.Equal(r.Skipped(), test.skipped) {
			t.Errorf("%s: %v, skipped %q, %v; want %v, %q", test.about, got, r.Skipped(), err, test.want, test.skipped)
		}
		for _, table := range []string{store.NohistTable, store.MainTable} {
			if want := strings.Contains(test.text, " "+table+" ("); r.Made(table) != want || tables[table] && !want {
				t.Errorf("%s: made %s: %v, want %v; tables of rows: %v", test.about, table, r.Made(table), want, tables)
			}
		}
	}
}

// TestReadValues reads every kind of value.
func TestReadValues(t *testing.T) {
	r := sqldump.NewReader(strings.NewReader(begin + make1 + "INSERT INTO PRMAIN_nohist VALUES(NULL,x'6162',-1.5,9.0e+999);COMMIT;"))
	err := r.Read(func(_ string, row store.Row) error {
		if blob, ok := row.Pkgarch.([]byte); row.Version != nil || !ok || string(blob) != "ab" || row.Checksum != -1.5 || row.Value != math.Inf(1) {
			t.Errorf("read %#v", row)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestReadCut cuts dumps at every byte: no rows may get lost silently.
func TestReadCut(t *testing.T) {
	for _, test := range goodDumps {
		end := strings.LastIndex(test.text, ";")
		for cut := range end + 1 {
			r := sqldump.NewReader(strings.NewReader(test.text[:cut]))
			if err := r.Read(ignore); !errors.Is(err, sqldump.ErrCut) {
				t.Fatalf("%s after %d bytes: %v, want %v", test.about, cut, err, sqldump.ErrCut)
			}
			// What was cut begins behind the last whole statement.
			if line := 1 + strings.Count(test.text[:cut], "\n"); r.Line() < 1 || r.Line() > line {
				t.Fatalf("%s after %d bytes: line %d; want one up to %d", test.about, cut, r.Line(), line)
			}
		}
	}
}

// TestReadWrong has the number of the line of every error.
func TestReadWrong(t *testing.T) {
	const row = "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\n"
	for _, test := range []struct {
		text string
		line int
		want string
	}{
		{begin + make1 + row + "ROLLBACK; -- due to errors\n", 4, "says itself"},
		{begin + make1 + row + "COMMIT;\nINSERT", 5, "it ends in the middle"},
		{begin + make1 + row + "COMMIT;\n\n" + row, 6, "after COMMIT"},
		{make1, 1, "before BEGIN"},
		{"\n\n" + row, 3, "before BEGIN"},
		{"COMMIT;", 1, "before BEGIN"},
		{begin + begin, 2, "does not belong in a dump"},
		{begin + "-- a comment; or what\nCOMMIT;\n", 2, "does not belong in a dump"},
		{begin + row, 2, "does not create"},
		{begin + make1 + make1, 3, "created twice"},
		{begin + make1 + "INSERT INTO other VALUES(1);", 3, `"other", which the dump does not create`},
		{begin + make1 + "INSERT INTO prmain_nohist VALUES(1);", 3, `which the dump does not create`},
		{begin + make1 + "CREATE TABLE main.x (a);", 3, "does not belong in a dump"},
		{begin + make1 + "CREATE TABLE main (a);\nINSERT INTO main.PRMAIN_nohist VALUES('v','p','c',3);", 4, "does not belong in a dump"},
		{begin + make1 + "CREATE TABLE (a);", 3, "does not belong in a dump"},
		{begin + "CREATE TABLE PRMAIN_nohist (a);", 2, "not that of a PR server"},
		{begin + "CREATE TABLE PRMAIN_nohist AS SELECT 1;", 2, "not that of a PR server"},
		{begin + strings.Replace(make1, "NOT NULL", "NOTNULL", 1), 2, "not that of a PR server"},
		{begin + make1 + "CREATE TRIGGER t AFTER INSERT ON PRMAIN_nohist BEGIN SELECT 1; END;", 3, "does not belong in a dump"},
		{begin + make1 + "CREATE TEMP TABLE t (a);", 3, "does not belong in a dump"},
		{begin + make1 + "CREATE VIRTUAL TABLE t USING fts5(a);", 3, "does not belong in a dump"},
		{begin + make1 + "ATTACH '/etc/passwd' AS p;", 3, "does not belong in a dump"},
		{begin + make1 + "DROP TABLE PRMAIN_nohist;", 3, "does not belong in a dump"},
		{begin + make1 + "DELETE FROM PRMAIN_nohist;", 3, "does not belong in a dump"},
		{begin + make1 + "DELETE FROM sqlite_sequence WHERE 1;", 3, "does not belong in a dump"},
		{begin + make1 + "UPDATE PRMAIN_nohist SET value = 1;", 3, "does not belong in a dump"},
		{begin + make1 + "REPLACE INTO PRMAIN_nohist VALUES('v','p','c',3);", 3, "does not belong in a dump"},
		{begin + make1 + "PRAGMA writable_schema=ON;", 3, "does not belong in a dump"},
		{begin + make1 + "PRAGMA foreign_keys=ON;", 3, "does not belong in a dump"},
		{begin + make1 + "VACUUM INTO '/tmp/x';", 3, "does not belong in a dump"},
		{begin + make1 + ".shell rm\n;", 3, "does not belong in a dump"},
		{begin + make1 + ";", 3, "does not belong in a dump"},
		{begin + make1 + "INSERT OR REPLACE INTO PRMAIN_nohist VALUES('v','p','c',3);", 3, "INSERT without INTO"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist(version) VALUES('v');", 3, "has no VALUES"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist SELECT 1;", 3, "has no VALUES"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c');", 3, "does not have four values"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3,4);", 3, "does not have four values"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3),('v','p','d',4);", 3, "does not have four values"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3) RETURNING 1;", 3, "does not have four values"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3+4);", 3, "not a value"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',load_extension('x'));", 3, "not a value"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','c',\"x\");", 3, "not a value"},
		{begin + make1 + "INSERT INTO PRMAIN_nohist VALUES(" + strings.Repeat("replace(", 100) + "'v');", 3, "not a value"},
		{strings.ReplaceAll(begin+make1+row, "\n", "\r\n") + "x;", 4, "does not belong in a dump"},
	} {
		r := sqldump.NewReader(strings.NewReader(test.text))
		err := r.Read(ignore)
		prservtest.WantOneLine(t, test.text, err, test.want)
		if r.Line() != test.line {
			t.Errorf("%q: line %d, want %d", test.text, r.Line(), test.line)
		}
	}
	for _, text := range []string{begin + "COMMIT;", begin + "CREATE TABLE prmain_nohist(a);COMMIT;\n"} {
		r := sqldump.NewReader(strings.NewReader(text))
		prservtest.WantOneLine(t, text, r.Read(ignore), "makes no table")
		if r.Line() != 0 {
			t.Errorf("%q: line %d, want none", text, r.Line())
		}
	}
	r := sqldump.NewReader(strings.NewReader(begin + make1 + "INSERT INTO PRMAIN_nohist VALUES('" + strings.Repeat("v", 16<<20)))
	prservtest.WantOneLine(t, "a long statement", r.Read(ignore), "a statement is longer than 16 MiB")
}

// TestAddFails returns what add says, at the line of its row.
func TestAddFails(t *testing.T) {
	failed := errors.New("no room")
	r := sqldump.NewReader(strings.NewReader(begin + make1 + "\nINSERT INTO PRMAIN_nohist VALUES('v','p',\n'c',3);\n"))
	if err := r.Read(func(string, store.Row) error { return failed }); err != failed || r.Line() != 4 {
		t.Errorf("line %d: %v; want 4 and %v", r.Line(), err, failed)
	}
}

// FuzzRead reads anything: an error is one line, and of a line that there is.
func FuzzRead(f *testing.F) {
	for _, test := range goodDumps {
		f.Add(test.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := sqldump.NewReader(strings.NewReader(text))
		if err := r.Read(ignore); err != nil {
			prservtest.WantOneLine(t, text, err)
		}
		if lines := 1 + strings.Count(text, "\n"); r.Line() > lines {
			t.Errorf("%q: line %d of %d", text, r.Line(), lines)
		}
	})
}
