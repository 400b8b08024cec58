package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"

	"prserver/compat"
)

// pidFile is the pid file of the server at an address.
type pidFile struct {
	path    string
	address netip.AddrPort
	// anywhere is true if only --pidfile says which server is meant: it can be at
	// another address.
	anywhere bool
}

// pidFileOf returns the pid file of the server at ip and port.
func pidFileOf(opts compat.Options, ip string, port int) pidFile {
	addr, _ := netip.ParseAddr(ip) // resolve has made it
	f := pidFile{compat.PidFile(ip, port), netip.AddrPortFrom(addr, uint16(port)), false}
	if opts.PidFile != "" {
		f.path, f.anywhere = opts.PidFile, !opts.Given["--host"] && !opts.Given["--port"]
	}
	return f
}

// isServer reports whether a process is the server whose pid file this is: it
// has the listening socket of the address, or the pid file itself, open. What
// the program is called does not matter. Where the system does not tell what
// the process of another user has open, its name has to do.
func (f pidFile) isServer(pid int) bool {
	// The pid of a server that was killed may be ours by now, or that of the
	// program that starts us.
	if compat.HasStarted(pid) || !compat.IsRunning(pid) || compat.IsKilled(pid) {
		return false
	}
	opened, err := compat.OpenedBy(pid)
	if err != nil {
		return compat.IsServer(pid)
	}
	return opened.Has(f.path) || slices.ContainsFunc(opened.Listeners(), f.isAt)
}

func (f pidFile) isAt(l compat.Listener) bool { return l.Address == f.address }

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
func (f pidFile) clear(warn func(text string)) error {
	if err := f.check(); err != nil || !f.exists() {
		return err
	}
	return f.removeStale(warn, "replaced")
}

// removeStale removes the file of a server that has ended, and warns that the
// file "is removed" or "is replaced", as done says.
func (f pidFile) removeStale(warn func(text string), done string) error {
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
	warn(fmt.Sprintf("pidfile %s %s; it is %s", f.path, what, done))
	return nil
}

// warnTo returns what writes warnings to stderr.
func warnTo(stderr io.Writer) func(text string) {
	return func(text string) { fmt.Fprintf(stderr, "WARNING: %s\n", text) }
}

func (f pidFile) exists() bool {
	_, err := os.Lstat(f.path)
	return err == nil
}

// listener returns the listening socket that answers at the address: its own,
// or else one at 0.0.0.0 if the address is this machine's.
func (f pidFile) listener() (compat.Listener, bool) {
	all, _ := compat.Listeners() // if the system does not tell, there are none
	if i := slices.IndexFunc(all, f.isAt); i >= 0 {
		return all[i], true
	}
	everywhere := netip.AddrPortFrom(netip.IPv4Unspecified(), f.address.Port())
	i := slices.IndexFunc(all, func(l compat.Listener) bool { return l.Address == everywhere })
	if i < 0 || !isOurs(f.address.Addr()) {
		return compat.Listener{}, false
	}
	return all[i], true
}

// orEverywhere returns the pid file of the server at 0.0.0.0 if that is the one
// that answers at the address.
func (f pidFile) orEverywhere() pidFile {
	l, ok := f.listener()
	if f.exists() || f.anywhere || !ok || l.Address == f.address {
		return f
	}
	everywhere := pidFile{path: compat.PidFile(l.Address.Addr().String(), int(l.Address.Port())), address: l.Address}
	if pid, err := compat.ReadPid(everywhere.path); err != nil || pid == 0 || !everywhere.isServer(pid) {
		return f
	}
	return everywhere
}

// addressOf returns the address at which a server can be asked to end: the
// file's or, if it does not listen there, the one that it has.
func (f pidFile) addressOf(pid int) (addr netip.AddrPort, ok bool) {
	opened, err := compat.OpenedBy(pid)
	all := opened.Listeners()
	if err != nil || slices.ContainsFunc(all, f.isAt) {
		return f.address, true
	}
	if len(all) == 0 {
		return addr, false
	}
	return all[0].Address, true
}

// isOurs reports whether an IP address is one of this machine's, or all of them.
func isOurs(ip netip.Addr) bool {
	addresses, _ := net.InterfaceAddrs() // where that fails, there are none
	return ip.IsUnspecified() || ip.IsLoopback() || slices.ContainsFunc(addresses, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr() == ip
	})
}
