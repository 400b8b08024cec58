package status_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"prserver/prserv"
	"prserver/prserv/client"
	"prserver/prserv/history"
	"prserver/prserv/prservtest"
	"prserver/prserv/status"
	"prserver/prserv/store"
)

// hostile is the name of a package.
const hostile = `<script>alert(1)</script>"'&`

// pages is a server whose status has everything.
type pages struct {
	*prservtest.Server
	status *status.Status
	past   *history.Recorder
	log    *slog.Logger
}

// servePages serves a new file with a status, and a history if one is wanted.
func servePages(t testing.TB, withHistory bool) *pages {
	t.Helper()
	file := prservtest.NewFile(t)
	prservtest.Make(t, file)
	fill(t, file, "linux-yocto-6.6.21+gitAUTOINC+abc-r0", 1100)
	heard := &status.Heard{}
	p := &pages{log: heard.Listen(slog.New(slog.DiscardHandler))}
	cfg := status.Config{
		File: file, Address: "192.0.2.1:8585", Heard: heard, Log: p.log,
		Ready:       func() error { return p.DB.Ready() },
		Connections: func() (int, int, int) { return p.Connections() },
	}
	if withHistory {
		var err error
		cfg.History = filepath.Join(filepath.Dir(file), "history.sqlite3")
		if p.past, err = history.Open(cfg.History, history.Options{Log: p.log}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.past.Close() })
	}
	// The store is open once the server serves.
	values := &lateStore{}
	cfg.Values = values
	p.status = status.New(cfg)
	p.Server = prservtest.ServeConfig(t, file, prserv.Config{Observer: p.status, Askers: true})
	values.Values = p.DB
	p.DB.Observe(p)
	return p
}

// lateStore is set once it is there.
type lateStore struct{ status.Values }

// Committed implements [store.Observer].
func (p *pages) Committed(c store.Commit) {
	p.status.Committed(c)
	if p.past != nil {
		p.past.Committed(c)
	}
}

// makeBusy gives values to clients of three generations, has troubles and
// warnings, and makes an hour pass.
func (p *pages) makeBusy(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	begun := time.Now().Add(-75 * time.Minute)
	p.status.Begin(begun)
	for i := range uint64(75) {
		calls := 400 + (i*i*37)%300 + i%7*90
		if i > 20 && i < 32 {
			calls = 12
		}
		failed := uint64(0)
		if i == 50 || i == 51 {
			failed = 40 - 20*(i-50)
		}
		p.status.Minute(begun.Add(time.Duration(i+1)*time.Minute), calls, calls/9, failed)
	}
	p.status.Counted()
	old, lines := p.Client(), client.NewJSONLines(p.Addr, client.Timeout)
	t.Cleanup(lines.Close)
	for i := range 12 {
		for _, recipe := range []string{"bash-5.2.15-r0", "zlib-1.3-r0", "libxml2-2.11.5-r0", "libx11-1.8.6-r0", "libgcc-13.2.0-r0", "gtk+3-3.24.38-r0"} {
			if _, err := old.GetPR(ctx, recipe, "core2-64", fmt.Sprintf("%064x", i*7919+len(recipe))); err != nil {
				t.Fatal(err)
			}
		}
	}
	get := func(version, pkgarch string, i int, generation int) {
		t.Helper()
		checksum := fmt.Sprintf("%064x", uint64(i+1)*0x9e3779b97f4a7c15)
		var err error
		switch generation {
		case 1:
			_, err = old.GetPR(ctx, version, pkgarch, checksum)
		case 2:
			_, err = lines.GetPR(ctx, version, pkgarch, checksum, nil)
		case 3:
			history := i%2 == 0
			_, err = lines.GetPR(ctx, version, pkgarch, checksum, &history)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 {
		get("openssl-3.0.12-r0", "core2-64", i, 1)
		get("openssl-3.0.12-r0", "cortexa57", i, 1+i%2)
	}
	for i := range 5 {
		get("openssl-3.1.4-r0", "core2-64", i, 2)
	}
	for i := range 3 {
		get("openssl-3.10.1-r0", "core2-64", i, 3)
	}
	get("openssl-3.0.12-r0", "core2-64", 0, 1) // it is raised, and 0 replaced
	get("AUTOINC-openssl-3.1.4+git", "core2-64", 0, 1)
	get("openssl-native-3.1.4-r0", "x86_64", 0, 1)
	for i, value := range []int64{40, 12} {
		if _, err := old.ImportOne(ctx, "openssl-3.1.4-r0", "core2-64", fmt.Sprintf("%064x", 0xabc+i), value); err != nil {
			t.Fatal(err)
		}
	}
	get("bash-5.2.15-r0", "core2-64", 99, 1)
	get(hostile+"-1.0-r0", "all", 1, 1)
	get("systemd-1_255.4-r0", "core2-64", 1, 3)
	p.log.Warn("The database /srv/prserv/prserv.sqlite3 is on a network file system (nfs), whose locks may fail; keep it on a local disk")
	for i, version := range []string{"glibc-2.38-r0", "systemd-1_255.4-r0", hostile + "-1.0-r0"} {
		p.log.Error("database or disk is full", "method", "getPR", "version", version, "pkgarch", "core2-64",
			"client", fmt.Sprintf("192.0.2.%d:40000", 7+i), "file", "/srv/prserv/prserv.sqlite3")
	}
	p.log.Error("database or disk is full: 212 more like this within 1m0s", "client", "192.0.2.7")
}

// fill stores a version with as many checksums.
func fill(t testing.TB, file, version string, checksums int) {
	t.Helper()
	prservtest.Execute(t, prservtest.Outside(t, file), fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO %s SELECT '%s', 'qemux86_64', printf('%%064x', i * 7919), i FROM n`, checksums-1, store.NohistTable, version))
}
