package place

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"prserver/prserv/prservtest"
)

// serve starts a server of rows.
func serve(t testing.TB, rows ...Row) Place {
	t.Helper()
	return Place{Server, prservtest.Serve(t, newDB(t, generation1, rows...).Name).Addr}
}

func TestCopyToServerRandom(t *testing.T) {
	for seed := range uint64(15) {
		random := rand.New(rand.NewPCG(seed, 3))
		in, old := randomRows(random, generation1, 14), randomRows(random, generation1, 14)
		dst := serve(t, old...)
		want, counts := merged(generation1, old, in)
		for range 2 {
			got, err := (&Work{}).Copy(t.Context(), makePlace(t, []Kind{Database, SQL, Inc}[seed%3], generation1, in), dst, CopyOptions{})
			if err != nil || got != counts {
				t.Errorf("seed %d: %+v, %v; want %+v", seed, got, err, counts)
			}
			wantRows(t, fmt.Sprint("seed ", seed), listed(t, dst, ListOptions{}), sortedRows(want))
			counts = Copied{Kept: int64(len(in))} // the second time
		}
	}
}

func TestCopyToServerRefused(t *testing.T) {
	dst := serve(t)
	for _, test := range []struct {
		row  Row
		want string
	}{
		{Row{"v", "p", "c", "2147483648"}, "the row v p c 2147483648: a server cannot answer a value beyond 2147483647"},
		{Row{"v", "p", "c", "-2147483649"}, "a server cannot answer"},
		{Row{"v", "p", "a\rb", "3"}, `the row v p "a\rb" 3: XML cannot carry it`},
		{Row{"v", "p", "a\x01b", "3"}, `the row v p "a\x01b" 3: XML cannot carry it`},
	} {
		_, err := (&Work{}).Copy(t.Context(), newDB(t, generation1, test.row), dst, CopyOptions{})
		prservtest.WantOneLine(t, test.row.Checksum, err, test.want)
	}
	_, err := (&Work{}).Copy(t.Context(), newDB(t, generation1), Place{Server, "127.0.0.1:1"}, CopyOptions{})
	prservtest.WantOneLine(t, "nobody listens", err, "127.0.0.1:1")
}
