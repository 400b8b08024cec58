package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"prserver/tools/internal/pyserver"
)

// callCase is a kind of call, with the goals for it.
type callCase struct {
	name       string
	newPercent int
	keepAlive  bool
	// rate and p99 are the goals of the ratios to the server that does nothing,
	// those with py of the ratios to Python's, and those with one of the ratios to
	// ours with one table.
	rate, p99, pyRate, pyP99, pyCPU, oneRate, oneCPU goal
}

var callCases = []callCase{
	{name: "known", rate: atLeast(0.90), p99: atMost(1.5), pyRate: atLeast(4.5), pyP99: atMost(1.0 / 40), pyCPU: atMost(1.0 / 6)},
	{name: "new", newPercent: 100, rate: atLeast(0.75), pyRate: atLeast(4)},
	{name: "known, keep-alive", keepAlive: true, rate: atLeast(0.60)},
	{name: "new, keep-alive", newPercent: 100, keepAlive: true, rate: atLeast(0.30)},
}

// callTable holds the results of every round by the names of case and server.
type callTable map[[2]string][]*results

func (c callTable) add(kind, name string, r *results) {
	c[[2]string{kind, name}] = append(c[[2]string{kind, name}], r)
}

// last returns the results of the current round, or nil if there are none.
func (c callTable) last(kind, name string) *results {
	all := c[[2]string{kind, name}]
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

func (c callTable) median(kind, name string, of func(*results) float64) string {
	var values []float64
	for _, r := range c[[2]string{kind, name}] {
		values = append(values, of(r))
	}
	return short(median(values))
}

// calls measures calls a second, latencies, CPU time and memory, and prints the
// tables of them.
func (t *tables) calls(ctx context.Context, dir string) error {
	servers, stop, err := t.startAll(ctx, dir, 1)
	defer stop()
	if err != nil {
		return err
	}
	idle, loaded := map[string]float64{}, map[string]float64{}
	for _, s := range servers {
		if idle[s.name], err = memory(s.PID, "VmRSS"); err != nil {
			return err
		}
	}
	table, ratios, err := t.measureCalls(ctx, callCases, servers, func(s server) {
		if now, err := memory(s.PID, "VmRSS"); err == nil {
			loaded[s.name] = max(loaded[s.name], now)
		}
	})
	if err != nil {
		return err
	}
	t.printCalls("Calls", callCases, servers, table, ratios)
	t.printMemory(idle, loaded)
	return nil
}

// startAll starts our server, one that does nothing, and the reference if it
// speaks the protocol of a generation. They end with the function that is
// returned, also beside an error.
func (t *tables) startAll(ctx context.Context, dir string, generation int) (servers []server, stop func(), err error) {
	base, err := startBaseline(ctx, generation)
	if err != nil {
		return nil, func() {}, err
	}
	stop = func() {
		base.stop()
		for _, s := range servers {
			if s.Server != nil && s.name != "no-op" {
				t.stop(s)
			}
		}
	}
	noop := server{"no-op", generation, &pyserver.Server{Addr: base.addr, PID: base.pid}}
	programs := []program{t.ours}
	if t.speaks(generation) {
		programs = append(programs, *t.reference)
	}
	for i, p := range programs {
		s, err := p.start(ctx, dir, []string{"ours", "reference"}[i])
		if err != nil {
			return servers, stop, err
		}
		s.generation = generation
		if servers = append(servers, s); i == 0 {
			servers = append(servers, noop)
		}
	}
	return servers, stop, nil
}

// measureCalls measures every case with every server, and calls tick with the one
// that is loaded.
func (t *tables) measureCalls(ctx context.Context, cases []callCase, servers []server, tick func(server)) (callTable, figures, error) {
	table := callTable{}
	var ratios figures
	servers = slices.Clone(servers)
	for round := range t.rounds {
		for _, c := range cases {
			l := t.load
			l.NewPercent, l.KeepAlive = c.newPercent, c.keepAlive
			for _, s := range servers {
				if c.keepAlive && s.name == "Python" && s.generation == 1 {
					continue // it closes whatever it is asked for
				}
				t.say("round %d of %d: getPR %s, %s", round+1, t.rounds, c.name, s.name)
				r, err := t.measure(ctx, l, s, func(time.Duration) { tick(s) })
				if err != nil {
					return nil, nil, err
				}
				table.add(c.name, s.name, r)
			}
			c.compare(&ratios, table)
		}
		// The first of a round finds the disk still busy with the round before, so
		// they take turns.
		slices.Reverse(servers)
	}
	return table, ratios, nil
}

// compare adds the ratios of the current round to ratios.
func (c callCase) compare(ratios *figures, table callTable) {
	ours := table.last(c.name, "ours")
	for _, other := range []struct {
		name           string
		rate, p99, cpu goal
	}{{"no-op", c.rate, c.p99, none}, {"Python", c.pyRate, c.pyP99, c.pyCPU}, {oneTable, c.oneRate, none, c.oneCPU}} {
		r := table.last(c.name, other.name)
		if r == nil {
			continue
		}
		q := ours.to(r)
		if q == nil {
			continue
		}
		what := c.name + ", to " + other.name + ": "
		ratios.add(what+"calls/s", other.rate, q.CallsPerSecond)
		ratios.add(what+"p99", other.p99, q.P99)
		ratios.add(what+"p99.9", none, q.P999)
		ratios.add(what+"CPU a call", other.cpu, q.CPUPerCall)
	}
}

func (t *tables) printCalls(title string, cases []callCase, servers []server, table callTable, ratios figures) {
	fmt.Fprintf(t.stdout, "**%s**: %d clients, rounds: %d, each load measured for %v\n\n", title, t.load.Clients, t.rounds, t.load.Duration)
	row(t.stdout, "getPR", "server", "calls/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs a call")
	rule(t.stdout, 2, 5)
	for _, c := range cases {
		for _, s := range servers {
			name := s.name
			switch {
			case table.last(c.name, name) != nil:
				row(t.stdout, c.name, name,
					table.median(c.name, name, func(r *results) float64 { return r.CallsPerSecond }),
					table.median(c.name, name, func(r *results) float64 { return r.P50 / 1000 }),
					table.median(c.name, name, func(r *results) float64 { return r.P99 / 1000 }),
					table.median(c.name, name, func(r *results) float64 { return r.P999 / 1000 }),
					table.median(c.name, name, func(r *results) float64 { return r.CPUPerCall }))
			default:
				row(t.stdout, c.name, name, "", "", "", "", "")
			}
		}
	}
	fmt.Fprintln(t.stdout)
	ratios.write(t.stdout, "getPR, ratio of ours")
}

func (t *tables) printMemory(idle, loaded map[string]float64) {
	fmt.Fprintf(t.stdout, "**Memory** (VmRSS), loaded with %d clients\n\n", t.load.Clients)
	row(t.stdout, "server", "idle MiB", "goal", "met", "loaded MiB", "goal", "met")
	rule(t.stdout, 1, 6)
	for _, name := range []string{"ours", "no-op", "Python"} {
		if idle[name] == 0 {
			continue
		}
		cells := []string{name}
		for _, m := range []struct{ mib, limit float64 }{{idle[name], 25}, {loaded[name], 60}} {
			f := figure{goal: atMost(m.limit), rounds: []float64{m.mib}}
			cells = append(cells, short(m.mib))
			if name == "ours" {
				cells = append(cells, "<= "+strconv.FormatFloat(m.limit, 'f', -1, 64), f.met())
			} else {
				cells = append(cells, "", "")
			}
		}
		row(t.stdout, cells...)
	}
	fmt.Fprintln(t.stdout)
}
