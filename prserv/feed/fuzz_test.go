package feed

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRead reads anything as anything: it neither panics nor says more than a
// line, and all readings are keys that a database can have.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"*/*/Packages*", "rpm*/primary*", "rpm/repodata/primary*", "single/*/*/*"} {
		paths, err := filepath.Glob("../../testdata/feeds/" + pattern)
		if err != nil || len(paths) == 0 {
			f.Fatalf("%s: %v, %v", pattern, paths, err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(filepath.Base(path), content)
		}
	}
	f.Fuzz(func(t *testing.T, base string, content []byte) {
		r := &reader{Options: Options{MaxFile: 1 << 20, MaxUnpacked: 1 << 20, AllPackages: true}}
		r.each = func(p *Package) error {
			for _, reading := range p.Readings() {
				if reading.Version == "" || len(reading.Value) == 0 || reading.Auto && !strings.HasPrefix(reading.Version, "AUTOINC-") {
					t.Errorf("%s: %+v", p.FullVersion(), reading)
				}
			}
			return nil
		}
		err := r.readNamed(context.Background(), bytes.NewReader(content), "file", base, "folder", int64(len(content)))
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("an error of more than a line: %q", err)
		}
	})
}
