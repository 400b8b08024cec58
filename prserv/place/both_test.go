package place

import (
	"path/filepath"
	"strings"
	"testing"

	"prserver/prserv/client"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
)

// servedRows are the values that newBoth gives out.
var servedRows = []Row{
	{"v", "p", "a", "0"}, {"v", "p", "a", "2"}, {"v", "p", "b", "1"}, {"v", "p", "b", "2.1"}, {"v", "p", "c", "2.2"}, {"w", "p", "a", "7"},
}

// newBoth makes a file with both tables, as our server does. It returns the server,
// too.
func newBoth(t *testing.T) (file, server Place) {
	t.Helper()
	file = Place{Database, prservtest.NewFile(t)}
	s := prservtest.Serve(t, file.Name)
	c := client.NewJSONLines(s.Addr, client.Timeout)
	defer c.Close()
	get := func(checksum, want string) {
		t.Helper()
		if got, err := c.GetPR(t.Context(), "v", "p", checksum, new(bool)); err != nil || got.String() != want {
			t.Fatalf("%s got %v, %v; want %s", checksum, got, err, want)
		}
	}
	get("a", "0")
	get("b", "1")
	get("a", "2")
	if _, err := c.ImportOne(t.Context(), "v", "p", "b", "2.1"); err != nil {
		t.Fatal(err)
	}
	get("c", "2.2")
	if _, err := s.Client().ImportOne(t.Context(), "w", "p", "a", 7); err != nil {
		t.Fatal(err)
	}
	return file, Place{Server, s.Addr}
}

// TestBothTables copies all values of a file with both tables, which ours serves,
// and the copy is such a file again.
func TestBothTables(t *testing.T) {
	file, server := newBoth(t)
	wholes := sortedRows(stored(t, file.Name, generation1))
	if r := wholes[2]; r != (Row{"v", "p", store.Reserved, "3"}) {
		t.Fatalf("no row reserves a number: %v", wholes)
	}
	w := &Work{Warn: func(line string) { t.Errorf("warned %q", line) }}
	for _, src := range []Place{file, server} {
		wantRows(t, "listed", listed(t, src, ListOptions{}), servedRows)
		for _, name := range []string{"a.sqlite3", "a.sql", "a.sql.gz"} {
			dst := Place{KindOf(name), filepath.Join(t.TempDir(), name)}
			for _, want := range []Copied{{New: 6}, {Kept: 6}} {
				if c, err := w.Copy(t.Context(), src, dst, CopyOptions{}); err != nil || c != want {
					t.Errorf("%s: %+v, %v; want %+v", name, c, err, want)
				}
			}
			if c, err := w.Diff(t.Context(), server, dst, func(Difference) error { return nil }); err != nil || c != (Compared{Same: 4}) {
				t.Errorf("%s: %+v, %v", name, c, err)
			}
			wantProblems(t, name, problemsOf(t, dst), nil)
			again := Place{Database, filepath.Join(t.TempDir(), "b.sqlite3")}
			if _, err := w.Copy(t.Context(), dst, again, CopyOptions{}); err != nil {
				t.Error(err)
			}
			wantRows(t, name, sortedRows(stored(t, again.Name, generation1)), wholes)
			wantRows(t, name, sortedRows(stored(t, again.Name, generation3)), servedRows)
		}
	}
	wantProblems(t, "served", problemsOf(t, server), nil)
}

// TestBothTablesMerge merges into files with both tables. Whatever the
// generation, both are in step afterwards.
func TestBothTablesMerge(t *testing.T) {
	in := newDB(t, generation3, Row{"v", "p", "d", "5"}, Row{"v", "p", "d", "8.1"}, Row{"x", "p", "a", "0"})
	for number, want := range map[int]struct {
		more, wholes []Row
		copied       Copied
	}{
		0: {[]Row{{"v", "p", "d", "5"}, {"v", "p", "d", "8.1"}},
			[]Row{{"v", "p", "d", "5"}, {"v", "p", store.Reserved, "9"}}, Copied{New: 3}},
		store.Generation1: {[]Row{{"v", "p", "d", "9"}}, []Row{{"v", "p", "d", "9"}, {"v", "p", store.Reserved, "3"}}, Copied{New: 2, Left: 1}},
	} {
		dst := newFile(t, make1+make3+"INSERT INTO PRMAIN VALUES ('v','p','a','1'), ('v','p','b','2.1'); INSERT INTO PRMAIN_nohist VALUES "+
			"('v','p','a',1), ('v','p','"+store.Reserved+"',3)")
		c, err := (&Work{}).Copy(t.Context(), in, dst, CopyOptions{Generation: number})
		if err != nil || c != want.copied {
			t.Errorf("generation %d: %+v, %v; want %+v", number, c, err, want.copied)
		}
		wantRows(t, "PRMAIN", sortedRows(stored(t, dst.Name, generation3)),
			sortedRows(append(want.more, Row{"v", "p", "a", "1"}, Row{"v", "p", "b", "2.1"}, Row{"x", "p", "a", "0"})))
		wantRows(t, "PRMAIN_nohist", sortedRows(stored(t, dst.Name, generation1)),
			sortedRows(append(want.wholes, Row{"v", "p", "a", "1"}, Row{"x", "p", "a", "0"})))
		wantProblems(t, "merged", problemsOf(t, dst), nil)
	}
}

// TestNarrowed has values of both tables for which the older one suffices.
func TestNarrowed(t *testing.T) {
	insert := "INSERT INTO PRMAIN_nohist VALUES('v','p','a',1);\nINSERT INTO PRMAIN VALUES('v','p','a','1');\nINSERT INTO PRMAIN VALUES('v','p','b','2');\n"
	for _, src := range []Place{newFile(t, make1+make3+insert), textPlace(t, "a.sql", begin+make1+make3+insert+"COMMIT;\n")} {
		for _, name := range []string{"b.sqlite3", "b.sql", "b.inc"} {
			dst := Place{KindOf(name), filepath.Join(t.TempDir(), name)}
			if _, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{All: dst.Kind == Inc}); err != nil {
				t.Error(err)
			}
			again := Place{Database, filepath.Join(t.TempDir(), "c.sqlite3")}
			if _, err := (&Work{}).Copy(t.Context(), dst, again, CopyOptions{}); err != nil {
				t.Error(err)
			}
			wantRows(t, name, sortedRows(stored(t, again.Name, generation1)), []Row{{"v", "p", "a", "1"}, {"v", "p", "b", "2"}})
			if text := prservtest.ReadFile(t, dst.Name); dst.Kind != Database && strings.Contains(text, "PRMAIN\n") {
				t.Errorf("%s has the newer table: %s", name, text)
			}
		}
	}
}

// TestReservedAlone keeps the row that reserves a number where a place has the
// older table only: without it, numbers would go back.
func TestReservedAlone(t *testing.T) {
	row := Row{"v", "p", store.Reserved, "4"}
	wantRows(t, "alone", listed(t, newDB(t, generation1, row), ListOptions{}), []Row{row})
}

// TestCheckBothApart tells for how many versions the newer table is behind.
func TestCheckBothApart(t *testing.T) {
	p := newFile(t, make1+make3+"INSERT INTO PRMAIN_nohist VALUES ('v','p','a',5), ('w','p','a',5), ('x','p','a',0), ('x','p','"+store.Reserved+"',4);"+
		"INSERT INTO PRMAIN VALUES ('v','p','a','4.9'), ('w','p','a','5'), ('x','p','b','3.1'), ('x','p','a','0')")
	wantProblems(t, "apart", problemsOf(t, p), []string{"versions that have such: 1|copy --generation 3"})
}
