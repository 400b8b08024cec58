package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"prserver/tools/internal/scripttest"
)

var statusLine = regexp.MustCompile(` NOTE: And its status: http://(.*)/\n`)

// cmdStatus asks the status of a server, whose log is in a file, for a path,
// writes what is answered to the file answer, and wants a status code.
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, args, "status LOG PATH CODE")
	code, body := askStatus(ts, args[0], args[1])
	ts.Logf("%d\n%s", code, body)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), body, 0o666))
	if strconv.Itoa(code) != args[2] {
		ts.Fatalf("%d, want %s", code, args[2])
	}
}

// askStatus asks the status of a server, whose log is in a file, for a path.
func askStatus(ts *testscript.TestScript, logFile, path string) (code int, body []byte) {
	var found []string
	scripttest.WaitFor(ts, "the status in "+logFile, func() bool {
		log, _ := os.ReadFile(ts.MkAbs(logFile)) // there may be none yet
		found = statusLine.FindStringSubmatch(string(log))
		return found != nil
	})
	ts.Setenv("STATUS", found[1])
	resp, err := http.Get("http://" + found[1] + path)
	ts.Check(err)
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	ts.Check(err)
	return resp.StatusCode, body
}

func TestStatusAddress(t *testing.T) {
	for _, test := range []struct {
		where, addr string // addr is empty if where is refused
		port        int
	}{
		{"8586", "127.0.0.1:8586", 8586},
		{":8586", "127.0.0.1:8586", 8586},
		{"0.0.0.0:0", "0.0.0.0:0", 0},
		{"[::1]:1", "[::1]:1", 1},
		{"name:1", "name:1", 1},
		{"name", "", 0},
		{"name:", "", 0},
		{"::1", "", 0},
		{"1:65536", "", 0},
		{"1:-1", "", 0},
		{"", "", 0},
	} {
		addr, port, err := statusAddress(test.where)
		if addr != test.addr || port != test.port || (err != nil) != (test.addr == "") {
			t.Errorf("%q: %q, %d, %v; want %q, %d", test.where, addr, port, err, test.addr, test.port)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: more than a line: %v", test.where, err)
		}
	}
}

// TestStatusSocket hands both sockets over, as systemd does.
func TestStatusSocket(t *testing.T) {
	addr, socket := keptSocket(t)
	statusAddr, statusSocket := keptSocket(t)
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=status:bitbake-prserv.socket exec "$@"`, "sh",
		"bitbake-prserv", "--foreground", "--file", filepath.Join(t.TempDir(), "prserv.sqlite3"), "--status", "1")
	cmd.ExtraFiles = []*os.File{statusSocket, socket}
	launch(t, cmd)
	if _, err := ask(addr).GetPR(t.Context(), "v", "all", "c"); err != nil {
		t.Error(err)
	}
	resp, err := http.Get("http://" + statusAddr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("/readyz of a socket that was handed over: %s", resp.Status)
	}
}
