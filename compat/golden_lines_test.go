package compat_test

import (
	"path/filepath"
	"testing"

	"prserver/compat/golden"
	"prserver/prserv/prservtest"
)

// TestGoldenLines replays every recorded session of the JSON-lines protocol.
func TestGoldenLines(t *testing.T) {
	answers := answersLines(t)
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
			if !answers {
				t.Skip("our server does not answer a ping of the JSON-lines protocol yet")
			}
			for _, session := range sessions {
				t.Run(session.Name, func(t *testing.T) {
					t.Parallel()
					replayLines(t, session)
				})
			}
		})
	}
}

// replayLines plays a session to our server with the options it asks for.
func replayLines(t *testing.T, session golden.Session) {
	if session.Upstream {
		t.Skip("our server has no upstream yet")
	}
	replay(t, session)
}

// answersLines reports whether our server answers a ping.
func answersLines(t *testing.T) bool {
	addr := prservtest.Serve(t, prservtest.NewFile(t)).Addr
	request := []byte("PRSERVICE 1.0\n\n{\"ping\": null}\n")
	return len(send(t, addr, golden.Exchange{About: "ping", Request: request, HalfClose: true})) > 0
}
