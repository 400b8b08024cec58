package main

import (
	"os"
	"path/filepath"
	"testing"

	"prserver/compat"
)

func TestLogFileReopens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := openLogFile(path, false, compat.LogText)
	if err != nil {
		t.Fatal(err)
	}
	defer file.close()
	write := func(text string) {
		if _, err := file.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write("still\n")
	if err := file.reopen(); err != nil {
		t.Fatal(err)
	}
	write("after\n")
	for name, want := range map[string]string{path + ".1": "before\nstill\n", path: "after\n"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v, want %q", name, got, err, want)
		}
	}
}
