package compat_test

import (
	"path/filepath"
	"testing"

	"prserver/compat/golden"
)

// TestGoldenLines replays every recorded session of the JSON-lines protocol.
func TestGoldenLines(t *testing.T) {
	for _, release := range golden.Releases() {
		sessions, err := golden.ReadDir(filepath.Join("..", "testdata", "golden", string(release)))
		if err != nil {
			t.Fatal(err)
		}
		exchanges := 0
		for _, session := range sessions {
			exchanges += len(session.Exchanges)
		}
		if exchanges < 400 {
			t.Errorf("%s: %d exchanges recorded, want at least 400", release, exchanges)
		}
		t.Run(string(release), func(t *testing.T) {
			for _, session := range sessions {
				t.Run(session.Name, func(t *testing.T) {
					t.Parallel()
					replay(t, session)
				})
			}
		})
	}
}
