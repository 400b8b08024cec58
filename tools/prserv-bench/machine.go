package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine prints a paragraph about the machine and the programs measured.
func (t *tables) machine() error {
	var kernel unix.Utsname
	if err := unix.Uname(&kernel); err != nil {
		return fmt.Errorf("asking for the kernel: %w", err)
	}
	syncs, err := syncTimes(t.dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "Measured on %s, %d cores, Linux %s, %s", cpuModel(), runtime.NumCPU(),
		unix.ByteSliceToString(kernel.Release[:]), runtime.Version())
	if out, err := exec.Command("sqlite3", "--version").Output(); err == nil {
		version, _, _ := strings.Cut(string(out), " ")
		fmt.Fprintf(t.stdout, ", sqlite3 %s", version)
	}
	fmt.Fprintf(t.stdout, "; files on %s, where an fdatasync takes %s ms (99th percentile %s ms)", fileSystem(t.dir),
		short(syncs.P50/1000), short(syncs.P99/1000))
	if t.reference != nil {
		fmt.Fprintf(t.stdout, "; Python is bitbake-prserv of %s under %s", bitbakeVersion(t.reference.Program[1]), t.version)
	}
	fmt.Fprint(t.stdout, "; no-op is a server in Go that answers the same to everything. ",
		"Clients and servers share the machine")
	// The reader should see whether other programs were busy.
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		average, _, _ := strings.Cut(string(text), " ")
		fmt.Fprintf(t.stdout, ", whose load average was %s before", average)
	}
	fmt.Fprint(t.stdout, ".\n\n")
	return nil
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	model := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(text)
	if model == nil {
		return runtime.GOARCH
	}
	return string(model[1])
}

// syncTimes measures how long an fdatasync takes, for which every commit waits.
func syncTimes(dir string) (*results, error) {
	file, err := os.CreateTemp(dir, "prserv-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a file: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	c := &caller{}
	page := make([]byte, 4096)
	for range 300 {
		if _, err := file.Write(page); err != nil {
			return nil, fmt.Errorf("writing a file: %w", err)
		}
		begin := time.Now()
		if err := unix.Fdatasync(int(file.Fd())); err != nil {
			return nil, fmt.Errorf("syncing %s: %w", file.Name(), err)
		}
		c.latencies = append(c.latencies, time.Since(begin))
	}
	return collect([]*caller{c}, time.Second, 0), nil
}

// fileSystem returns the type of the file system that holds a folder.
func fileSystem(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	dir, _ = filepath.Abs(dir)
	text, _ := os.ReadFile("/proc/self/mounts")
	found, name := "", "an unknown file system"
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line) // device, where, type, options...
		if len(fields) < 3 || len(fields[1]) < len(found) {
			continue
		}
		if below, err := filepath.Rel(fields[1], dir); err == nil && below != ".." && !strings.HasPrefix(below, "../") {
			found, name = fields[1], fields[2]
		}
	}
	return name
}

// bitbakeVersion returns the name and version of a checkout of BitBake, given the
// path of its bin/bitbake-prserv.
func bitbakeVersion(script string) string {
	text, _ := os.ReadFile(filepath.Join(filepath.Dir(script), "..", "lib", "bb", "__init__.py"))
	version := regexp.MustCompile(`(?m)^__version__ = "([^"]*)"`).FindSubmatch(text)
	if version == nil {
		return "an unknown bitbake"
	}
	return "bitbake " + string(version[1])
}
