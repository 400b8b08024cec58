package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sys/unix"
)

// report is the outcome of a load.
type report struct {
	Address  string
	Load     load
	Server   *results
	Baseline *results // nil if there was none
}

// writeJSON writes the report as JSON. The names must not change: other programs
// read them.
func (r report) writeJSON(out io.Writer) error {
	type loadJSON struct {
		Generation int     `json:"generation"`
		Clients    int     `json:"clients"`
		NewPercent int     `json:"new_percent"`
		KeepAlive  bool    `json:"keep_alive"`
		Keys       int     `json:"keys"`
		Duration   float64 `json:"duration_s"`
		Warmup     float64 `json:"warmup_s"`
	}
	doc := struct {
		Address  string   `json:"address"`
		Load     loadJSON `json:"load"`
		Server   *results `json:"server"`
		Baseline *results `json:"baseline,omitempty"`
		Ratio    *ratio   `json:"ratio,omitempty"`
	}{
		r.Address,
		loadJSON{r.Load.Generation, r.Load.Clients, r.Load.NewPercent, r.Load.KeepAlive, r.Load.Keys,
			r.Load.Duration.Seconds(), r.Load.Warmup.Seconds()},
		r.Server, r.Baseline, nil,
	}
	if r.Baseline != nil {
		doc.Ratio = r.Server.to(r.Baseline)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // errors hold addresses with "->" between them
	return encoder.Encode(doc)
}

// writeTable writes the report as a table for people.
func (r report) writeTable(out io.Writer) error {
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
		if q := r.Server.to(b); q != nil {
			fmt.Fprintf(table, "ratio\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\t%s\t\n",
				q.CallsPerSecond, q.P50, q.P99, q.P999, q.Max, orDash(q.CPUPerCall))
		}
	}
	return table.Flush()
}

func orDash(n float64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatFloat(n, 'f', 2, 64)
}

// progress returns two functions: tick shows on a terminal how much time has
// passed, clear removes that. If stderr is no terminal, they do nothing.
func progress(stderr io.Writer, what string, l load) (tick func(time.Duration), clear func()) {
	file, ok := stderr.(*os.File)
	if ok {
		_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
		ok = err == nil
	}
	if !ok {
		return func(time.Duration) {}, func() {}
	}
	bar := progressbar.NewOptions64((l.Warmup + l.Duration).Milliseconds(),
		progressbar.OptionSetWriter(stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false))
	return func(passed time.Duration) { bar.Set64(passed.Milliseconds()) }, func() { bar.Clear() }
}
