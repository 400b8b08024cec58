package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"prserver/prserv/store"
	"prserver/prserv/store/batch"
	"prserver/prserv/store/postgres"
	"prserver/prserv/store/postgres/pgtest"
)

// databaseCases are calls of a server of PostgreSQL, with the goals of the ratios
// to a server of a file.
var databaseCases = []callCase{
	{name: "known", rate: atLeast(0.75)},
	{name: "new", newPercent: 100, rate: atLeast(0.75)},
	{name: "known, keep-alive", keepAlive: true, rate: atLeast(0.50)},
	{name: "new, keep-alive", newPercent: 100, keepAlive: true, rate: atLeast(0.75)},
}

// databaseBench is a cluster and what is measured with it.
type databaseBench struct {
	*tables
	cluster *pgtest.Cluster
	ratios  figures
}

// postgres measures the store in PostgreSQL, alone and behind a server.
func (t *tables) postgres(ctx context.Context, dir string) error {
	// On the same disk as the files, with what a loaded PostgreSQL is given.
	cluster, err := pgtest.New(t.dir, "max_wal_size = 4GB", "shared_buffers = 128MB")
	if err != nil {
		return err
	}
	defer cluster.Remove()
	t.say("started PostgreSQL at %s", cluster.Addr())
	b := &databaseBench{tables: t, cluster: cluster}
	for _, part := range []func(context.Context, string) error{b.alone, b.served, b.grown} {
		if err := part(ctx, dir); err != nil {
			return err
		}
	}
	load, _ := os.ReadFile("/proc/loadavg") // without it there is nothing to tell
	fmt.Fprintf(t.stdout, "**PostgreSQL**: %d clients, rounds: %d, each load measured for %v; load of the machine at the end: %.14s\n\n",
		t.load.Clients, t.rounds, t.load.Duration, load)
	b.ratios.write(t.stdout, "getPR, ratio")
	return nil
}

