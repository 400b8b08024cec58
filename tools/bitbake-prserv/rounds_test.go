package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/client"
	"prserver/prserv/linear"
	"prserver/prserv/store"
	"prserver/prserv/store/postgres/pgtest"
	"prserver/tools/internal/scripttest"
)

// fleet are three servers of one database, and two PostgreSQL of which one is the
// synchronous standby of the other. The servers reach each through a proxy.
type fleet struct {
	t       *testing.T
	url     string // of the primary, past the proxies
	primary *pgtest.Cluster
	standby *pgtest.Cluster
	proxies map[*pgtest.Cluster]*pgtest.Proxy

	addrs    []string
	sockets  []*os.File
	servers  []*program
	database string       // the URL that the servers have
	broken   atomic.Int64 // counts connections that broke
}

const sessions = "FROM pg_stat_activity WHERE application_name = 'bitbake-prserv'"

func startFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{t: t, primary: pgtest.Start(t), proxies: map[*pgtest.Cluster]*pgtest.Proxy{}}
	f.url = f.primary.Database(t)
	// A standby takes the setting over, for when it is the primary.
	pgtest.Execute(t, f.primary.URL("postgres"), "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
	f.standby = f.primary.Standby(t)
	f.waitForStandby()
	var hosts []string
	for _, c := range []*pgtest.Cluster{f.primary, f.standby} {
		f.proxies[c] = pgtest.NewProxy(t, c.Addr())
		hosts = append(hosts, f.proxies[c].Addr)
	}
	f.database = strings.Replace(f.url, f.primary.Addr(), strings.Join(hosts, ","), 1)
	for range 3 {
		addr, socket := keptSocket(t)
		f.addrs, f.sockets = append(f.addrs, addr), append(f.sockets, socket)
		f.servers = append(f.servers, startWith(t, socket, "--database", f.database))
	}
	return f
}

