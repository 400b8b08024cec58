package place

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"prserver/prserv/prservtest"
)

// copyTo copies files into a new folder, and returns the path that the first one
// has there.
func copyTo(t *testing.T, files ...string) string {
	t.Helper()
	folder := t.TempDir()
	for _, file := range files {
		prservtest.WriteFile(t, filepath.Join(folder, filepath.Base(file)), prservtest.ReadFile(t, file))
	}
	return filepath.Join(folder, filepath.Base(files[0]))
}

// newWAL makes a database in WAL mode, whose log is empty, and returns a copy of
// it.
func newWAL(t *testing.T) Place {
	t.Helper()
	p := newDB(t, generation1, Row{"v", "p", "a", "3"}, Row{"v", "p", "b", "3"})
	execute(t, openDB(t, p.Name), "PRAGMA journal_mode = WAL")
	return Place{Database, copyTo(t, p.Name)}
}

// filesBeside returns the sizes of a file and of all that are beside it, and when
// they were changed. Of the index of a log that is the time it was read.
func filesBeside(t *testing.T, file string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		found[entry.Name()] = ""
		if !strings.HasSuffix(entry.Name(), "-shm") {
			found[entry.Name()] = fmt.Sprint(info.Size(), info.ModTime())
		}
	}
	return found
}

// TestReadingLeavesNothing reads files that nobody has open, by every verb.
func TestReadingLeavesNothing(t *testing.T) {
	served := newDB(t, generation1, Row{"v", "p", "a", "3"})
	db := openDB(t, served.Name)
	execute(t, db, "PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE)")
	idle := copyTo(t, served.Name, served.Name+"-wal")
	stale := copyTo(t, served.Name, served.Name+"-wal", served.Name+"-shm")
	execute(t, db, "INSERT INTO PRMAIN_nohist VALUES ('v', 'p', 'b', 4)")
	one, both := []Row{{"v", "p", "a", "3"}}, []Row{{"v", "p", "a", "3"}, {"v", "p", "b", "4"}}
	for about, test := range map[string]struct {
		file string
		want []Row
	}{
		"the file alone":              {copyTo(t, served.Name), one},
		"with an empty log":           {idle, one},
		"with an empty log, an index": {stale, one},
		"with a log":                  {copyTo(t, served.Name, served.Name+"-wal"), both},
		"as a killed server left it":  {copyTo(t, served.Name, served.Name+"-wal", served.Name+"-shm"), both},
	} {
		p, before := Place{Database, test.file}, filesBeside(t, test.file)
		wantRows(t, about, listed(t, p, ListOptions{}), test.want)
		dst := Place{Database, filepath.Join(t.TempDir(), "b.sqlite3")}
		if c, err := (&Work{}).Copy(t.Context(), p, dst, CopyOptions{}); err != nil || c.New != int64(len(test.want)) {
			t.Errorf("%s: copy: %+v, %v", about, c, err)
		}
		if c, err := (&Work{}).Diff(t.Context(), p, dst, nil); err != nil || c.Same != int64(len(test.want)) {
			t.Errorf("%s: diff: %+v, %v", about, c, err)
		}
		wantProblems(t, about, problemsOf(t, p), nil)
		if after := filesBeside(t, test.file); !maps.Equal(before, after) {
			t.Errorf("%s: files have come, gone or changed: %v, before %v", about, after, before)
		}
	}
}

