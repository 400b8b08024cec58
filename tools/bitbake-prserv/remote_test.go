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

	"prserver/prserv/client"
)

// The two ends of a link between the two network namespaces of a test, from
// the addresses that documentation uses.
const (
	serverIP = "192.0.2.1"
	clientIP = "192.0.2.2"
)

// quitVariable makes TestQuitFromHere, run by another test in another
// namespace, a client of the address it holds.
const quitVariable = "PRSERV_TEST_QUIT"

func TestQuitFromHere(t *testing.T) {
	addr := os.Getenv(quitVariable)
	if addr == "" {
		return // this is no test of its own
	}
	err := client.New(addr, 10*time.Second).Quit(t.Context())
	fmt.Printf("quit: %v\n", err)
}

// TestRemoteQuit asks a server to end from a machine with another address.
func TestRemoteQuit(t *testing.T) {
	server, client := twoHosts(t)
	for _, test := range []struct {
		name    string
		options []string
		ends    bool
	}{
		{"not obeyed", nil, false},
		{"allowed", []string{"--allow-remote-quit"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			addr := net.JoinHostPort(serverIP, "8585")
			cmd := exec.Command("ip", append([]string{"netns", "exec", server, "bitbake-prserv", "--foreground",
				"--host", serverIP, "--port", "8585", "--file", filepath.Join(t.TempDir(), "db")}, test.options...)...)
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			t.Cleanup(func() { cmd.Process.Kill() })

			said := quitFrom(t, client, addr, ended)
			if test.ends {
				if !strings.Contains(said, "quit: <nil>") {
					t.Errorf("quit was not answered: %s", said)
				}
				if err := <-ended; err != nil {
					t.Errorf("the server ended with %v, want 0", err)
				}
				return
			}
			if !strings.Contains(said, "--allow-remote-quit") {
				t.Errorf("quit got no fault that says why: %s", said)
			}
			if said := quitFrom(t, server, addr, ended); !strings.Contains(said, "quit: <nil>") {
				t.Errorf("quit from the own machine was not answered: %s", said)
			}
			if err := <-ended; err != nil {
				t.Errorf("the server ended with %v, want 0", err)
			}
		})
	}
}

// quitFrom calls quit from a namespace until something listens.
func quitFrom(t *testing.T, namespace, addr string, ended <-chan error) string {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		cmd := exec.Command("ip", "netns", "exec", namespace, os.Args[0], "-test.run=^TestQuitFromHere$")
		cmd.Env = append(os.Environ(), quitVariable+"="+addr, "GORACE=atexit_sleep_ms=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("the client in %s: %v\n%s", namespace, err, out)
		}
		if !strings.Contains(string(out), "connection refused") {
			return string(out)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not listen: %s", out)
		}
	}
}

// twoHosts makes two network namespaces with a link between them.
func twoHosts(t *testing.T) (server, client string) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skipf("no network namespaces without iproute2: %v", err)
	}
	server = fmt.Sprintf("prserv-a-%d", os.Getpid())
	client = fmt.Sprintf("prserv-b-%d", os.Getpid())
	for _, namespace := range []string{server, client} {
		if out, err := exec.Command("ip", "netns", "add", namespace).CombinedOutput(); err != nil {
			t.Skipf("this machine allows no network namespaces: %s", out)
		}
		t.Cleanup(func() { exec.Command("ip", "netns", "del", namespace).Run() })
	}
	for _, line := range []string{
		"link add veth0 netns " + server + " type veth peer name veth0 netns " + client,
		"-n " + server + " addr add " + serverIP + "/24 dev veth0",
		"-n " + client + " addr add " + clientIP + "/24 dev veth0",
		"-n " + server + " link set lo up",
		"-n " + server + " link set veth0 up",
		"-n " + client + " link set veth0 up",
	} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Skipf("this machine allows no links between network namespaces: ip %s: %s", line, out)
		}
	}
	return server, client
}
