package compat

import (
	"errors"
	"fmt"
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
	// The number can be that of a thread of another process by now.
	if leader := leaderOf(pid); leader != 0 && leader != pid {
		return false
	}
	// A process that has ended stays as a zombie until its parent asks how it
	// ended. In a container that may be never.
	// A zombie with other threads still holds the port.
	fields := statOf(pid)
	const state, threads = 0, 17
	return len(fields) <= threads || fields[state] != "Z" || fields[threads] != "0" && fields[threads] != "1"
}

// IsKilled reports whether a process has been killed and is about to end: it can
// still hold its port for a moment.
func IsKilled(pid int) bool {
	for _, set := range []string{"SigPnd:", "ShdPnd:"} {
		pending, err := strconv.ParseUint(statusOf(pid, set), 16, 64)
		if err == nil && pending&(1<<(unix.SIGKILL-1)) != 0 {
			return true
		}
	}
	// The signal has arrived.
	const flags, exiting, signaled = 6, 0x4, 0x400 // PF_EXITING and PF_SIGNALED of Linux
	fields := statOf(pid)
	if len(fields) <= flags {
		return false
	}
	has, err := strconv.ParseUint(fields[flags], 10, 64)
	return err == nil && has&(exiting|signaled) != 0
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
		for i := 1; i < len(args); i++ {
			switch arg := args[i]; {
			case slices.Contains(pythonOptions, arg):
				i++ // what follows belongs to it
			case !strings.HasPrefix(arg, "-"):
				return arg
			}
		}
	}
	return args[0]
}

// pythonOptions are the options of Python, 2 and 3, that take the next argument.
var pythonOptions = []string{"-W", "-X", "-Q", "--check-hash-based-pycs"}

// HasStarted reports whether this process is pid, or was started by it, or by
// what that has started.
func HasStarted(pid int) bool {
	for p := os.Getpid(); p > 0; p = parentOf(p) {
		if p == pid {
			return true
		}
	}
	return false
}

// parentOf returns the parent of a process, or 0 if there is none here.
func parentOf(pid int) int {
	const parent = 1
	fields := statOf(pid)
	if len(fields) <= parent {
		return 0
	}
	p, _ := strconv.Atoi(fields[parent])
	return p
}

// leaderOf returns the process that a thread belongs to, which is itself for a
// process, or 0 if the system does not tell.
func leaderOf(pid int) int {
	leader, _ := strconv.Atoi(statusOf(pid, "Tgid:"))
	return leader
}

// statusOf returns a line of what the system tells of a process by names, or ""
// if it does not.
func statusOf(pid int, name string) string {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// statOf returns what the system tells of a process, from its state on. It is
// nil for one that has ended.
// Source: proc_pid_stat(5).
func statOf(pid int) []string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// Before it comes the name in parentheses, with anything in it.
	return strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
}

// NameOf returns the name of a process, or "" if it has ended.
func NameOf(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
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
		if opened, _ := OpenedBy(pid); opened.has(want) {
			return pid
		}
	}
	return 0
}
