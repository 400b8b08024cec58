package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"prserver/prserv/prservtest"
)

// contents returns the statements that made a database, and behind them all rows
// in their order, as SQL literals.
func contents(t *testing.T, file string) []string {
	t.Helper()
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT sql FROM sqlite_master WHERE sql NOT NULL UNION ALL
		SELECT * FROM (SELECT quote(version) || ' ' || quote(pkgarch) || ' ' || quote(checksum) || ' ' || quote(value)
		FROM PRMAIN_nohist ORDER BY rowid)`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func wantLines(t *testing.T, what, got string, want ...string) {
	t.Helper()
	if got := strings.Fields(got); !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestPythonFiles hands a file back and forth between Python's sqlite3, with the
// statements of the reference, and our server. Each has to go on from the other's
// values.
func TestPythonFiles(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		for _, journal := range []string{"WAL", "MEMORY", "DELETE"} {
			t.Run(journal, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "prserv.sqlite3")
				ask := func(keys ...string) string {
					return runPython(t, python, "database.py", append([]string{"get", journal, file}, keys...)...)
				}
				wantLines(t, "Python, new", ask("v/all/a", "v/all/b", "v/arm/a", "v/all/b"), "0", "1", "0", "1")

				p := startProgram(t, file)
				get(t, p.addr, "v/all/b", 1)
				get(t, p.addr, "v/all/a", 2)
				get(t, p.addr, "v/all/c", 3)
				get(t, p.addr, "v/arm/a", 0)
				get(t, p.addr, "w/all/a", 0)
				p.stop(t)
				before := contents(t, file)

				wantLines(t, "Python, after ours", ask("v/all/c", "v/arm/a", "v/all/b", "w/all/b"), "3", "0", "4", "1")
				after := contents(t, file)
				if before[0] != after[0] {
					t.Errorf("the table:\n ours   %q\n Python %q", before[0], after[0])
				}

				p = startProgram(t, file)
				get(t, p.addr, "v/all/b", 4)
				get(t, p.addr, "w/all/c", 2)
				p.stop(t)
			})
		}
	})
}

// TestPythonMakesTheSameFile makes the same calls to both, and compares their
// files.
func TestPythonMakesTheSameFile(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		dir := t.TempDir()
		ours, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
		keys := []string{"v/all/a", "v/all/b", "v/all/a", "w/all/a", "v/arm/a", "v/all/b", "v/all/c", "w/all/a"}
		want := strings.Fields(runPython(t, python, "database.py", append([]string{"get", "WAL", theirs}, keys...)...))
		p := startProgram(t, ours)
		for i, key := range keys {
			n, err := strconv.ParseInt(want[i], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			get(t, p.addr, key, n)
		}
		p.stop(t)
		if got, want := contents(t, ours), contents(t, theirs); !reflect.DeepEqual(got, want) {
			t.Errorf("ours holds\n %q\nPython's\n %q", got, want)
		}
	})
}

// TestPythonCrashed opens the file of a Python that died in the middle of a
// change, with a write-ahead log or a journal to roll back beside it.
func TestPythonCrashed(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		for journal, left := range map[string]string{"WAL": "-wal", "DELETE": "-journal"} {
			t.Run(journal, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "prserv.sqlite3")
				wantLines(t, "Python", runPython(t, python, "database.py", "crash", journal, file, "v/all/a", "v/all/b"), "0", "1")
				if info, err := os.Stat(file + left); err != nil || info.Size() == 0 {
					t.Fatalf("there is nothing to recover: %v", err)
				}
				p := startProgram(t, file)
				get(t, p.addr, "v/all/b", 1)
				get(t, p.addr, "v/all/a", 2)
				get(t, p.addr, "unfinished/all/x", 0)
				p.stop(t)
			})
		}
	})
}

// TestKilled kills our server under load. Python and the next server have to find
// every value that it had answered.
func TestKilled(t *testing.T) {
	eachPython(t, func(t *testing.T, python string) {
		file := filepath.Join(t.TempDir(), "prserv.sqlite3")
		p := startProgram(t, file)
		c := ask(p.addr)
		answers := make(chan int64)
		go func() {
			defer close(answers)
			for i := 0; ; i++ {
				v, err := c.GetPR(t.Context(), "v", "all", strconv.Itoa(i))
				if err != nil {
					return
				}
				answers <- v
			}
		}()
		last := int64(-1)
		for v := range answers {
			if v != last+1 {
				t.Errorf("answered %d after %d", v, last)
			}
			if last = v; last != 20 {
				continue
			}
			if err := p.cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
		<-p.ended
		// The last call may have been stored and not answered.
		copies := t.TempDir()
		for _, suffix := range []string{"", "-wal"} { // the rest is for running servers
			image, err := os.ReadFile(file + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(copies, "copy"+suffix), image, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		next := runPython(t, python, "database.py", "get", "MEMORY", filepath.Join(copies, "copy"), "v/all/new")
		if next != fmt.Sprintf("%d\n", last+1) && next != fmt.Sprintf("%d\n", last+2) {
			t.Errorf("Python goes on with %q after %d", next, last)
		}
		p = startProgram(t, file)
		got, err := ask(p.addr).GetPR(t.Context(), "v", "all", "new")
		if err != nil || fmt.Sprintf("%d\n", got) != next {
			t.Errorf("ours goes on with %d, %v after %d; Python with %q", got, err, last, next)
		}
		if !strings.Contains(strings.Join(contents(t, file), "\n"), fmt.Sprintf("'%d' %d", last, last)) {
			t.Errorf("%d was answered and is not stored", last)
		}
	})
}

// sqlite3Program runs the sqlite3 program and returns what it prints.
func sqlite3Program(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	return runProgram(t, stdin, prservtest.SQLite3(t), args...)
}

// TestOutside reads and copies the file with other programs while the server
// writes to it.
func TestOutside(t *testing.T) {
	t.Run("sqlite3", func(t *testing.T) {
		testOutside(t,
			func(file string) string {
				return sqlite3Program(t, "", "-separator", "/", file, "select version, pkgarch, checksum || ' ' || value from PRMAIN_nohist order by rowid")
			},
			func(file, to string) { sqlite3Program(t, "", file, ".backup '"+to+"'") })
	})
	t.Run("python", func(t *testing.T) {
		eachPython(t, func(t *testing.T, python string) {
			testOutside(t,
				func(file string) string { return runPython(t, python, "database.py", "rows", file) },
				func(file, to string) { runPython(t, python, "database.py", "backup", file, to) })
		})
	})
}

func testOutside(t *testing.T, rows func(file string) string, backup func(file, to string)) {
	file := filepath.Join(t.TempDir(), "prserv.sqlite3")
	p := startProgram(t, file)
	get(t, p.addr, "v/all/0", 0)
	if got, want := rows(file), "v/all/0 0\n"; got != want {
		t.Errorf("from outside there is %q, want %q", got, want)
	}
	get(t, p.addr, "v/all/1", 1)
	if got, want := rows(file), "v/all/0 0\nv/all/1 1\n"; got != want {
		t.Errorf("from outside there is %q, want %q", got, want)
	}
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		n := 2
		defer func() { stopped <- n }()
		for ; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			v, err := ask(p.addr).GetPR(t.Context(), "v", "all", strconv.Itoa(n))
			if err != nil || v != int64(n) {
				t.Errorf("while it was copied, checksum %d got %d, %v", n, v, err)
				return
			}
		}
	}()
	for i := range 3 {
		to := filepath.Join(t.TempDir(), "copy")
		backup(file, to)
		got := contents(t, to)[1:]
		if len(got) < 2 {
			t.Errorf("copy %d has %d rows", i, len(got))
		}
		for n, row := range got {
			if want := fmt.Sprintf("'v' 'all' '%d' %d", n, n); row != want {
				t.Errorf("copy %d: row %d is %s, want %s", i, n, row, want)
			}
		}
	}
	close(stop)
	n := <-stopped
	p.stop(t)
	if got := len(contents(t, file)) - 1; got != n {
		t.Errorf("%d values were answered, %d are stored", n, got)
	}
}

// TestRestore makes a new file from a dump with the sqlite3 program.
func TestRestore(t *testing.T) {
	dir := t.TempDir()
	file, restored := filepath.Join(dir, "prserv.sqlite3"), filepath.Join(dir, "new.db")
	p := startProgram(t, file)
	c, ctx := ask(p.addr), t.Context()
	for i := range 50 {
		get(t, p.addr, fmt.Sprintf("v%d/all/a", i%7), int64(i/7)*2)
		get(t, p.addr, fmt.Sprintf("v%d/all/b", i%7), int64(i/7)*2+1)
	}
	for i, text := range []string{"it's", "Zoë 日本 𝄞", "two\nlines", "a;b--c", "", strings.Repeat("0123456789", 300)} {
		if _, err := c.ImportOne(ctx, "t"+text, text, text, int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite3", file) // for what no client of ours sends
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO PRMAIN_nohist VALUES ('k', 'all', 'null', NULL), ('k', 'all', 'real', 0.1),
		('k', 'all', 'text', 'word'), ('k', 'all', 'blob', x'00ff'), (x'6b', 'all', 'blob version', 1),
		('k', 'all', 'great', 9223372036854775807), ('k', 'all', 'small', -9223372036854775808)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	dump, err := readDump(c.DumpDB(ctx))
	if err != nil {
		t.Fatal(err)
	}
	want := contents(t, file)
	p.stop(t)
	sqlite3Program(t, dump, restored)
	if got := contents(t, restored); !reflect.DeepEqual(got, want) {
		t.Errorf("restored\n %q\nwant\n %q", got, want)
	}
	// A server goes on with the restored file.
	p = startProgram(t, restored)
	get(t, p.addr, "v0/all/b", 15)
	again, err := readDump(ask(p.addr).DumpDB(ctx))
	if err != nil || again != dump {
		t.Errorf("the restored file dumps otherwise: %v\n got  %q\n want %q", err, again, dump)
	}
}
