package place

import (
	"fmt"
	"path/filepath"
	"testing"

	"prserver/prserv/prservtest"
)

// benchRows is how many rows are copied at a time.
const benchRows = 100_000

// manyRows makes a dump of many rows, as a server of a large team has them.
func manyRows(t testing.TB, name string, n int) Place {
	t.Helper()
	p := Place{SQL, filepath.Join(t.TempDir(), name)}
	prservtest.WriteFile(t, p.Name, dumpText(generation1, func(put func(r Row)) {
		for i := range n {
			put(Row{fmt.Sprintf("package-%d-1.0-r%d", i%1500, i%40), "core2-64", fmt.Sprintf("%064x", uint64(i)*0x9e3779b97f4a7c15), fmt.Sprint(i / 1500)})
		}
	}))
	return p
}

func benchCopy(b *testing.B, src Place, dst string, kind Kind) {
	w := &Work{}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := w.Copy(b.Context(), src, Place{kind, filepath.Join(b.TempDir(), fmt.Sprint(i, dst))}, CopyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

// benchFile is a database file with the rows of manyRows.
func benchFile(b *testing.B, name string) Place {
	b.Helper()
	p := Place{Database, filepath.Join(b.TempDir(), name)}
	if _, err := (&Work{}).Copy(b.Context(), manyRows(b, "rows.sql", benchRows), p, CopyOptions{}); err != nil {
		b.Fatal(err)
	}
	return p
}

func BenchmarkFileToFile(b *testing.B) {
	benchCopy(b, benchFile(b, "a.sqlite3"), "b.sqlite3", Database)
}
func BenchmarkFileToSQL(b *testing.B) { benchCopy(b, benchFile(b, "a.sqlite3"), "b.sql", SQL) }
func BenchmarkFileToInc(b *testing.B) { benchCopy(b, benchFile(b, "a.sqlite3"), "b.inc", Inc) }
func BenchmarkSQLToFile(b *testing.B) {
	benchCopy(b, manyRows(b, "a.sql", benchRows), "b.sqlite3", Database)
}

// BenchmarkMergeSQL merges a dump into one that has the same rows.
func BenchmarkMergeSQL(b *testing.B) {
	src, dst := manyRows(b, "a.sql", benchRows), manyRows(b, "b.sql", benchRows)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (&Work{}).Copy(b.Context(), src, dst, CopyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkDiff(b *testing.B) {
	src, dst := manyRows(b, "a.sql", benchRows), benchFile(b, "b.sqlite3")
	b.ReportAllocs()
	for b.Loop() {
		c, err := (&Work{}).Diff(b.Context(), src, dst, func(d Difference) error { return fmt.Errorf("%v", d) })
		if err != nil || c.Same != benchRows {
			b.Fatal(c, err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkListGreatest(b *testing.B) {
	src := benchFile(b, "a.sqlite3")
	b.ReportAllocs()
	for b.Loop() {
		if err := (&Work{}).List(b.Context(), src, ListOptions{Greatest: true}, func(Row) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}
