package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/client"
	"prserver/prserv/store/sqlite"
)

// TestRestartFailsNoCall restarts the server twenty times under load, with a
// socket that stays open as systemd's does: BitBake does not try again, so no
// call may fail, and what was answered must not be forgotten.
func TestRestartFailsNoCall(t *testing.T) {
	const restarts, clients = 20, 8
	addr, socket := keptSocket(t)
	file := filepath.Join(t.TempDir(), "prserv.sqlite3")
	prs := client.New(addr, 60*time.Second)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var load sync.WaitGroup
	var answered atomic.Int64
	answers := make([]map[string]int64, clients)
	for c := range clients {
		answers[c] = map[string]int64{}
		load.Add(1)
		go func() {
			defer load.Done()
			for i := 0; ctx.Err() == nil; i++ {
				checksum := fmt.Sprintf("%d-%d", c, i)
				v, err := prs.GetPR(context.WithoutCancel(ctx), "v", "all", checksum)
				if err != nil {
					t.Errorf("getPR of %s: %v", checksum, err)
					return
				}
				answers[c][checksum] = v
				answered.Add(1)
			}
		}()
	}
	for range restarts {
		server := startOn(t, socket, file)
		for enough := answered.Load() + 100; answered.Load() < enough && !t.Failed(); {
			time.Sleep(time.Millisecond)
		}
		if err := server.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := server.Wait(); err != nil {
			t.Fatalf("the server ended with %v, want 0", err)
		}
	}
	server := startOn(t, socket, file)
	cancel()
	load.Wait()
	checkIssued(t, file, answers)
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server ended with %v, want 0", err)
	}
}

// keptSocket listens at an address. The socket stays open until the test ends,
// so that clients wait while there is no server.
func keptSocket(t *testing.T) (addr string, socket *os.File) {
	t.Helper()
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if socket, err = ln.File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return ln.Addr().String(), socket
}

// startOn starts a server that gets its socket as systemd would hand it over.
// The program is the one that TestMain has put into PATH.
func startOn(t *testing.T, socket *os.File, file string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"`, "sh",
		"bitbake-prserv", "--foreground", "--file", file, "--loglevel", "ERROR")
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

// checkIssued opens the file and looks for every value that was answered. As
// no checksum was asked for twice, no two may share a value.
func checkIssued(t *testing.T, file string, answers []map[string]int64) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	holder := map[int64]string{}
	for _, issued := range answers {
		for checksum, v := range issued {
			if other, ok := holder[v]; ok {
				t.Errorf("%s and %s both got %d", checksum, other, v)
			}
			holder[v] = checksum
		}
	}
	if len(holder) == 0 {
		t.Fatal("no value was issued")
	}
	var dump strings.Builder
	if err := store.Dump(t.Context(), &dump); err != nil {
		t.Fatal(err)
	}
	stored := storedValues(t, dump.String())
	for v, checksum := range holder {
		if stored[checksum] != v {
			t.Errorf("%s was answered %d, stored is %d", checksum, v, stored[checksum])
		}
	}
	t.Logf("%d values issued", len(holder))
}

var insertedRow = regexp.MustCompile(`VALUES\('v','all','([^']*)',(\d+)\);`)

// storedValues reads the values of a dump of keys that need no quoting.
func storedValues(t *testing.T, dump string) map[string]int64 {
	t.Helper()
	values := map[string]int64{}
	for _, m := range insertedRow.FindAllStringSubmatch(dump, -1) {
		var v int64
		if _, err := fmt.Sscan(m[2], &v); err != nil {
			t.Fatal(err)
		}
		values[m[1]] = v
	}
	return values
}
