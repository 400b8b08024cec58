package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"prserver/tools/internal/scripttest"
)

// The addresses of the two network namespaces of a test. They are reserved for
// documentation.
const (
	serverIP = "192.0.2.1"
	clientIP = "192.0.2.2"
)

// TestRemoteQuit sends quit to a server from another address than its own.
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
			p, _ := launch(t, cmd)
			said := quitFrom(t, client, addr)
			if test.ends {
				if !strings.Contains(said, "quit: <nil>") {
					t.Errorf("quit was not answered: %s", said)
				}
				p.wait(t)
				return
			}
			if !strings.Contains(said, "--allow-remote-quit") {
				t.Errorf("quit got no fault that says why: %s", said)
			}
			if said := quitFrom(t, server, addr); !strings.Contains(said, "quit: <nil>") {
				t.Errorf("quit from the own machine was not answered: %s", said)
			}
			p.wait(t)
		})
	}
}

// quitFrom waits until a server listens, sends quit from a namespace, and returns
// what came of it.
func quitFrom(t *testing.T, namespace, addr string) (said string) {
	t.Helper()
	scripttest.WaitFor(t, "a listener", func() bool {
		out, err := exec.Command("ip", "netns", "exec", namespace, "quitter", addr).CombinedOutput()
		if err != nil {
			t.Fatalf("the client in %s: %v\n%s", namespace, err, out)
		}
		said = string(out)
		return !strings.Contains(said, "connection refused")
	})
	return said
}

// twoHosts makes two network namespaces with a link between them. It skips the
// test if the machine refuses the first namespace or the link.
func twoHosts(t *testing.T) (server, client string) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skipf("no network namespaces without iproute2: %v", err)
	}
	server = fmt.Sprintf("prserv-a-%d", os.Getpid())
	client = fmt.Sprintf("prserv-b-%d", os.Getpid())
	ip := func(line string) error {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
		return nil
	}
	for i, namespace := range []string{server, client} {
		switch err := ip("netns add " + namespace); {
		case err != nil && i == 0:
			t.Skipf("this machine allows no network namespaces: %v", err)
		case err != nil:
			t.Fatal(err)
		}
		t.Cleanup(func() { exec.Command("ip", "netns", "del", namespace).Run() })
	}
	if err := ip("link add veth0 netns " + server + " type veth peer name veth0 netns " + client); err != nil {
		t.Skipf("this machine allows no links between network namespaces: %v", err)
	}
	for _, line := range []string{
		"-n " + server + " addr add " + serverIP + "/24 dev veth0",
		"-n " + client + " addr add " + clientIP + "/24 dev veth0",
		"-n " + server + " link set lo up",
		"-n " + server + " link set veth0 up",
		"-n " + client + " link set veth0 up",
	} {
		if err := ip(line); err != nil {
			t.Fatal(err)
		}
	}
	return server, client
}
