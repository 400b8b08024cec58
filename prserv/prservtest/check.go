package prservtest

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// ReadFile returns what a file holds.
func ReadFile(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// WriteFile makes a file, or writes over one.
func WriteFile(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// WantOneLine fails the test unless err is one line that has all these words.
func WantOneLine(t testing.TB, about string, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want one with %q", about, words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v; want %q in it", about, err, word)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("%s: %q is not one line", about, err)
	}
}

// WantFolder fails the test unless a folder has these files, in the order of
// their names. What SQLite keeps beside an open file does not count.
func WantFolder(t testing.TB, about, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), "-shm") && !strings.HasSuffix(e.Name(), "-wal") {
			got = append(got, e.Name())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: the folder has %q, want %q", about, got, want)
	}
}
