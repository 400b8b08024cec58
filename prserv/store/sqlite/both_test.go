package sqlite_test

import (
	"fmt"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

// The modes of clients.
var (
	old     = store.Mode{}
	newer   = store.Mode{Revisions: true}
	history = store.Mode{Revisions: true, History: true}
)

// above is a mode with an upstream server that has this greatest value, and none
// of the checksum.
func above(m store.Mode, greatest string) store.Mode {
	r, _ := store.ParseRevision(greatest)
	m.Upstream = &store.Published{Greatest: r}
	return m
}

// wantPR asks for a value of version v and pkgarch all, and wants this one, as text.
func wantPR(t *testing.T, s *sqlite.Store, m store.Mode, checksum, want string) {
	t.Helper()
	got, err := s.GetPR(t.Context(), key("v", "all", checksum), m)
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("%+v asks for %s: got %v, %v; want %s", m, checksum, got, err, want)
	}
	if _, isRevision := got.(store.Revision); err == nil && isRevision != m.Revisions {
		t.Errorf("%+v asks for %s: got a %T", m, checksum, got)
	}
}

// tableOf returns the rows of a table as lines of text.
func tableOf(t *testing.T, file, table string) string {
	t.Helper()
	found, err := prservtest.Outside(t, file).Query("SELECT version, checksum, ifnull(value, 'NULL') FROM " + table + " ORDER BY rowid")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var lines []string
	for found.Next() {
		var version, checksum, value string
		if err := found.Scan(&version, &checksum, &value); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, version+" "+checksum+" "+value)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "; ")
}

func wantTable(t *testing.T, file, table, want string) {
	t.Helper()
	if got := tableOf(t, file, table); got != want {
		t.Errorf("%s has\n%s\nwant\n%s", table, got, want)
	}
}

// TestJoin opens files that servers of both generations have written.
func TestJoin(t *testing.T) {
	const nohist = "CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER, " +
		"PRIMARY KEY (version, pkgarch, checksum))"
	const main = "CREATE TABLE PRMAIN (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value TEXT, " +
		"PRIMARY KEY (version, pkgarch, checksum, value))"
	file := prservtest.NewFile(t)
	prservtest.Execute(t, prservtest.Outside(t, file), nohist, main,
		// Generation 3 began again.
		"INSERT INTO PRMAIN_nohist VALUES ('v', 'all', 'a', 7), ('v', 'all', 'b', 8), ('old', 'all', 'a', 5)",
		"INSERT INTO PRMAIN VALUES ('v', 'all', 'c', '0'), ('v', 'all', 'a', '1')",
		// It went on, and has what the other table has not.
		"INSERT INTO PRMAIN VALUES ('w', 'all', 'a', '9'), ('w', 'all', 'b', '10'), ('w', 'all', 'a', '11')",
		"INSERT INTO PRMAIN VALUES ('u', 'all', 'a', '2'), ('u', 'all', 'b', '2.7'), ('odd', 'all', 'a', 'abc'), ('odd', 'all', 'a', NULL)")
	s := prservtest.Open(t, file)
	wantWarning(t, s, "the numbers of 1 packages had begun again")
	wantPR(t, s, newer, "b", "8")
	wantPR(t, s, newer, "a", "9")
	wantPR(t, s, history, "c", "0")
	wantPR(t, s, old, "c", "10")
	wantTable(t, file, "PRMAIN_nohist", "v b 8; old a 5; u a 2; w a 11; w b 10; u "+store.Reserved+" 3; v a 9; v c 10")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := tableOf(t, file, "PRMAIN")
	if want := "v a 7; v b 8; old a 5; v a 9; v c 10"; !strings.HasSuffix(before, want) {
		t.Errorf("PRMAIN has %s, want it to end with %s", before, want)
	}
	s = prservtest.Open(t, file)
	if got := s.Warnings(); len(got) != 0 {
		t.Errorf("a file that is joined: %q", got)
	}
	wantTable(t, file, "PRMAIN", before)
	if v, err := s.GetPR(t.Context(), key("odd", "all", "b"), newer); err != nil || fmt.Sprint(v) != "0" {
		t.Errorf("beside what is no number: got %v, %v; want 0", v, err)
	}
}

// TestApart has clients of whole numbers ask for values of a file whose tables are
// apart, whichever has the greater ones. The newer table stays as it is.
func TestApart(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	wantPR(t, s, old, "a", "0")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	prservtest.Execute(t, prservtest.Outside(t, file), strings.Replace(store.MainSchema, "IF NOT EXISTS ", "", 1),
		"INSERT INTO PRMAIN VALUES ('v', 'all', 'x', '4'), ('w', 'all', 'x', '1')",
		"INSERT INTO PRMAIN_nohist VALUES ('w', 'all', 'y', 7)")
	s = prservtest.Open(t, file)
	wantPR(t, s, old, "b", "5")
	wantPR(t, s, old, "x", "6")
	getPR(t, s, "w", "all", "new", int64(8))
	wantTable(t, file, "PRMAIN", "v x 4; w x 1")
}

// TestBothUndone undoes the making of the second table with the call that asked
// for it, and makes it for the next one.
func TestBothUndone(t *testing.T) {
	file := prservtest.NewFile(t)
	prservtest.Make(t, file)
	prservtest.Execute(t, prservtest.Outside(t, file),
		"CREATE TRIGGER no BEFORE INSERT ON PRMAIN_nohist WHEN NEW.checksum = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
	s := prservtest.Open(t, file)
	if v, err := s.GetPR(t.Context(), key("v", "all", "bad"), newer); err == nil {
		t.Fatalf("got %v", v)
	}
	wantPR(t, s, old, "a", "0")
	wantPR(t, s, newer, "b", "1")
	wantTable(t, file, "PRMAIN", "v a 0; v b 1")
}

// TestBothLearnedLate does not remember what a reader has read of one table when
// there are two by now.
func TestBothLearnedLate(t *testing.T) {
	s := prservtest.Open(t, prservtest.NewFile(t))
	wantPR(t, s, old, "a", "0")
	learn := s.LearnLate("v", "all")
	wantPR(t, s, above(newer, "3"), "b", "3.0")
	learn(0, "a")
	wantPR(t, s, old, "a", "4")
}

// TestPeekBesideOddValues asks a read-only store of one table for a revision where
// clients of generation 1 have imported what is no whole number.
func TestPeekBesideOddValues(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	for checksum, v := range map[string]store.Value{"a": int64(2), "b": 3.5, "c": "odd"} {
		if _, err := s.ImportOne(t.Context(), key("v", "all", checksum), v); err != nil {
			t.Fatal(err)
		}
	}
	reader, err := sqlite.Open(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for _, checksum := range []string{"a", "b", "c", "new"} {
		got, err := reader.GetPR(t.Context(), key("v", "all", checksum), newer)
		if fmt.Sprint(got) != "5" || err != nil { // 3.5 counts as 4
			t.Errorf("%s gets %v, %v; want 5", checksum, got, err)
		}
		if found, err := reader.Find(t.Context(), key("v", "all", checksum), newer); fmt.Sprint(found.Greatest) != "4" || err != nil {
			t.Errorf("the greatest beside %s is %v, %v; want 4", checksum, found.Greatest, err)
		}
	}
}
