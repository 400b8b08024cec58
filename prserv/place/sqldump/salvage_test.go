package sqldump_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"prserver/prserv/place/sqldump"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

const (
	good1 = "INSERT INTO PRMAIN_nohist VALUES('v','p','c',3);\n"
	good2 = "INSERT INTO PRMAIN_nohist VALUES('v','p','d',4);\n"
	// recovered begins what .recover of sqlite3 3.46 writes.
	recovered = "BEGIN;\nPRAGMA writable_schema = on;\nPRAGMA encoding = 'UTF-8';\nPRAGMA page_size = '4096';\n"
	lost      = "CREATE TABLE lost_and_found(rootpgno INTEGER, pgno INTEGER, nfield INTEGER, id INTEGER, c0, c1, c2, c3, c4);\n"
)

// damaged are dumps that Read refuses, with the rows v p c 3 and v p d 4, or
// what else they say.
var damaged = []struct {
	about, text string
	want        []store.Row
	line        int
	found       string
	more        int
}{
	{"ROLLBACK", begin + make1 + good1 + "/****** CORRUPTION ERROR *******/\n/****** database disk image is malformed ******/\n" + good2 +
		"ROLLBACK; -- due to errors\n", nil, 7, "ROLLBACK", 0},
	{"cut", begin + make1 + good1 + good2 + "INSERT INTO PRMAIN_nohist VALUES('v','p','e", nil, 5, "ends in the middle", 0},
	{"cut between rows", begin + make1 + good1 + good2, nil, 5, "ends in the middle", 0},
	{"a line is damaged", begin + make1 + good1 + "INSERT INTO PRMAIN_nohist VAL\xff\xffS('v');\n" + good2 + "COMMIT;\n", nil, 4, "does not belong in a dump", 0},
	{"a quote is damaged", begin + make1 + good1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','e,5);\n" + good2 + "COMMIT;\n", nil, 4, "", 0},
	{"the last quote is damaged", begin + make1 + good1 + "INSERT INTO PRMAIN_nohist VALUES('v','p','e,5);\n" + good2, nil, 4, "ends in the middle", 0},
	{"no beginning", good1 + good2 + "COMMIT;\n", nil, 0, "", 0},
	{".recover", recovered + make1 +
		"INSERT OR IGNORE INTO 'PRMAIN_nohist'(_rowid_, 'version', 'pkgarch', 'checksum', 'value') VALUES (7, 'v', 'p', 'c', 3);\n" +
		"INSERT OR IGNORE INTO \"PRMAIN_nohist\"('version', 'pkgarch', 'checksum', 'value') VALUES ('v', 'p', 'd', 4);\n" +
		"PRAGMA writable_schema = off;\nCOMMIT;\n", nil, 1, ".recover", 0},
	{"lost_and_found", recovered + lost +
		"INSERT INTO lost_and_found VALUES(2, 46, 4, 7, 'v', 'p', 'c', 3, NULL);\n" +
		"INSERT INTO lost_and_found VALUES(2, 46, 4, 8, 'v', 'p', 'd', 4, NULL);\n" +
		"INSERT INTO lost_and_found VALUES(3, 3, 4, NULL, 'v', 'p', 'entry of an index', 7, NULL);\n" +
		"INSERT INTO lost_and_found VALUES(5, 5, 5, 1, 'table', 'notes', 'notes', 2, 'CREATE TABLE notes (a)');\n" +
		"INSERT INTO lost_and_found VALUES(9, 9, 2, 1, 'a', 'note', NULL, NULL, NULL);\n" +
		"COMMIT;\n", nil, 1, ".recover", 0},
	{"lost_and_found of BitBake 2.10", ".dbconfig defensive off\n" + recovered + lost +
		"INSERT INTO lost_and_found VALUES(2, 46, 4, 7, 'v', 'p', 'c', '3', NULL);\n" +
		"INSERT INTO lost_and_found VALUES(3, 3, 5, NULL, 'v', 'p', 'd', '3.1', 8);\n" +
		"COMMIT;\n", []store.Row{row("v", "p", "c", "3"), row("v", "p", "d", "3.1")}, 1, ".recover", 0},
}

func TestSalvage(t *testing.T) {
	for _, test := range damaged {
		want := test.want
		if want == nil {
			want = []store.Row{row("v", "p", "c", 3), row("v", "p", "d", 4)}
		}
		var got []store.Row
		r := sqldump.NewReader(strings.NewReader(test.text))
		damage, err := r.Salvage(func(_ string, row store.Row) error { got = append(got, row); return nil })
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", test.about, got, err, want)
		}
		switch {
		case test.line == 0 && damage.First != nil, test.line > 0 && damage.First == nil:
			t.Errorf("%s: %+v", test.about, damage)
		case test.line > 0:
			prservtest.WantOneLine(t, test.about, damage.First, test.found)
			if damage.Line != test.line || damage.More != test.more {
				t.Errorf("%s: %+v; want line %d and %d more", test.about, damage, test.line, test.more)
			}
		}
	}
}

// TestSalvageWhole finds nothing wrong with what Read takes.
func TestSalvageWhole(t *testing.T) {
	for _, test := range goodDumps {
		var got []store.Row
		r := sqldump.NewReader(strings.NewReader(test.text))
		damage, err := r.Salvage(func(_ string, row store.Row) error { got = append(got, row); return nil })
		if err != nil || damage != (sqldump.Damage{}) || !slices.Equal(got, test.want) || !slices.Equal(r.Skipped(), test.skipped) {
			t.Errorf("%s: %v, skipped %q, %+v, %v; want %v", test.about, got, r.Skipped(), damage, err, test.want)
		}
	}
}

func TestSalvageFails(t *testing.T) {
	failed := errors.New("no room")
	r := sqldump.NewReader(strings.NewReader(begin + make1 + good1 + good2))
	if _, err := r.Salvage(func(string, store.Row) error { return failed }); err != failed {
		t.Errorf("%v, want %v", err, failed)
	}
}