// rate returns how many calls a second the clients make.
func (b *databaseBench) rate(ctx context.Context, call func(ctx context.Context, n int64) error) (float64, error) {
	var n, counted atomic.Int64
	var all sync.WaitGroup
	errs := make(chan error, b.load.Clients)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for range b.load.Clients {
		all.Add(1)
		go func() {
			defer all.Done()
			for ctx.Err() == nil {
				if err := call(context.WithoutCancel(ctx), n.Add(1)); err != nil {
					errs <- err
					stop()
					return
				}
				counted.Add(1)
			}
		}()
	}
	wait := func(d time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	wait(b.load.Warmup)
	before, begun := counted.Load(), time.Now()
	wait(b.load.Duration)
	rate := float64(counted.Load()-before) / time.Since(begun).Seconds()
	stop()
	all.Wait()
	select {
	case err := <-errs:
		return 0, err
	default:
		return rate, nil
	}
}

// benchKey is the key of a call: one of 2,000 packages, and a checksum as long as
// BitBake's, in no order.
func benchKey(n int64) store.Key {
	return store.Key{Version: fmt.Sprint("package-", n%2000, "-r0"), Pkgarch: "core2-64",
		Checksum: fmt.Sprintf("%016x%048x", uint64(n)*0x9E3779B97F4A7C15, n)}
}

// getNew returns a call that asks stores, one after the other, for new values of
// so many packages, or of all.
func getNew(packages int64, stores ...*postgres.Store) func(ctx context.Context, n int64) error {
	return func(ctx context.Context, n int64) error {
		k := benchKey(n)
		if packages > 0 {
			k.Version = fmt.Sprint("package-", n%packages, "-r0")
		}
		_, err := stores[n%int64(len(stores))].GetPR(ctx, k, store.Mode{})
		return err
	}
}

// open opens a database of its own so many times.
func (b *databaseBench) open(ctx context.Context, times int) (url string, stores []*postgres.Store, closeAll func(), err error) {
	closeAll = func() {
		for _, s := range stores {
			s.Close()
		}
	}
	url, err = b.cluster.NewDatabase()
	for range times {
		var s *postgres.Store
		if err == nil {
			s, err = postgres.Open(ctx, url, false)
		}
		if err == nil {
			stores = append(stores, s)
		}
	}
	return url, stores, closeAll, err
}

const sqlBare = `CREATE TABLE bare (version text COLLATE "C", pkgarch text COLLATE "C", checksum text COLLATE "C", value bigint, PRIMARY KEY (version, pkgarch, checksum))`

// alone measures the store without a server, beside the least that PostgreSQL has
// to do.
func (b *databaseBench) alone(ctx context.Context, _ string) error {
	for round := range b.rounds {
		b.say("round %d of %d: the store alone", round+1, b.rounds)
		url, stores, closeAll, err := b.open(ctx, 2)
		defer closeAll()
		if err != nil {
			return err
		}
		batched, rows, closeBare, err := b.bare(ctx, url)
		defer closeBare()
		if err != nil {
			return err
		}
		var rates [6]float64
		for i, call := range []func(context.Context, int64) error{
			batched, rows, getNew(0, stores[0]), getNew(0, stores...), getNew(1, stores[0]), getNew(1, stores...),
		} {
			if rates[i], err = b.rate(ctx, elsewhere(call, int64(i)<<40)); err != nil {
				return err
			}
		}
		closeAll()
		closeBare()
		b.ratios.add("new, the store alone, to one INSERT for all that wait", atLeast(0.55), quotient(rates[2], rates[0]))
		b.ratios.add("new, the store alone, to an INSERT a row", atLeast(1.4), quotient(rates[2], rates[1]))
		b.ratios.add("new, two servers to one", atLeast(0.75), quotient(rates[3], rates[2]))
		b.ratios.add("new, two servers to one, one package", atLeast(0.70), quotient(rates[5], rates[4]))
	}
	return nil
}

// bare returns calls that store a row and ask for nothing: in one INSERT for all
// that wait, and in one for each.
func (b *databaseBench) bare(ctx context.Context, url string) (batched, rows func(context.Context, int64) error, closeAll func(), err error) {
	conns := make(chan *pgx.Conn, b.load.Clients)
	var once sync.Once
	var batcher *batch.Batcher[int64, store.Value]
	closeAll = func() {
		once.Do(func() {
			if batcher != nil {
				batcher.Close()
			}
			for len(conns) > 0 {
				(<-conns).Close(context.Background())
			}
		})
	}
	for range cap(conns) {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return nil, nil, closeAll, err
		}
		conns <- conn
	}
	own := <-conns
	if _, err := own.Exec(ctx, sqlBare); err != nil {
		return nil, nil, closeAll, err
	}
	batcher = batch.Start(func(calls []*batch.Call[int64, store.Value]) (bool, error) {
		var texts [3][]string
		var values []int64
		for _, c := range calls {
			k := benchKey(c.Ask)
			texts[0], texts[1], texts[2] = append(texts[0], k.Version), append(texts[1], k.Pkgarch), append(texts[2], k.Checksum)
			values = append(values, c.Ask)
		}
		_, err := own.Exec(context.Background(), `INSERT INTO bare SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])`,
			texts[0], texts[1], texts[2], values)
		return false, err
	}, nil)
	batched = func(ctx context.Context, n int64) error { _, err := batcher.Do(ctx, n); return err }
	rows = func(ctx context.Context, n int64) error {
		conn := <-conns
		defer func() { conns <- conn }()
		k := benchKey(n)
		_, err := conn.Exec(ctx, `INSERT INTO bare VALUES ($1, $2, $3, $4)`, k.Version, k.Pkgarch, k.Checksum, n)
		return err
	}
	return batched, rows, closeAll, nil
}

