package dbfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"prserver/prserv/dbfile"
	"prserver/prserv/prservtest"
)

func statOf(t *testing.T, file string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// replacement begins a replacement of a file.
func replacement(t *testing.T, file, text string) *dbfile.Replacement {
	t.Helper()
	p, err := dbfile.Replace(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Draft.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReplace(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "a")
	replacement(t, file, "x").Abandon()
	prservtest.WantFolder(t, "abandoned", folder)
	if err := replacement(t, file, "new").Finish(nil); err != nil || prservtest.ReadFile(t, file) != "new" {
		t.Errorf("finish: %q, %v", prservtest.ReadFile(t, file), err)
	}
	old := statOf(t, file)
	if err := replacement(t, file, "newer").Finish(old); err != nil || prservtest.ReadFile(t, file) != "newer" {
		t.Errorf("finish: %q, %v", prservtest.ReadFile(t, file), err)
	}
	// Somebody else comes between.
	prservtest.WantOneLine(t, "another one", replacement(t, file, "lost").Finish(old), "another program has changed it meanwhile")
	prservtest.WantOneLine(t, "a new one", replacement(t, file, "lost").Finish(nil), "another program has made it meanwhile")
	old = statOf(t, file)
	p := replacement(t, file, "lost")
	prservtest.WriteFile(t, file, "longer now")
	prservtest.WantOneLine(t, "a changed one", p.Finish(old), "another program has changed it meanwhile")
	if got := prservtest.ReadFile(t, file); got != "longer now" {
		t.Errorf("the file has %q", got)
	}
	p = replacement(t, file, "lost")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	prservtest.WantOneLine(t, "one that is gone", p.Finish(old), "no such file")
	prservtest.WantFolder(t, "all is done", folder)
}

func TestReplaceTwice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	p := replacement(t, file, "first")
	_, err := dbfile.Replace(file)
	prservtest.WantOneLine(t, "the second", err, file, "another program is writing it")
	if err := p.Finish(nil); err != nil {
		t.Error(err)
	}
	// Many at once: each fails, or writes all of its own.
	var all sync.WaitGroup
	for range 20 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 20 {
				if p, err := dbfile.Replace(file); err == nil {
					p.Draft.WriteString(strings.Repeat("x", 10))
					info, _ := os.Stat(file)
					p.Finish(info)
				}
			}
		}()
	}
	all.Wait()
	if got := prservtest.ReadFile(t, file); got != strings.Repeat("x", 10) {
		t.Errorf("the file has %q", got)
	}
	prservtest.WantFolder(t, "all is done", filepath.Dir(file), "a")
}
