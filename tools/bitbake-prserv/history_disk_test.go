package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prserver/prserv/history"
	"prserver/tools/internal/scripttest"
)

// TestHistoryOnFullDisk keeps the history on a disk of its own that becomes full.
// Values are given out all the same, and with some room the history goes on and
// has them all.
func TestHistoryOnFullDisk(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "prserv.sqlite3")
	const mount = `mount -t tmpfs -o size=32m none "$1" && head -c 32500k /dev/zero >"$1/ballast" && shift && exec "$@"`
	unshare := []string{"--mount"}
	if exec.Command("unshare", append(unshare, "true")...).Run() != nil {
		unshare = append(unshare, "--map-root-user")
		if out, err := exec.Command("unshare", append(unshare, "true")...).CombinedOutput(); err != nil {
			t.Skipf("this machine lets no program have mounts of its own: %v: %s", err, out)
		}
	}
	p, serving := launch(t, exec.Command("unshare", append(unshare, "sh", "-c", mount, "sh", dir,
		"bitbake-prserv", "--foreground", "--host", "127.0.0.1", "--port", "0", "--file", file, "--history", filepath.Join(dir, "history"))...))
	select {
	case m := <-serving:
		p.addr = net.JoinHostPort(m[2], m[3])
	case <-time.After(scripttest.Patience):
		t.Fatalf("the server does not say that it serves:\n%s", p.said())
	}
	prs := ask(p.addr)
	given, long := 0, strings.Repeat("v", 3000)
	give := func(n int) {
		t.Helper()
		for range n {
			if v, err := prs.GetPR(t.Context(), long, "all", fmt.Sprint(given)); err != nil || v != int64(given) {
				t.Fatalf("got %d, %v; want %d", v, err, given)
			}
			given++
		}
	}
	scripttest.WaitFor(t, "the full disk", func() bool {
		give(10)
		return strings.Contains(p.said(), "The history stops, and values are given out as before: writing the history "+
			dir+"/history: database or disk is full; free some space there")
	})
	give(50)
	seen := filepath.Join("/proc", fmt.Sprint(p.pid()), "root", dir)
	if err := os.Remove(filepath.Join(seen, "ballast")); err != nil {
		t.Fatal(err)
	}
	scripttest.WaitFor(t, "the history to go on", func() bool { return strings.Contains(p.said(), "goes on; events missing: 0") })
	scripttest.WaitFor(t, "all events", func() bool {
		// SQLite would look for the file without the process.
		copied, err := copyDatabase(filepath.Join(seen, "history"), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		err = history.Read(t.Context(), copied, history.Filter{}, func(history.Event) error { n++; return nil })
		return err == nil && n == given // a copy may be of two moments
	})
}
