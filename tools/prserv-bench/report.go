package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sys/unix"
)

// report is what the program reports.
type report struct {
	Address  string
	Load     load
	Server   *results
	Baseline *results `json:",omitempty"`
}

func (r report) print(out io.Writer) {
	connections := "a connection a call"
	if r.Load.KeepAlive {
		connections = "connections kept"
	}
	fmt.Fprintf(out, "%d clients, %d %% new, %s, %v\n\n", r.Load.Clients, r.Load.NewPercent, connections, r.Load.Duration)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tcalls/s\tp50 ms\tp99 ms\tp99.9 ms\tmax ms\terrors\tCPU us a call\t")
	row := func(name string, s *results) {
		fmt.Fprintf(table, "%s\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t%d\t%s\t\n", name, s.CallsPerSecond,
			s.P50/1000, s.P99/1000, s.P999/1000, s.Max/1000, s.Errors, orDash(s.CPUPerCall))
	}
	row(r.Address, r.Server)
	if b := r.Baseline; b != nil {
		row("baseline", b)
		fmt.Fprintf(table, "ratio\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\t%s\t\n", r.Server.CallsPerSecond/b.CallsPerSecond,
			r.Server.P50/b.P50, r.Server.P99/b.P99, r.Server.P999/b.P999, r.Server.Max/b.Max,
			orDash(r.Server.CPUPerCall/b.CPUPerCall))
	}
	table.Flush()
	if r.Server.Errors > 0 {
		fmt.Fprintf(out, "\nThe first error: %s\n", r.Server.FirstError)
	}
}

func orDash(n float64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatFloat(n, 'f', 2, 64)
}

// progress returns a function that shows how much time has passed, on a
// terminal.
func progress(stderr io.Writer, what string, l load) func(time.Duration) {
	file, ok := stderr.(*os.File)
	if !ok {
		return func(time.Duration) {}
	}
	if _, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS); err != nil {
		return func(time.Duration) {}
	}
	bar := progressbar.NewOptions64((l.Warmup + l.Duration).Milliseconds(),
		progressbar.OptionSetWriter(stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false))
	return func(passed time.Duration) { bar.Set64(passed.Milliseconds()) }
}

// cpuTime returns the CPU time that a process has used, and 0 for none.
func cpuTime(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may have anything in it; utime and stime are the
	// twelfth and thirteenth field behind it.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int64
	for _, i := range []int{11, 12} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	const ticksPerSecond = 100 // USER_HZ, the same on every Linux that Go runs on
	return time.Duration(ticks) * time.Second / ticksPerSecond
}
