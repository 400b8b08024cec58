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

// IsRunning reports whether a process exists and has not ended.
// Source: lib/prserv/serv.py:is_running.
func IsRunning(pid int) bool {
	if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
		return false
	}
	// A process that has ended stays as a zombie until its parent asks how it
	// ended. In a container that may be never.
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	// Behind the name in parentheses comes the state and, seventeen fields on, the
	// number of threads. A zombie with other threads still holds the port.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const state, threads = 0, 17
	return len(fields) <= threads || fields[state] != "Z" || fields[threads] != "0" && fields[threads] != "1"
}

// IsServer reports whether a process is a PR server, ours or Python's. If the
// system does not tell what a running process is, it counts as one.
func IsServer(pid int) bool {
	if isThisProgram(pid) {
		return true // whatever its file is called
	}
	proc := fmt.Sprintf("/proc/%d/", pid)
	// BitBake's server sets its process name to PRServ. Any other is known by the
	// file name of its program.
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

// programOf returns the program of a command line. If that is Python, it returns
// the script.
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

// IsServerElsewhere reports whether a process listens at other IPv4 addresses but
// not at ip and port. It is false for a process that listens nowhere, such as a
// server that is about to end.
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

// socketsOf returns the names of a process's open files, such as "socket:[123]".
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

// listening returns the IPv4 addresses at which somebody listens in the network
// namespace of a process, each with the inode of its socket.
func listening(pid int) map[string]string {
	table, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", pid)) // if it cannot be read, there are none
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
			// The bytes of the host are printed as a number in the machine's byte order.
			ip := net.IP(binary.NativeEndian.AppendUint32(nil, uint32(h)))
			addresses[fmt.Sprintf("%s:%d", ip, p)] = fields[inode]
		}
	}
	return addresses
}

// PythonServerOn returns the pid of a PR server of BitBake that has a file open,
// or 0 if it finds none. It sees only this user's processes, or all as root.
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
		// Only Python's servers count: one of ours may have the file open to read.
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
