package compat

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// OpenFiles are the files and sockets that a process has open, such as
// "socket:[123]".
type OpenFiles struct {
	process string // its folder in /proc
	links   map[string]string
}

// OpenedBy returns what a process has open. It returns an error if the process
// has ended, or if it is another user's and this user is not root.
func OpenedBy(pid int) (OpenFiles, error) {
	o := OpenFiles{fmt.Sprintf("/proc/%d", pid), map[string]string{}}
	entries, err := os.ReadDir(o.process + "/fd")
	for _, entry := range entries {
		if link, err := os.Readlink(o.path(entry.Name())); err == nil {
			o.links[entry.Name()] = link
		}
	}
	return o, err
}

func (o OpenFiles) path(fd string) string { return filepath.Join(o.process, "fd", fd) }

// Has reports whether the file with this path is open, by whatever name.
func (o OpenFiles) Has(path string) bool {
	want, err := os.Lstat(path)
	return err == nil && o.has(want)
}

func (o OpenFiles) has(want os.FileInfo) bool {
	for fd := range o.links {
		if have, err := os.Stat(o.path(fd)); err == nil && os.SameFile(want, have) {
			return true
		}
	}
	return false
}

// Listeners returns those listening sockets of this network namespace that are
// open.
func (o OpenFiles) Listeners() []Listener {
	all, _ := Listeners() // if the system does not tell, there are none
	return slices.DeleteFunc(all, func(l Listener) bool {
		for _, link := range o.links {
			if link == l.link() {
				return false
			}
		}
		return true
	})
}

// Listener is a listening TCP socket. One that is open to IPv4 and IPv6 alike
// has the address 0.0.0.0.
type Listener struct {
	Address netip.AddrPort
	inode   string
}

func (l Listener) link() string { return "socket:[" + l.inode + "]" }

// Listeners returns the listening sockets of this network namespace to which
// IPv4 clients can connect. It returns an error if the system does not tell.
func Listeners() ([]Listener, error) {
	var all []Listener
	for _, table := range []string{"tcp", "tcp6"} {
		found, err := readListeners("/proc/self/net/" + table)
		if err != nil && table == "tcp" {
			return nil, fmt.Errorf("looking for listening sockets: %w", err)
		}
		all = append(all, found...)
	}
	return all, nil
}

func readListeners(table string) ([]Listener, error) {
	f, err := os.Open(table)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseListeners(f)
}

// parseListeners reads a table of sockets as far as the listening ones go. Those
// stand first (Linux, Documentation/networking/proc_net_tcp.rst), in old
// kernels with what begins to connect to each. Behind them are all connections
// of the last minute, tens of thousands where each call has one.
func parseListeners(table io.Reader) (all []Listener, err error) {
	lines := bufio.NewScanner(table)
	lines.Scan() // the titles
	for lines.Scan() {
		// Number, local address, remote address, state, ... the tenth is the inode.
		const local, state, inode, listens, begins = 1, 3, 9, "0A", "03"
		fields := strings.Fields(lines.Text())
		if len(fields) <= inode || fields[state] != listens && fields[state] != begins {
			break
		}
		if address, ok := parseAddress(fields[local]); ok && fields[state] == listens {
			all = append(all, Listener{address, fields[inode]})
		}
	}
	return all, lines.Err()
}

// parseAddress reads an address of /proc/net/tcp or tcp6, such as
// 0100007F:2189: the bytes of the IP address are printed as numbers of four
// bytes in the machine's byte order.
func parseAddress(text string) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	p, portErr := strconv.ParseUint(port, 16, 16)
	if err != nil || portErr != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for word := range slices.Chunk(raw, 4) {
		binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
	}
	ip, ok := netip.AddrFromSlice(raw)
	if ip == netip.IPv6Unspecified() {
		ip = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(p)), ok
}

// Holder returns a process that has the socket open, a PR server rather than
// another, or 0 if this user sees none.
func (l Listener) Holder() int {
	processes, _ := filepath.Glob("/proc/[0-9]*") // fails for bad patterns only
	holder := 0
	for _, process := range processes {
		pid, err := strconv.Atoi(filepath.Base(process))
		if err != nil {
			continue
		}
		opened, _ := OpenedBy(pid)
		for _, link := range opened.links {
			if link == l.link() && (holder == 0 || IsServer(pid)) {
				holder = pid
			}
		}
	}
	return holder
}
