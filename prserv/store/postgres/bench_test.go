package postgres_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
	"prserver/prserv/store/batch"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
	"prserver/prserv/store/sqlite"
)

// Each benchmark has 32 callers and 2,000 packages. Only those of one run can be
// compared.
const benchPackages = 2000

func inParallel(b *testing.B, call func(n int64) error) {
	b.Helper()
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := call(n.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func benchKey(n int64, checksum string) store.Key {
	return store.Key{Version: fmt.Sprint("package-", n%benchPackages, "-r0"), Pkgarch: "core2-64", Checksum: checksum}
}

// checksum is as long as those of BitBake, and in no order.
func checksum(n int64) string { return fmt.Sprintf("%016x%048x", uint64(n)*0x9E3779B97F4A7C15, n) }

func benchNew(b *testing.B, s store.Store) {
	b.Helper()
	inParallel(b, func(n int64) error {
		_, err := s.GetPR(b.Context(), benchKey(n, checksum(n)), store.Mode{})
		return err
	})
}

func benchKnown(b *testing.B, s store.Store) {
	b.Helper()
	for n := range int64(benchPackages) {
		if _, err := s.ImportOne(b.Context(), benchKey(n, "known"), int64(7)); err != nil {
			b.Fatal(err)
		}
	}
	inParallel(b, func(n int64) error {
		_, err := s.GetPR(b.Context(), benchKey(n, "known"), store.Mode{})
		return err
	})
}

func benchStore(b *testing.B) *postgres.Store { return open(b, pgtest.Database(b)) }

func benchSQLite(b *testing.B) store.Store {
	b.Helper()
	s, err := sqlite.Open(b.Context(), b.TempDir()+"/db", false)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func BenchmarkNew(b *testing.B)         { benchNew(b, benchStore(b)) }
func BenchmarkNewSQLite(b *testing.B)   { benchNew(b, benchSQLite(b)) }
func BenchmarkKnown(b *testing.B)       { benchKnown(b, benchStore(b)) }
func BenchmarkKnownSQLite(b *testing.B) { benchKnown(b, benchSQLite(b)) }

// BenchmarkNewTwoServers has two stores of one database.
func BenchmarkNewTwoServers(b *testing.B) {
	url := pgtest.Database(b)
	stores := []store.Store{open(b, url), open(b, url)}
	inParallel(b, func(n int64) error {
		_, err := stores[n%2].GetPR(b.Context(), benchKey(n/2+n%2*benchPackages/2, checksum(n)), store.Mode{})
		return err
	})
}

// BenchmarkNewOnePackage has all callers ask for one package.
func BenchmarkNewOnePackage(b *testing.B) {
	s := benchStore(b)
	inParallel(b, func(n int64) error {
		_, err := s.GetPR(b.Context(), benchKey(0, checksum(n)), store.Mode{})
		return err
	})
}

const sqlBare = `CREATE TABLE bare (version text COLLATE "C", pkgarch text COLLATE "C", checksum text COLLATE "C", value bigint, PRIMARY KEY (version, pkgarch, checksum))`

// BenchmarkBareBatched is the least that a server can do: one INSERT for all that
// wait, without asking for anything.
func BenchmarkBareBatched(b *testing.B) {
	url := pgtest.Database(b)
	pgtest.Execute(b, url, sqlBare)
	conn := pgtest.Connect(b, url)
	batcher := batch.Start(func(calls []*batch.Call[int64, store.Value]) (bool, error) {
		var versions, pkgarchs, checksums []string
		var values []int64
		for _, c := range calls {
			k := benchKey(c.Ask, checksum(c.Ask))
			versions, pkgarchs, checksums = append(versions, k.Version), append(pkgarchs, k.Pkgarch), append(checksums, k.Checksum)
			values = append(values, c.Ask)
		}
		_, err := conn.Exec(context.Background(), `INSERT INTO bare SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])`,
			versions, pkgarchs, checksums, values)
		return false, err
	}, nil)
	defer batcher.Close()
	inParallel(b, func(n int64) error { _, err := batcher.Do(b.Context(), n); return err })
}

// BenchmarkBareRow is a program that has a transaction for each row.
func BenchmarkBareRow(b *testing.B) {
	url := pgtest.Database(b)
	pgtest.Execute(b, url, sqlBare)
	conns := make(chan *pgx.Conn, 32)
	for range cap(conns) {
		conns <- pgtest.Connect(b, url)
	}
	inParallel(b, func(n int64) error {
		conn := <-conns
		defer func() { conns <- conn }()
		k := benchKey(n, checksum(n))
		_, err := conn.Exec(b.Context(), `INSERT INTO bare VALUES ($1, $2, $3, $4)`, k.Version, k.Pkgarch, k.Checksum, n)
		return err
	})
}