// TestChangedWhileRead reads files that begin to be written meanwhile.
func TestChangedWhileRead(t *testing.T) {
	const said = "another program has begun to write it; run this again"
	change := func(p Place) {
		later := time.Now().Add(time.Second)
		if err := os.Chtimes(p.Name, later, later); err != nil {
			t.Error(err)
		}
	}
	p := newWAL(t)
	w := &Work{}
	err := w.List(t.Context(), p, ListOptions{}, func(Row) error { change(p); return nil })
	prservtest.WantOneLine(t, "list", err, p.Name, said)
	p = newWAL(t)
	_, err = w.Check(t.Context(), p, func(Problem) error { change(p); return nil })
	prservtest.WantOneLine(t, "check", err, p.Name, said)
	p = newWAL(t)
	err = w.CheckPublished(t.Context(), p, feedOf(t, "a 1-r0.7"), func(Behind) error { change(p); return nil })
	prservtest.WantOneLine(t, "check of a feed", err, p.Name, said)
	p = newWAL(t)
	_, err = w.Diff(t.Context(), p, newDB(t, generation1), func(Difference) error { change(p); return nil })
	prservtest.WantOneLine(t, "diff", err, p.Name, said)
	for _, name := range []string{"b.sqlite3", "b.sql", "old.sqlite3"} {
		p = newWAL(t)
		dst, err := Parse(filepath.Join(t.TempDir(), name), "")
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		if name == "old.sqlite3" {
			dst = newDB(t, generation1, Row{"v", "p", "b", "1"})
			left = []string{filepath.Base(dst.Name)}
		}
		w := &Work{Progress: func(now Progress) {
			if strings.HasPrefix(now.What, "writing ") || strings.HasPrefix(now.What, "merging ") {
				change(p)
			}
		}}
		_, err = w.Copy(t.Context(), p, dst, CopyOptions{})
		prservtest.WantOneLine(t, "copy to "+name, err, p.Name, said)
		prservtest.WantFolder(t, name, filepath.Dir(dst.Name), left...)
		if left != nil {
			wantRows(t, name, stored(t, dst.Name, generation1), []Row{{"v", "p", "b", "1"}})
		}
	}

	// A server that only adds to its log changes nothing of what is read.
	p = newWAL(t)
	var got []Row
	err = w.List(t.Context(), p, ListOptions{}, func(r Row) error {
		if len(got) == 0 {
			execute(t, openDB(t, p.Name), "INSERT INTO PRMAIN_nohist VALUES ('v', 'p', 'c', 4)")
		}
		got = append(got, r)
		return nil
	})
	if want := []Row{{"v", "p", "a", "3"}, {"v", "p", "b", "3"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("beside a new server: %v, %v; want %v", got, err, want)
	}
}

// TestUnseenWriter reads files whose last values are not in them.
func TestUnseenWriter(t *testing.T) {
	read := func(p Place) (warned []string) {
		t.Helper()
		w := &Work{Warn: func(line string) { warned = append(warned, line) }}
		if err := w.List(t.Context(), p, ListOptions{}, func(Row) error { return nil }); err != nil {
			t.Error(err)
		}
		return warned
	}
	wantWarned := func(about string, got []string, want string) {
		t.Helper()
		if len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: warned %q, want a line with %q", about, got, want)
		}
	}
	row := Row{"v", "p", "a", "3"}
	insert := "INSERT INTO PRMAIN_nohist VALUES ('v', 'p', 'b', 4)"

	p := newDB(t, generation1, row)
	prservtest.OpenShell(t, p.Name).Run(t, "BEGIN IMMEDIATE; "+insert)
	wantWarned("in a transaction", read(p), "(sqlite3) has it open, so its last values may not be in it yet; name its HOST:PORT instead")
	wantProblems(t, "in a transaction", problemsOf(t, p), nil)

	p = newDB(t, generation1, row)
	prservtest.OpenShell(t, p.Name).Run(t, "PRAGMA journal_mode = WAL; "+insert)
	for _, log := range []string{"-wal", "-shm"} {
		if err := os.Remove(p.Name + log); err != nil {
			t.Fatal(err)
		}
	}
	const cut = "(sqlite3) writes its values to a file that has been removed or replaced, so the last ones are not in this one"
	wantWarned("log removed", read(p), cut)
	wantProblems(t, "log removed", problemsOf(t, p), []string{cut + "|name its HOST:PORT instead, before it ends"})
	_, err := (&Work{}).Copy(t.Context(), newDB(t, generation1, row), p, CopyOptions{})
	prservtest.WantOneLine(t, "copy to it", err, "writing "+p.Name, "would damage this one; name its HOST:PORT instead")
	if found := filesBeside(t, p.Name); len(found) != 1 {
		t.Errorf("log removed: files have been made: %v", found)
	}

	p = newDB(t, generation1, row)
	prservtest.OpenShell(t, p.Name).Run(t, "BEGIN IMMEDIATE; "+insert)
	if err := os.Rename(copyTo(t, p.Name), p.Name); err != nil {
		t.Fatal(err)
	}
	wantWarned("replaced", read(p), cut)

	// Who may only read has nothing to add.
	p = newDB(t, generation1, row)
	prservtest.OpenShell(t, "file:"+p.Name+"?mode=ro").Run(t, "SELECT count(*) FROM PRMAIN_nohist")
	if warned := read(p); len(warned) > 0 {
		t.Errorf("beside a reader: %q", warned)
	}
}
