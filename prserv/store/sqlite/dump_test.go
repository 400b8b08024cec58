package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

func dumpOf(t *testing.T, file string) string {
	t.Helper()
	s, err := sqlite.Open(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out strings.Builder
	if err := s.Dump(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestDumpInPieces compares the dump of a file that is as a server makes it
// with that of one that has a view as well, whose rows are read one by one.
func TestDumpInPieces(t *testing.T) {
	file := prservtest.OddFile(t)
	got := dumpOf(t, file)
	const view = "CREATE VIEW other AS SELECT 1"
	if _, err := prservtest.Outside(t, file).Exec(view); err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(dumpOf(t, file), view+";\n", "", 1); got != want {
		t.Errorf("%d bytes, not the %d of the dump of single rows", len(got), len(want))
	}
}

// TestDumpRestores lets the sqlite3 program restore a dump and compares the rows.
func TestDumpRestores(t *testing.T) {
	program := prservtest.SQLite3(t)
	file := prservtest.OddFile(t)
	restored := filepath.Join(t.TempDir(), "restored")
	cmd := exec.Command(program, restored)
	cmd.Stdin = strings.NewReader(dumpOf(t, file))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sqlite3: %v: %s", err, out)
	}
	if got, want := allRows(t, prservtest.Outside(t, restored)), allRows(t, prservtest.Outside(t, file)); got != want {
		t.Errorf("restored %d bytes of rows, want %d", len(got), len(want))
	}
}

// allRows writes every row in the order of the table. A text is taken up to
// its first NUL, where SQLite's own dump ends, too.
func allRows(t *testing.T, db *sql.DB) string {
	t.Helper()
	rows, err := db.Query(`SELECT quote(version), quote(pkgarch), quote(checksum), quote(value) FROM ` + store.NohistTable + ` ORDER BY rowid`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var v, p, c, n string
		if err := rows.Scan(&v, &p, &c, &n); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, v, p, c, n)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestDumpStops ends with the error of whom it writes to.
func TestDumpStops(t *testing.T) {
	s, err := sqlite.Open(t.Context(), prservtest.OddFile(t), true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	failed := errors.New("no room")
	if err := s.Dump(t.Context(), failingWriter{failed}); !errors.Is(err, failed) {
		t.Errorf("Dump: %v, want %v", err, failed)
	}
	// The connection is good for the next one.
	var out bytes.Buffer
	if err := s.Dump(t.Context(), &out); err != nil || !bytes.HasSuffix(out.Bytes(), []byte("COMMIT;\n")) {
		t.Errorf("Dump: %d bytes, %v", out.Len(), err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestDumpOfAMovedFile dumps after the file has been moved away: no new file
// may appear in its place, and take the log with the last values away.
func TestDumpOfAMovedFile(t *testing.T) {
	file := prservtest.NewFile(t)
	s := prservtest.Open(t, file)
	getPR(t, s, "v", "all", "a", int64(0))
	if err := os.Rename(file, file+".moved"); err != nil {
		t.Fatal(err)
	}
	var dumps sync.WaitGroup
	for range 20 {
		dumps.Add(1)
		go func() {
			defer dumps.Done()
			var out strings.Builder
			if err := s.Dump(t.Context(), &out); err != nil || !strings.Contains(out.String(), "VALUES('v','all','a',0)") {
				t.Errorf("Dump: %q, %v", &out, err)
			}
			if rows := export(t, s, store.Filter{}); len(rows) != 1 {
				t.Errorf("exported %v", rows)
			}
		}()
	}
	dumps.Wait()
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a new file: %v", err)
	}
	if info, err := os.Stat(file + "-wal"); err != nil || info.Size() == 0 {
		t.Errorf("the write-ahead log: %v, %v", info, err)
	}
	if err := os.Rename(file+".moved", file); err != nil {
		t.Fatal(err)
	}
	getPR(t, s, "v", "all", "b", int64(1))
	prservtest.WantRows(t, file, prservtest.Row("v", "all", "a", int64(0)), prservtest.Row("v", "all", "b", int64(1)))
}

// TestRefusedFileStaysAsItIs opens a file whose table is none of PR values.
func TestRefusedFileStaysAsItIs(t *testing.T) {
	file := prservtest.NewFile(t)
	if _, err := prservtest.Outside(t, file).Exec("CREATE TABLE " + store.NohistTable + " (a, b)"); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), file, false); err == nil || !strings.Contains(err.Error(), "is not that of a PR server") {
		t.Errorf("Open: %v", err)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file has changed, %v", err)
	}
}
