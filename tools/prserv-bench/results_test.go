package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestCollect(t *testing.T) {
	// The latencies 1 to 1000 ms, in any order, from two clients.
	clients := []*caller{{errors: 2}, {errors: 1, first: errors.New("out of order")}}
	for i, n := range rand.New(rand.NewPCG(1, 2)).Perm(1000) {
		c := clients[i%2]
		c.latencies = append(c.latencies, time.Duration(n+1)*time.Millisecond)
	}
	got := *collect(clients, 10*time.Second, 2*time.Second)
	want := results{Calls: 1000, Errors: 3, FirstError: "out of order", CallsPerSecond: 100,
		P50: 500_000, P99: 990_000, P999: 999_000, Max: 1_000_000, CPUPerCall: 2000}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestCollectFew(t *testing.T) {
	tests := []struct {
		name           string
		latencies      []time.Duration
		p50, p99, p999 float64
	}{
		{"none", nil, 0, 0, 0},
		{"one", []time.Duration{3000}, 3, 3, 3},
		{"two", []time.Duration{9000, 1000}, 1, 9, 9},
		{"three", []time.Duration{9000, 1000, 5000}, 5, 9, 9},
	}
	for _, test := range tests {
		r := collect([]*caller{{latencies: test.latencies}}, time.Second, time.Second)
		if r.P50 != test.p50 || r.P99 != test.p99 || r.P999 != test.p999 || r.Max != test.p999 {
			t.Errorf("%s: got %+v", test.name, r)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestRatio(t *testing.T) {
	ours := &results{Calls: 10, CallsPerSecond: 90, P50: 2, P99: 3, P999: 8, Max: 10}
	other := &results{Calls: 10, CallsPerSecond: 100, P50: 1, P99: 2, P999: 2, Max: 5, CPUPerCall: 50}
	want := ratio{CallsPerSecond: 0.9, P50: 2, P99: 1.5, P999: 4, Max: 2}
	if got := ours.to(other); got == nil || *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, r := range []report{{Server: &results{}, Baseline: other}, {Server: ours, Baseline: &results{}}} {
		if got := r.Server.to(r.Baseline); got != nil {
			t.Errorf("without calls there is the ratio %+v", got)
		}
		var out bytes.Buffer
		if err := errors.Join(r.writeJSON(&out), r.writeTable(&out)); err != nil {
			t.Error(err)
		}
	}
}

// TestProcess checks what is read about this process and one that has ended.
func TestProcess(t *testing.T) {
	before := cpuTime(os.Getpid())
	for deadline := time.Now().Add(20 * time.Second); cpuTime(os.Getpid()) == before; {
		if time.Now().After(deadline) {
			t.Fatal("this process uses no CPU time")
		}
	}
	rss, err := memory(os.Getpid(), "VmRSS")
	if err != nil {
		t.Fatal(err)
	}
	peak, err := memory(os.Getpid(), "VmHWM")
	if err != nil {
		t.Fatal(err)
	}
	if rss < 1 || peak < rss/2 || math.IsInf(peak, 0) {
		t.Errorf("VmRSS %v MiB, VmHWM %v MiB", rss, peak)
	}
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	pid := gone.Process.Pid
	if n := cpuTime(pid); n != 0 {
		t.Errorf("a process that has ended used %v", n)
	}
	if _, err := memory(pid, "VmRSS"); err == nil {
		t.Error("a process that has ended has memory")
	}
}
