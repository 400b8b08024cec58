package place

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prserver/prserv/dbfile"
	"prserver/prserv/prservtest"
)

// TestPartLeft writes over what a program that was killed has left.
func TestPartLeft(t *testing.T) {
	for _, kind := range []Kind{Database, SQL, Inc} {
		dst := Place{kind, filepath.Join(t.TempDir(), "a")}
		prservtest.WriteFile(t, dst.Name+".prserv-part", strings.Repeat("left behind; ", 10000))
		if _, err := (&Work{}).Copy(t.Context(), newDB(t, generation1, Row{"v", "p", "c", "3"}), dst, CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		wantRows(t, "written", listed(t, dst, ListOptions{}), []Row{{"v", "p", "c", "3"}})
		prservtest.WantFolder(t, "written", filepath.Dir(dst.Name), "a")
	}
}

func TestPartLinks(t *testing.T) {
	folder, real := t.TempDir(), t.TempDir()
	link := filepath.Join(folder, "link.sql")
	if err := os.Symlink(filepath.Join(real, "a.sql"), link); err != nil {
		t.Fatal(err)
	}
	src, dst := newDB(t, generation1, Row{"v", "p", "c", "3"}), Place{SQL, link}
	for range 2 { // to a file that is yet to be made, and to one that exists
		if _, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	wantRows(t, "through the link", listed(t, Place{SQL, filepath.Join(real, "a.sql")}, ListOptions{}), []Row{{"v", "p", "c", "3"}})
	prservtest.WantFolder(t, "the link", folder, "link.sql")
	prservtest.WantFolder(t, "the file", real, "a.sql")
	// A part is nothing that others lead elsewhere.
	if err := os.Symlink(filepath.Join(real, "victim"), filepath.Join(real, "a.sql.prserv-part")); err != nil {
		t.Fatal(err)
	}
	_, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{})
	prservtest.WantOneLine(t, "a part that is a link", err, "writing "+link)
}

func TestModes(t *testing.T) {
	src := newDB(t, generation1, Row{"v", "p", "c", "3"})
	for _, mode := range []os.FileMode{0o600, 0o666, 0o640, 0o444} {
		for _, text := range []string{"", "PRAUTO$v$p$d = \"3\"\n"} {
			dst := textPlace(t, "a.inc", text)
			if err := os.Chmod(dst.Name, mode); err != nil {
				t.Fatal(err)
			}
			if os.Geteuid() == 0 {
				if err := os.Chown(dst.Name, 12345, 23456); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{}); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(dst.Name)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != mode {
				t.Errorf("the mode is %v, want %v", got, mode)
			}
		}
	}
}

// TestEmptyDestination writes files that exist with nothing in them.
func TestEmptyDestination(t *testing.T) {
	for _, name := range []string{"a.db", "a.sql", "a.inc"} {
		dst := textPlace(t, name, "")
		if c, err := (&Work{}).Copy(t.Context(), newDB(t, generation1, Row{"v", "p", "c", "3"}), dst, CopyOptions{}); err != nil || c.New != 1 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		prservtest.WantFolder(t, "written", filepath.Dir(dst.Name), name)
	}
	dst := textPlace(t, "a.db", "")
	claim, err := dbfile.Claim(dst.Name, dbfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Release()
	_, err = (&Work{}).Copy(t.Context(), newDB(t, generation1), dst, CopyOptions{})
	prservtest.WantOneLine(t, "a server's", err, "is being written by process")
}

// TestCompanions makes no database that SQLite would take others' pages for.
func TestCompanions(t *testing.T) {
	src := newDB(t, generation1, Row{"v", "p", "c", "3"})
	for _, companion := range []string{"-wal", "-journal"} {
		dst := Place{Database, filepath.Join(t.TempDir(), "a.db")}
		prservtest.WriteFile(t, dst.Name+companion, "x")
		_, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{})
		prservtest.WantOneLine(t, companion, err, "writing "+dst.Name, dst.Name+companion+" is left of another database")
		prservtest.WriteFile(t, dst.Name+companion, "")
		if _, err := (&Work{}).Copy(t.Context(), src, dst, CopyOptions{}); err != nil {
			t.Error(err)
		}
	}
}

// TestRelativeLink follows a link to a parent folder from behind another link.
func TestRelativeLink(t *testing.T) {
	folder := t.TempDir()
	deep := filepath.Join(folder, "data", "deep")
	if err := os.MkdirAll(filepath.Join(deep, "dir"), 0o777); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		filepath.Join(folder, "link"): filepath.Join(deep, "dir"), filepath.Join(deep, "dir", "a.sql"): "../b.sql",
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	dst := Place{SQL, filepath.Join(folder, "link", "a.sql")}
	if _, err := (&Work{}).Copy(t.Context(), newDB(t, generation1, Row{"v", "p", "c", "3"}), dst, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	prservtest.WantFolder(t, "linked", deep, "b.sql", "dir")
}
