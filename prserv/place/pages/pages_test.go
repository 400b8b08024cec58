package pages

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3" // makes the files
)

// makeFile makes a file with statements.
func makeFile(t testing.TB, statements ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.db")
	db, err := sql.Open("sqlite3", "file:"+name+"?_synchronous=OFF")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return name
}

func all(string) bool { return true }

// walk returns the records of a file: rows and entries of indexes.
func walk(t testing.TB, name string, wanted func(string) bool) (rows, entries [][]any, damage Damage) {
	t.Helper()
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	damage, err = f.Walk(context.Background(), wanted, func(float64) {}, func(r Record) error {
		if r.Index {
			entries = append(entries, r.Values)
		} else if len(r.Values) != 5 { // what is in the schema has five columns
			rows = append(rows, r.Values)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows, entries, damage
}

// TestWalkValues reads every kind of value, in pages of every size, and such as
// go on in other pages.
func TestWalkValues(t *testing.T) {
	for size := minPageSize; size <= maxPageSize; size *= 2 {
		long := strings.Repeat("Zoë ", 3*size)
		name := makeFile(t, fmt.Sprintf("PRAGMA page_size = %d", size),
			"CREATE TABLE v (a, b)", "CREATE INDEX i ON v (b)",
			"INSERT INTO v VALUES (NULL, 0), (1, -1), (127, -128), (128, -129), (32767, -32768), (8388607, -8388608), (8388608, 2147483647), "+
				"(140737488355327, -140737488355328), (9223372036854775807, -9223372036854775808), (1.5, 'text'), (x'00ff', '')",
			"INSERT INTO v VALUES (7, '"+long+"')")
		rows, entries, damage := walk(t, name, all)
		want := [][]any{{nil, int64(0)}, {int64(1), int64(-1)}, {int64(127), int64(-128)}, {int64(128), int64(-129)},
			{int64(32767), int64(-32768)}, {int64(8388607), int64(-8388608)}, {int64(8388608), int64(math.MaxInt32)},
			{int64(140737488355327), int64(-140737488355328)}, {int64(math.MaxInt64), int64(math.MinInt64)}, {1.5, "text"}, {[]byte{0, 255}, ""}, {int64(7), long}}
		if !reflect.DeepEqual(rows, want) || len(entries) != len(want) || damage.Pages != 0 {
			t.Errorf("pages of %d: %.300v, %d entries, %+v; want %.300v", size, rows, len(entries), damage, want)
		}
		if !slices.ContainsFunc(entries, func(e []any) bool { return e[0] == long && e[1] == int64(12) }) {
			t.Errorf("pages of %d: the entry of a long text is missing", size)
		}
	}
}

const manyRows = "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 3000) INSERT INTO v SELECT 'package-' || n, 'c' || n, n FROM i"

// TestWalkUnwanted leaves out the tables that are not wanted.
func TestWalkUnwanted(t *testing.T) {
	name := makeFile(t, "CREATE TABLE other (a, b, n, PRIMARY KEY (a))", strings.Replace(manyRows, "INTO v", "INTO other", 1),
		"CREATE TABLE v (a, b, n, PRIMARY KEY (a))", manyRows)
	rows, entries, damage := walk(t, name, func(table string) bool { return table == "v" })
	if len(rows) != 3000 || len(entries) != 3000 || damage.Pages != 0 {
		t.Errorf("%d rows, %d entries, %+v; want 3000 of each", len(rows), len(entries), damage)
	}
	if rows, _, _ := walk(t, name, all); len(rows) != 6000 {
		t.Errorf("%d rows of both tables, want 6000", len(rows))
	}
}

// TestWalkLog reads what is in the write-ahead log only.
func TestWalkLog(t *testing.T) {
	name := makeFile(t, "PRAGMA journal_mode = WAL")
	db, err := sql.Open("sqlite3", "file:"+name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{"CREATE TABLE v (a, b, n, PRIMARY KEY (a))", manyRows} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(t.TempDir(), "b.db")
	for _, end := range []string{"", "-wal"} {
		data, err := os.ReadFile(name + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+end, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if rows, entries, damage := walk(t, copied, all); len(rows) != 3000 || len(entries) != 3000 || damage.Pages != 0 {
		t.Errorf("%d rows, %d entries, %+v; want 3000 of each", len(rows), len(entries), damage)
	}
}

// TestWalkBelowLog has a log that was written for another file. What the log
// has and what the file has are both read.
func TestWalkBelowLog(t *testing.T) {
	name := makeFile(t, "CREATE TABLE v (a, b, n, PRIMARY KEY (a))", manyRows)
	other := makeFile(t, "PRAGMA journal_mode = WAL")
	db, err := sql.Open("sqlite3", "file:"+other)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE v (a, b, n, PRIMARY KEY (a)); INSERT INTO v VALUES ('other', 'c', 7)"); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(other + "-wal")
	if err == nil {
		err = os.WriteFile(name+"-wal", log, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	if rows, _, _ := walk(t, name, all); len(rows) != 3001 {
		t.Errorf("%d rows, want 3000 of the file and one of the log", len(rows))
	}
}

// TestWalkDamaged overwrites pages at random, cuts files short, and damages
// their first page. Every row of a page that is whole is read, and none that was
// never stored.
func TestWalkDamaged(t *testing.T) {
	saved, lost := 0, 0
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		size := minPageSize << random.IntN(5)
		name := makeFile(t, fmt.Sprintf("PRAGMA page_size = %d", size), "CREATE TABLE v (a, b, n, PRIMARY KEY (a))", manyRows)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		overwritten := map[uint32]bool{}
		for range 1 + random.IntN(8) {
			number := uint32(1 + random.IntN(len(data)/size))
			if seed%4 == 0 {
				number = 1 // and with it the size of pages
			}
			overwritten[number] = true
			page := data[int(number-1)*size:][:size]
			for i := range page {
				page[i] = byte(random.IntN(256))
			}
			if seed%3 == 0 {
				clear(page)
			}
		}
		kept := len(data)
		if seed%5 == 0 {
			kept = len(data)/2 + random.IntN(len(data)/2)
		}
		// What stands in which page is known from the whole file.
		want := map[string]bool{}
		f, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for number := uint32(1); number <= f.count; number++ {
			n := f.node(number)
			if n == nil || n.kind != tableLeaf {
				continue
			}
			for _, at := range n.cells {
				if v, ok := f.record(n, at); ok && len(v) == 3 {
					want[fmt.Sprint(v...)] = !overwritten[number] && int(number)*size <= kept
				}
			}
		}
		f.Close()
		if len(want) != 3000 {
			t.Fatalf("seed %d: %d rows in the whole file", seed, len(want))
		}
		if err := os.WriteFile(name, data[:kept], 0o666); err != nil {
			t.Fatal(err)
		}
		rows, _, damage := walk(t, name, all)
		for _, v := range rows {
			if whole, ok := want[fmt.Sprint(v...)]; !ok && len(v) == 3 {
				t.Errorf("seed %d: %v was never stored", seed, v)
			} else if whole {
				saved++
				want[fmt.Sprint(v...)] = false
			}
		}
		for row, missing := range want {
			if missing {
				lost++
				t.Errorf("seed %d: %s is lost", seed, row)
			}
		}
		if damage.Pages == 0 {
			t.Errorf("seed %d: no damage was found", seed)
		}
	}
	t.Logf("%d of %d rows in whole pages were read", saved, saved+lost)
}

// FuzzWalk reads anything.
func FuzzWalk(f *testing.F) {
	data, err := os.ReadFile(makeFile(f, "PRAGMA page_size = 512", "CREATE TABLE v (a, b, n, PRIMARY KEY (a))",
		"INSERT INTO v VALUES ('a', 'b', 3), ('"+strings.Repeat("long ", 500)+"', 'c', 4)"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:1000])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "a.db")
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
		walk(t, name, func(table string) bool { return table == "v" })
	})
}
