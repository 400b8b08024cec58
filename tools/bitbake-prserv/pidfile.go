package main

import (
	"fmt"
	"io"
	"os"

	"prserver/compat"
)

// pidFile is the pid file of the server at an address.
type pidFile struct {
	path string
	// isServer reports whether a process can be that server.
	isServer func(pid int) bool
}

// pidFileOf returns the pid file of the server at ip and port. The default name
// of a pid file holds the address, so a process that listens only elsewhere is
// not its server. A file named with --pidfile can be that of any server.
func pidFileOf(opts compat.Options, ip string, port int) pidFile {
	if opts.PidFile != "" {
		return pidFile{opts.PidFile, compat.IsServer}
	}
	return pidFile{compat.PidFile(ip, port), func(pid int) bool {
		return compat.IsServer(pid) && !compat.IsServerElsewhere(pid, ip, port)
	}}
}

// check returns an error if the server is running, or if the file is no pid
// file.
func (f pidFile) check() error {
	pid, err := compat.ReadPid(f.path)
	if err != nil {
		return err
	}
	if pid != 0 && f.isServer(pid) {
		return fmt.Errorf("pidfile %s already exist. Daemon already running?", f.path)
	}
	return nil
}

// clear does what check does, and removes the file if its server has ended.
func (f pidFile) clear(stderr io.Writer) error {
	if err := f.check(); err != nil || !f.exists() {
		return err
	}
	return f.removeStale(stderr, "replaced")
}

// removeStale removes the file of a server that has ended, and writes a warning
// to stderr: that the file "is removed" or "is replaced", as done says.
func (f pidFile) removeStale(stderr io.Writer, done string) error {
	pid, err := compat.ReadPid(f.path)
	if err != nil {
		return err
	}
	if err := compat.RemoveStalePid(f.path); err != nil {
		return err
	}
	what := fmt.Sprintf("named process %d, which is not this PR server", pid)
	if pid == 0 {
		what = "was empty"
	}
	fmt.Fprintf(stderr, "WARNING: pidfile %s %s; it is %s\n", f.path, what, done)
	return nil
}

func (f pidFile) exists() bool {
	_, err := os.Lstat(f.path)
	return err == nil
}