// served measures a server of PostgreSQL beside one of a file.
func (b *databaseBench) served(ctx context.Context, dir string) error {
	file, err := b.ours.start(ctx, dir, "file")
	if err != nil {
		return err
	}
	defer b.stop(file)
	url, err := b.cluster.NewDatabase()
	if err != nil {
		return err
	}
	shared, err := b.ours.start(ctx, dir, "shared", "--database", url)
	if err != nil {
		return err
	}
	defer b.stop(shared)
	for round := range b.rounds {
		for _, c := range databaseCases {
			l := b.load
			l.NewPercent, l.KeepAlive = c.newPercent, c.keepAlive
			b.say("round %d of %d: getPR %s, of a file and of PostgreSQL", round+1, b.rounds, c.name)
			of, err := b.measure(ctx, l, file, noTick)
			if err != nil {
				return err
			}
			is, err := b.measure(ctx, l, shared, noTick)
			if err != nil {
				return err
			}
			b.ratios.add(c.name+", a server, to one of a file", c.rate, quotient(is.CallsPerSecond, of.CallsPerSecond))
		}
	}
	return nil
}

const (
	// sqlFillGroups and sqlFillValues make rows, groupSize for each package.
	sqlFillGroups = `INSERT INTO prgroup (version, pkgarch, greatest, holder)
		SELECT 'grown-' || n || '-r0', 'core2-64', ARRAY[$1::bigint - 1], md5(n || '-' || $1::bigint - 1) FROM generate_series(1, $2::bigint) AS n`
	sqlFillValues = `INSERT INTO prvalue (group_id, checksum, value)
		SELECT g.id, md5(substr(g.version, 7, length(g.version) - 9) || '-' || v), ARRAY[v] FROM prgroup AS g, generate_series(0, $1::bigint - 1) AS v
		WHERE g.version LIKE 'grown-%'`
)

// grown measures a database with many rows beside an empty one, and a dump of it.
func (b *databaseBench) grown(ctx context.Context, _ string) error {
	_, small, closeSmall, err := b.open(ctx, 1)
	defer closeSmall()
	if err != nil {
		return err
	}
	url, big, closeBig, err := b.open(ctx, 1)
	defer closeBig()
	if err != nil {
		return err
	}
	b.say("filling a database with %d rows", b.rows)
	if err := b.fill(ctx, url); err != nil {
		return err
	}
	known := func(s *postgres.Store) func(context.Context, int64) error {
		return func(ctx context.Context, n int64) error {
			_, err := s.GetPR(ctx, store.Key{Version: fmt.Sprint("known-", n%2000), Pkgarch: "core2-64", Checksum: "known"}, store.Mode{})
			return err
		}
	}
	for round := range b.rounds {
		b.say("round %d of %d: a database with many rows", round+1, b.rounds)
		var rates [4]float64
		for i, call := range []func(context.Context, int64) error{
			getNew(0, small[0]), getNew(0, big[0]), known(small[0]), known(big[0]),
		} {
			if rates[i], err = b.rate(ctx, elsewhere(call, int64(round*4+i)<<40)); err != nil {
				return err
			}
		}
		b.ratios.add(fmt.Sprintf("new, %d rows to none", b.rows), atLeast(0.75), quotient(rates[1], rates[0]))
		b.ratios.add(fmt.Sprintf("known, %d rows to none", b.rows), atLeast(0.8), quotient(rates[3], rates[2]))
		begun := time.Now()
		if err := big[0].Dump(ctx, io.Discard); err != nil {
			return err
		}
		b.ratios.add("a dump of all", none.in("s"), time.Since(begun).Seconds())
	}
	return nil
}

// elsewhere makes a call with other numbers, so that new values are new.
func elsewhere(call func(context.Context, int64) error, by int64) func(context.Context, int64) error {
	return func(ctx context.Context, n int64) error { return call(ctx, n+by) }
}

// fill stores many rows.
func (b *databaseBench) fill(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, sqlFillGroups, groupSize, b.rows/groupSize); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, sqlFillValues, groupSize); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "ANALYZE")
	return err
}
