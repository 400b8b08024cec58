package xmlrpc_test

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"prserver/compat/golden"
	"prserver/xmlrpc"
)

// FuzzDecode decodes anything. It checks that the memory taken is in proportion
// to the size, and that every error has a fault.
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
	f.Fuzz(checkCost)
}

// recorded returns the shorter requests recorded from the reference.
func recorded(f *testing.F) [][]byte {
	f.Helper()
	requests, err := golden.Requests(filepath.Join("..", "testdata", "golden"))
	if err != nil {
		f.Fatal(err)
	}
	return slices.DeleteFunc(requests, func(request []byte) bool { return len(request) >= 4<<10 })
}

// checkCost decodes body and limits the memory for that. The least of several
// measurements counts, because the fuzzer allocates in this process too and the
// first decoding fills the cache of names.
func checkCost(t *testing.T, body []byte) {
	t.Helper()
	limit := uint64(128<<10 + 300*len(body))
	for _, d := range dialects {
		least := uint64(math.MaxUint64)
		for tries := 0; tries < 5 && least > limit; tries++ {
			before := allocated()
			_, err := xmlrpc.Decode(body, d)
			var fault *xmlrpc.Fault
			if err != nil && !errors.As(err, &fault) && d.Fault(err) == nil {
				t.Errorf("%s: no fault for %v", d.Name, err)
			}
			least = min(least, allocated()-before)
		}
		if least > limit {
			t.Errorf("%s: %d bytes took %d bytes of memory, want at most %d", d.Name, len(body), least, limit)
		}
	}
}
