package compat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// IsRunning tells whether a process exists and has not ended.
// Source: lib/prserv/serv.py:is_running.
func IsRunning(pid int) bool {
	if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
		return false
	}
	// One that has ended exists until its parent asks how, which in a
	// container may be never.
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	// Behind the name in parentheses come the state and, seventeen fields on,
	// the number of threads: as long as there are others, they hold the port.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const state, threads = 0, 17
	return len(fields) <= threads || fields[state] != "Z" || fields[threads] != "0" && fields[threads] != "1"
}

// IsServer tells whether a process is a PR server, ours or Python's. Where
// the system does not tell, it is taken for one.
func IsServer(pid int) bool {
	if isThisProgram(pid) {
		return true // whatever it has been named
	}
	proc := fmt.Sprintf("/proc/%d/", pid)
	// BitBake's server calls itself PRServ; its program names its file.
	name, err := os.ReadFile(proc + "comm")
	if err != nil {
		return IsRunning(pid)
	}
	args, err := os.ReadFile(proc + "cmdline")
	if err != nil {
		return IsRunning(pid)
	}
	return strings.HasPrefix(string(name), "PRServ") ||
		strings.Contains(filepath.Base(programOf(strings.Split(string(args), "\x00"))), "prserv")
}

func isThisProgram(pid int) bool {
	own, _ := os.Readlink("/proc/self/exe")
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && exe == own
}

// programOf returns the program of a command line: what Python runs, if it is
// Python's.
func programOf(args []string) string {
	if strings.HasPrefix(filepath.Base(args[0]), "python") {
		for _, arg := range args[1:] {
			if !strings.HasPrefix(arg, "-") {
				return arg
			}
		}
	}
	return args[0]
}

// IsServerElsewhere tells whether a process serves TCP at other addresses
// only. A server that is about to end serves at none.
func IsServerElsewhere(pid int, ip string, port int) bool {
	sockets := socketsOf(pid)
	elsewhere := false
	for address, inode := range listening(pid) {
		if slices.Contains(sockets, "socket:["+inode+"]") {
			if address == fmt.Sprintf("%s:%d", ip, port) {
				return false
			}
			elsewhere = true
		}
	}
	return elsewhere
}

// socketsOf returns what the links of a process to its open files say.
func socketsOf(pid int) []string {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // fails for bad patterns only
	var links []string
	for _, file := range files {
		if link, err := os.Readlink(file); err == nil {
			links = append(links, link)
		}
	}
	return links
}

// listening returns the IPv4 addresses that have a listener in the network of
// a process, each with the inode of its socket.
func listening(pid int) map[string]string {
	table, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", pid)) // unreadable, it says nothing
	addresses := map[string]string{}
	for line := range strings.Lines(string(table)) {
		// Number, local address, remote address, state, ... the tenth is the inode.
		const local, state, inode, listens = 1, 3, 9, "0A"
		fields := strings.Fields(line)
		if len(fields) <= inode || fields[state] != listens {
			continue
		}
		host, port, _ := strings.Cut(fields[local], ":")
		h, hostErr := strconv.ParseUint(host, 16, 32)
		p, portErr := strconv.ParseUint(port, 16, 16)
		if hostErr == nil && portErr == nil {
			// The host's bytes are printed as a number of this machine.
			ip := net.IP(binary.NativeEndian.AppendUint32(nil, uint32(h)))
			addresses[fmt.Sprintf("%s:%d", ip, p)] = fields[inode]
		}
	}
	return addresses
}

// PythonServerOn finds a PR server of BitBake that has a file open, or returns
// 0. It sees the processes of this user, those of all users as root.
func PythonServerOn(file string) int {
	want, err := os.Stat(file)
	if err != nil || !want.Mode().IsRegular() {
		return 0
	}
	processes, _ := filepath.Glob("/proc/[0-9]*") // fails for bad patterns only
	for _, process := range processes {
		pid, err := strconv.Atoi(filepath.Base(process))
		if err != nil {
			continue
		}
		// A server of ours may be open beside this one, to read only.
		exe, _ := os.Readlink(process + "/exe")
		if !strings.HasPrefix(filepath.Base(exe), "python") || !IsServer(pid) {
			continue
		}
		files, _ := filepath.Glob(process + "/fd/*")
		for _, open := range files {
			if have, err := os.Stat(open); err == nil && os.SameFile(want, have) {
				return pid
			}
		}
	}
	return 0
}
