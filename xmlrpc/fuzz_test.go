package xmlrpc_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"prserver/compat/golden"
	"prserver/xmlrpc"
)

// FuzzDecode looks that no call takes more time or memory than its size
// warrants.
func FuzzDecode(f *testing.F) {
	for _, tests := range [][]decoded{bothRead, py2Reads, py3Reads} {
		for _, test := range tests {
			f.Add(params(test.inner))
		}
	}
	for _, m := range slices.Concat(badValues, badNumbers, noCalls) {
		f.Add([]byte(m.body))
	}
	seen := map[string]bool{}
	for _, request := range recorded(f) {
		if _, body, ok := bytes.Cut(request, []byte("\r\n\r\n")); ok && !seen[string(body)] {
			seen[string(body)] = true
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		checkCost(t, body)
	})
}

// recorded returns the requests recorded from the reference, each once.
func recorded(f *testing.F) [][]byte {
	f.Helper()
	requests, err := golden.Requests(filepath.Join("..", "testdata", "golden"))
	if err != nil {
		f.Fatal(err)
	}
	return slices.DeleteFunc(requests, func(request []byte) bool { return len(request) >= 4<<10 })
}

// checkCost measures again where it was too much: the first time fills the
// tables of names, and others may be at work in the process.
func checkCost(t *testing.T, body []byte) {
	t.Helper()
	const tries = 5
	limit := uint64(128<<10 + 300*len(body))
	for _, d := range dialects {
		var took time.Duration
		var size uint64
		for range tries {
			start, before := time.Now(), allocated()
			_, err := xmlrpc.Decode(body, d)
			var fault *xmlrpc.Fault
			if err != nil && !errors.As(err, &fault) && d.Fault(err) == nil {
				t.Errorf("%s: no fault for %v", d.Name, err)
			}
			took, size = time.Since(start), allocated()-before
			if took < time.Second && size < limit {
				break
			}
		}
		if took > time.Second || size > limit {
			t.Errorf("%s: %d bytes took %v and %d bytes of memory, want at most %d", d.Name, len(body), took, size, limit)
		}
	}
}
