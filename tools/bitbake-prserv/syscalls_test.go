package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"prserver/prserv/client"
	"prserver/tools/internal/scripttest"
)

// traced lists the system calls that change files or answer clients. Those with a
// question mark are missing on some architectures.
const traced = "trace=openat,?open,?creat,pwrite64,write,writev,?pwritev,?pwritev2,fsync,fdatasync,?sync_file_range," +
	"ftruncate,?truncate,fallocate,?unlink,unlinkat,?rename,?renameat,renameat2,?link,linkat,sendto,sendmsg"

// sysCall is a system call that the server has made.
type sysCall struct {
	name   string
	path   string // the file of its descriptor, or the file it names
	data   []byte // what it writes
	flags  string // of openat
	offset int64  // of pwrite64, or the size of ftruncate
	result int64
}

// event is the beginning or the end of a system call. Events are in the order in
// which the tracer stopped the threads: if a thread makes a call because another
// thread's call has returned, it stands behind that.
type event struct {
	*sysCall
	ended bool
}

// traceServer runs a server under strace, lets load make calls, ends the server
// and returns what it did. It skips the test if the machine has no strace, or
// does not let it trace.
func traceServer(t *testing.T, file string, load func(*client.Client)) []event {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed: ", err)
	}
	out, err := exec.Command("strace", "--seccomp-bpf", "-f", "-o", os.DevNull, "true").CombinedOutput()
	if err != nil && bytes.Contains(bytes.ToLower(out), []byte("ptrace")) {
		t.Skipf("strace is not allowed to trace: %v, %s", err, out)
	} else if err != nil {
		t.Fatalf("strace: %v, %s", err, out)
	}
	addr, socket := keptSocket(t)
	log := filepath.Join(t.TempDir(), "strace.log")
	cmd := exec.Command("strace", "--seccomp-bpf", "-f", "-y", "-xx", "-s", "1000000", "-o", log, "-e", traced,
		"/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"`, "sh",
		"bitbake-prserv", "--foreground", "--file", file, "--loglevel", "ERROR")
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		if t.Failed() {
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the tracer and the server
		}
	}()
	prs := ask(addr)
	load(prs)
	if err := prs.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("the server ended with %v, want 0", err)
		}
	case <-time.After(scripttest.Patience):
		t.Fatal("the server does not end")
	}
	events, err := readTrace(log)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// readTrace reads the log of strace.
func readTrace(log string) ([]event, error) {
	f, err := os.Open(log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var events []event
	running := map[string]*sysCall{} // by thread
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		thread, text, _ := strings.Cut(lines.Text(), " ")
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "---") || strings.HasPrefix(text, "+++") { // signals and ends
			continue
		}
		call := running[thread]
		if !strings.HasPrefix(text, "<... ") {
			name, arguments, ok := strings.Cut(text, "(")
			if !ok {
				return nil, fmt.Errorf("strace wrote %.200q", text)
			}
			if call, err = newSysCall(name, arguments); err != nil {
				return nil, fmt.Errorf("strace wrote %.200q: %w", text, err)
			}
			events = append(events, event{call, false})
			running[thread] = call
			if strings.HasSuffix(text, "<unfinished ...>") {
				continue
			}
		}
		// Lines can be very long; the result is short and stands at the end.
		result := tracedResult.FindStringSubmatch(text[max(0, len(text)-500):])
		if call == nil || result == nil {
			return nil, fmt.Errorf("strace wrote %.200q", text)
		}
		delete(running, thread)
		call.result = -1
		if result[1] != "?" {
			if call.result, err = strconv.ParseInt(result[1], 10, 64); err != nil {
				return nil, fmt.Errorf("strace wrote %.200q: %w", text, err)
			}
		}
		events = append(events, event{call, true})
	}
	return events, lines.Err()
}

var (
	tracedResult = regexp.MustCompile(`\) += (-?\d+|\?)[^)"]*(\([^)]*\))?$`)
	tracedFile   = regexp.MustCompile(`^(?:\d+|AT_FDCWD)<([^>]*)>`)
	tracedNumber = regexp.MustCompile(`^-?\d+`)
)

// newSysCall reads the arguments of a call. All texts in them are hexadecimal, so
// every comma separates two arguments.
func newSysCall(name, arguments string) (*sysCall, error) {
	call := &sysCall{name: name}
	var texts []string
	for i, argument := range strings.Split(arguments, ", ") {
		if m := tracedFile.FindStringSubmatch(argument); m != nil {
			path, err := fromHex(m[1])
			if err != nil {
				return nil, err
			}
			call.path = string(path)
		} else if text, ok := strings.CutPrefix(argument, `"`); ok {
			text, _, _ = strings.Cut(text, `"`)
			texts = append(texts, text)
		} else if m := tracedNumber.FindString(argument); m != "" {
			var err error
			if call.offset, err = strconv.ParseInt(m, 10, 64); err != nil {
				return nil, err
			}
		} else if i > 0 && strings.HasPrefix(argument, "O_") {
			call.flags = argument
		}
	}
	for _, text := range texts {
		content, err := fromHex(text)
		if err != nil {
			return nil, err
		}
		switch {
		case strings.HasPrefix(name, "open"), strings.HasPrefix(name, "unlink"), strings.HasPrefix(name, "rename"),
			strings.HasPrefix(name, "link"), name == "creat", name == "truncate":
			call.path = string(content)
		default:
			call.data = append(call.data, content...)
		}
	}
	return call, nil
}

// fromHex reads a text as strace writes it with -xx.
func fromHex(text string) ([]byte, error) {
	return hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
}

var answeredValue = regexp.MustCompile(`^HTTP/[^<]*<\?xml[^>]*>\s*<methodResponse>\s*<params>\s*<param>\s*<value><(?:int|i4|i8)>(\d+)</`)

// answers returns the value that a call sends to a client, and whether it sends
// one.
func (c *sysCall) answers() (value int64, ok bool) {
	if c.name != "write" || !strings.HasPrefix(c.path, "socket:") {
		return 0, false
	}
	m := answeredValue.FindSubmatch(c.data)
	if m == nil {
		return 0, false
	}
	value, err := strconv.ParseInt(string(m[1]), 10, 64)
	return value, err == nil
}

// syncs reports whether a call makes the disk keep what was written to its file.
func (c *sysCall) syncs() bool { return c.name == "fsync" || c.name == "fdatasync" }