func (f *fleet) waitForStandby() {
	f.t.Helper()
	pgtest.WaitForRow(f.t, f.primary.URL("postgres"), "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
}

// eachProxy does something with both proxies.
func (f *fleet) eachProxy(do func(p *pgtest.Proxy)) {
	for _, p := range f.proxies {
		do(p)
	}
}

// failOver kills the primary and promotes the standby, which gets a new one.
func (f *fleet) failOver() {
	old := f.primary
	old.Stop(syscall.SIGKILL)
	f.standby.Promote(f.t)
	f.url = strings.Replace(f.url, old.Addr(), f.standby.Addr(), 1)
	f.primary, f.standby = f.standby, f.standby.Standby(f.t)
	proxy := f.proxies[old]
	delete(f.proxies, old)
	proxy.Redirect(f.standby.Addr())
	f.proxies[f.standby] = proxy
	old.Remove()
	f.waitForStandby()
}

// faults are what happens while clients ask.
var faults = []struct {
	name   string
	breaks bool // connections of clients break
	do     func(f *fleet) error
}{
	{"a server is killed", true, func(f *fleet) error {
		n := rand.IntN(len(f.servers))
		f.servers[n].kill(f.t)
		f.servers[n] = startWith(f.t, f.sockets[n], "--database", f.database)
		return nil
	}},
	{"PostgreSQL crashes", false, func(f *fleet) error { return f.primary.Restart(syscall.SIGQUIT) }},
	{"the standby takes over", false, func(f *fleet) error { f.failOver(); return nil }},
	{"sessions are ended", false, func(f *fleet) error {
		pgtest.Execute(f.t, f.url, "SELECT pg_terminate_backend(pid, 10000) "+sessions)
		return nil
	}},
	{"answers are lost", false, func(f *fleet) error {
		p := f.proxies[f.primary]
		p.LoseAnswers(3)
		defer p.LoseAnswers(0)
		enough := p.Lost() + 5
		scripttest.WaitFor(f.t, "lost answers", func() bool { return p.Lost() >= enough })
		return nil
	}},
	{"PostgreSQL is killed", false, func(f *fleet) error { return f.primary.Restart(syscall.SIGKILL) }},
	{"statements are cancelled", false, func(f *fleet) error {
		for range 5 {
			pgtest.Execute(f.t, f.url, "SELECT pg_cancel_backend(pid) "+sessions)
		}
		return nil
	}},
	{"connections are cut", false, func(f *fleet) error {
		f.eachProxy((*pgtest.Proxy).Cut)
		return nil
	}},
	{"connections are closed by half", false, func(f *fleet) error {
		f.eachProxy((*pgtest.Proxy).HalfClose)
		return nil
	}},
	{"the network is slow, and breaks", false, func(f *fleet) error {
		f.eachProxy(func(p *pgtest.Proxy) { p.Delay(20 * time.Millisecond) })
		pgtest.Execute(f.t, f.url, "SELECT pg_sleep(0.1)")
		f.eachProxy(func(p *pgtest.Proxy) { p.Cut(); p.Delay(0) })
		return nil
	}},
	{"the standby ends", false, func(f *fleet) error { return f.standby.Restart(syscall.SIGQUIT) }},
}

// TestFaults has clients of all generations ask three servers of one PostgreSQL,
// while something fails. No call fails but those of a server that is killed, and
// all answers fit one order.
func TestFaults(t *testing.T) {
	rounds := 5
	if scripttest.IsLong() {
		rounds = 100
	}
	f := startFleet(t)
	for round := range rounds {
		fault := faults[round%len(faults)]
		broken, begun := f.broken.Load(), time.Now()
		err := linear.CheckFault(t.Context(), f, f.stored, fmt.Sprintf("round%d-", round), func() error { return fault.do(f) })
		broken = f.broken.Load() - broken
		if err != nil {
			t.Fatalf("round %d, %s: %v", round, fault.name, err)
		}
		if !fault.breaks && broken > 0 {
			t.Errorf("round %d, %s: %d connections of clients broke", round, fault.name, broken)
		}
		t.Logf("round %d, %s: %d connections broke, %v", round, fault.name, broken, time.Since(begun).Round(time.Millisecond))
	}
	for _, s := range f.servers {
		for line := range strings.Lines(s.said()) {
			if !saysOfOutage.MatchString(line) {
				t.Errorf("a server says: %s", line)
			}
		}
	}
}

// saysOfOutage finds the lines in which a server tells that PostgreSQL was away.
var saysOfOutage = regexp.MustCompile(` (ERROR: PostgreSQL does not answer \(.*\): calls wait|WARNING: PostgreSQL (answers again, after|was away for short times: \d+ within) )`)

// stored reads what is stored, as [linear.Stored] says.
func (f *fleet) stored(ctx context.Context, version string) (found []client.Row, err error) {
	rows, err := pgtest.Connect(f.t, f.url).Query(ctx, `SELECT g.pkgarch, w.checksum, max(w.value[1]) FROM prvalue AS w
		JOIN prgroup AS g ON g.id = w.group_id WHERE g.version = $1 AND cardinality(w.value) = 1 GROUP BY g.pkgarch, w.checksum`, version)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var row client.Row
		if err := rows.Scan(&row.Pkgarch, &row.Checksum, &row.Value); err != nil {
			return nil, err
		}
		found = append(found, row)
	}
	return found, rows.Err()
}

// again makes a call of any server, and of another one where the connection
// breaks.
func again[A any](f *fleet, call func(c everyBitBake) (A, error)) (answer A, err error) {
	for n := rand.IntN(len(f.addrs)); ; n++ {
		answer, err = call(everyBitBake{ask(f.addrs[n%len(f.addrs)])})
		var fault *client.FaultError
		var invoke *asyncrpc.InvokeError
		if err == nil || errors.As(err, &fault) || errors.As(err, &invoke) || errors.Is(err, client.ErrNoValue) || errors.Is(err, errBroken) || f.t.Failed() {
			return answer, err
		}
		f.broken.Add(1)
	}
}

// GetPR implements [linear.Service].
func (f *fleet) GetPR(ctx context.Context, version, pkgarch, checksum string) (int64, error) {
	return again(f, func(c everyBitBake) (int64, error) { return c.GetPR(ctx, version, pkgarch, checksum) })
}

// ImportOne implements [linear.Service].
func (f *fleet) ImportOne(ctx context.Context, version, pkgarch, checksum string, value int64) (int64, error) {
	return again(f, func(c everyBitBake) (int64, error) { return c.ImportOne(ctx, version, pkgarch, checksum, value) })
}

// Export implements [linear.Service].
func (f *fleet) Export(ctx context.Context, filter store.Filter, columns bool) (*client.Exported, error) {
	return again(f, func(c everyBitBake) (*client.Exported, error) { return c.Export(ctx, filter, columns) })
}
