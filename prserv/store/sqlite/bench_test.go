package sqlite_test

import (
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"testing"

	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/prserv/store/sqlite"
)

func benchStore(b *testing.B) *sqlite.Store {
	b.Helper()
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "db"), false)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func askOnce(b *testing.B, s *sqlite.Store, version, checksum string) {
	if _, err := s.GetPR(b.Context(), key(version, "core2-64", checksum), store.Mode{}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkGetPRKnown(b *testing.B) {
	s := benchStore(b)
	askOnce(b, s, "make-4.1-r0", "known")
	b.ReportAllocs()
	for b.Loop() {
		askOnce(b, s, "make-4.1-r0", "known")
	}
}

// BenchmarkGetPRNew waits for the disk with every call.
func BenchmarkGetPRNew(b *testing.B) {
	s := benchStore(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		askOnce(b, s, "make-4.1-r0", fmt.Sprint(i))
	}
}

// BenchmarkGetPRNewParallel has 32 callers, who share commits.
func BenchmarkGetPRNewParallel(b *testing.B) {
	s := benchStore(b)
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			askOnce(b, s, "make-4.1-r0", fmt.Sprint(n.Add(1)))
		}
	})
}

// BenchmarkGetPRNewPackages is the same with 1,000 packages, whose rows are far
// from each other, in one table and in both.
func BenchmarkGetPRNewPackages(b *testing.B) {
	for _, mode := range []store.Mode{{}, {Revisions: true}} {
		b.Run(fmt.Sprintf("revisions=%v", mode.Revisions), func(b *testing.B) {
			s := benchStore(b)
			var n atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					k := key(fmt.Sprintf("package-%d-1.0-r0", i*7919%1000), "core2-64", fmt.Sprint(i))
					if _, err := s.GetPR(b.Context(), k, mode); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkGetPRManyChecksums asks for new checksums in a group of 100,000.
func BenchmarkGetPRManyChecksums(b *testing.B) {
	file := filepath.Join(b.TempDir(), "db")
	s, err := sqlite.Open(b.Context(), file, false)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	fill(b, file, 100_000)
	if s, err = sqlite.Open(b.Context(), file, false); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		askOnce(b, s, "make-4.1-r0", fmt.Sprint(i))
	}
}

func BenchmarkDump(b *testing.B) {
	file := filepath.Join(b.TempDir(), "db")
	s, err := sqlite.Open(b.Context(), file, false)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	fill(b, file, 40_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Dump(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// fill writes n rows of one group into a file.
func fill(b *testing.B, file string, n int) {
	b.Helper()
	db := prservtest.Outside(b, file)
	_, err := db.Exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
		INSERT INTO `+store.NohistTable+` SELECT 'make-4.1-r0', 'core2-64', 'checksum-' || i, i FROM n`, n)
	if err != nil {
		b.Fatal(err)
	}
}
