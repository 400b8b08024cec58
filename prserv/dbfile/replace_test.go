package dbfile

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func statOf(t *testing.T, file string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wantOneLine fails the test unless err is one line that has these texts.
func wantOneLine(t *testing.T, what string, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q, want one line with %q", what, err, text)
		}
	}
}

func wantFolder(t *testing.T, what, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: the folder has %q, want %q", what, got, want)
	}
}

// replacement begins a replacement of a file.
func replacement(t *testing.T, file, text string) *Replacement {
	t.Helper()
	p, err := Replace(file)
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
	wantFolder(t, "abandoned", folder)
	if err := replacement(t, file, "new").Finish(nil); err != nil || readFile(t, file) != "new" {
		t.Errorf("finish: %q, %v", readFile(t, file), err)
	}
	old := statOf(t, file)
	if err := replacement(t, file, "newer").Finish(old); err != nil || readFile(t, file) != "newer" {
		t.Errorf("finish: %q, %v", readFile(t, file), err)
	}
	// Somebody else comes between.
	wantOneLine(t, "another one", replacement(t, file, "lost").Finish(old), "somebody has changed it meanwhile")
	wantOneLine(t, "a new one", replacement(t, file, "lost").Finish(nil), "somebody has made it meanwhile")
	old = statOf(t, file)
	p := replacement(t, file, "lost")
	writeFile(t, file, "longer now")
	wantOneLine(t, "a changed one", p.Finish(old), "somebody has changed it meanwhile")
	if got := readFile(t, file); got != "longer now" {
		t.Errorf("the file has %q", got)
	}
	p = replacement(t, file, "lost")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	wantOneLine(t, "one that is gone", p.Finish(old), "no such file")
	wantFolder(t, "all is done", folder)
}

func TestReplaceTwice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	p := replacement(t, file, "first")
	_, err := Replace(file)
	wantOneLine(t, "the second", err, file, "another program is writing it")
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
				if p, err := Replace(file); err == nil {
					p.Draft.WriteString(strings.Repeat("x", 10))
					info, _ := os.Stat(file)
					p.Finish(info)
				}
			}
		}()
	}
	all.Wait()
	if got := readFile(t, file); got != strings.Repeat("x", 10) {
		t.Errorf("the file has %q", got)
	}
	wantFolder(t, "all is done", filepath.Dir(file), "a")
}
