package compat_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"prserver/compat/golden"
)

// TestReadme holds the list of differences in README.md against what pins them:
// every name in its last column exists, and no recording that is kept out of
// the comparison is missing there.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	known := pins(t)
	var named []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || cells[0] == " difference" {
			continue
		}
		if len(cells) != 3 {
			t.Errorf("%d columns, want 3: %s", len(cells), line)
			continue
		}
		of := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[2], -1)
		if len(of) == 0 {
			t.Errorf("nothing pins it: %s", line)
		}
		for _, name := range of {
			named = append(named, name[1])
			if !known[name[1]] {
				t.Errorf("there is no recording, test or script %s: %s", name[1], line)
			}
		}
	}
	for name := range known {
		if strings.HasPrefix(name, "differs-") && !slices.Contains(named, name) {
			t.Errorf("README.md does not have the recording %s", name)
		}
	}
}

// pins returns the names of all recordings, tests and testscripts.
func pins(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	folders := []string{string(golden.Py2), string(golden.Py3)}
	for _, release := range golden.Releases() {
		folders = append(folders, string(release))
	}
	for _, folder := range folders {
		sessions, err := golden.ReadDir(filepath.Join("..", "testdata", "golden", folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, session := range sessions {
			known[session.Name] = true
		}
	}
	tests := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && entry.Name() != "..":
			return fs.SkipDir // the modules of others may be there
		case filepath.Ext(path) == ".txtar":
			known[filepath.Base(path)] = true
		case strings.HasSuffix(path, "_test.go"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, found := range tests.FindAllSubmatch(text, -1) {
				known[string(found[1])] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}
