package prservtest

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"prserver/prserv/store"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// NewFile names a database file that does not exist.
func NewFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "prserv.sqlite3")
}

// Outside opens a database file as another program does.
func Outside(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	return db
}

// Execute runs statements.
func Execute(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// LockFile keeps every server from writing to a file until unlock is called.
func LockFile(t testing.TB, file string) (unlock func()) {
	t.Helper()
	db := Outside(t, file)
	Execute(t, db, "PRAGMA busy_timeout = 5000", "BEGIN IMMEDIATE")
	return func() {
		t.Helper()
		Execute(t, db, "ROLLBACK")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Rows returns what is stored, in the order of the table.
func Rows(t testing.TB, file string) [][]any {
	t.Helper()
	found, err := Outside(t, file).Query("SELECT * FROM " + store.NohistTable + " ORDER BY rowid")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var all [][]any
	for found.Next() {
		row := make([]any, 4)
		if err := found.Scan(&row[0], &row[1], &row[2], &row[3]); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// WantRows fails the test unless these rows are stored, in this order.
func WantRows(t testing.TB, file string, want ...[]any) {
	t.Helper()
	if got := Rows(t, file); !reflect.DeepEqual(got, want) {
		t.Errorf("stored:\n got  %v\n want %v", got, want)
	}
}

// Row is a row of [WantRows].
func Row(version, pkgarch, checksum string, value any) []any {
	return []any{version, pkgarch, checksum, value}
}

// OddFile makes a file with rows of every kind, in more pieces than one.
func OddFile(t testing.TB) string {
	t.Helper()
	file := NewFile(t)
	Make(t, file)
	db := Outside(t, file)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	odd := []any{nil, int64(-1), int64(1 << 40), 1.5, 0.1, "x", "it's", []byte{0, 255}, "3.0", "cut\x00off"}
	for i := range 2300 {
		version, value := any(fmt.Sprintf("v'%d", i)), any(int64(i))
		if random.IntN(200) == 0 {
			value = odd[random.IntN(len(odd))]
		}
		switch random.IntN(400) {
		case 0:
			version = strings.Repeat("long", 3000+i)
		case 1:
			version = []byte(fmt.Sprint("blob", i))
		}
		if _, err := tx.Exec(`INSERT INTO `+store.NohistTable+` VALUES (?, 'all', ?, ?)`, version, fmt.Sprint(i), value); err != nil {
			t.Fatal(err)
		}
	}
	for _, query := range []string{`DELETE FROM ` + store.NohistTable + ` WHERE rowid % 7 = 0`,
		`UPDATE ` + store.NohistTable + ` SET rowid = -rowid WHERE rowid % 100 = 1`} {
		if _, err := tx.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return file
}

// Descriptors returns the open files below a folder, of this process.
func Descriptors(t testing.TB, dir string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, link := range links {
		if file, err := os.Readlink(link); err == nil && strings.HasPrefix(file, dir+"/") {
			open = append(open, file)
		}
	}
	return open
}

// Files returns the names in the folder of a file.
func Files(t testing.TB, file string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// OpenFiles returns how many descriptors this process has, by /proc.
func OpenFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
