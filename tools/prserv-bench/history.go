package main

import (
	"context"
	"fmt"
	"slices"
)

// observedCases are the calls of which it is measured what telling of them costs.
var observedCases = []callCase{
	{name: "known", keepAlive: true},
	{name: "new", newPercent: 100, keepAlive: true},
}

// history measures what the history costs, and what the figures for operators
// cost, which a server counts with --status: the same calls, one server after
// the other, in each round in the other order.
func (t *tables) history(ctx context.Context, dir string) error {
	const plain, kept, counted = "neither", "history", "status"
	var servers []server
	defer func() {
		for _, s := range servers {
			t.stop(s)
		}
	}()
	for _, of := range []struct {
		name    string
		options []string
	}{
		{plain, []string{"--history", "none"}},
		{kept, nil},
		{counted, []string{"--history", "none", "--status", "127.0.0.1:0"}},
	} {
		s, err := t.ours.start(ctx, dir, of.name, of.options...)
		if err != nil {
			return err
		}
		s.name = of.name
		servers = append(servers, s)
	}
	var ratios figures
	order := slices.Clone(servers)
	for round := range t.rounds {
		for _, c := range observedCases {
			l := t.load
			l.NewPercent, l.KeepAlive = c.newPercent, c.keepAlive
			got := map[string]*results{}
			for _, s := range order {
				t.say("round %d of %d: getPR %s, %s", round+1, t.rounds, c.name, s.name)
				r, err := t.measure(ctx, l, s, noTick)
				if err != nil {
					return err
				}
				got[s.name] = r
			}
			for _, s := range []struct {
				name      string
				rate, cpu goal
			}{{kept, atLeast(0.95), none}, {counted, none, atMost(1.02)}} {
				q := got[s.name].to(got[plain])
				if q == nil {
					continue
				}
				what := fmt.Sprintf("%s, with %s to without: ", c.name, s.name)
				ratios.add(what+"calls/s", s.rate, q.CallsPerSecond)
				ratios.add(what+"CPU a call", s.cpu, q.CPUPerCall)
			}
		}
		slices.Reverse(order)
	}
	fmt.Fprintf(t.stdout, "**History and status**: %d clients, rounds: %d, each load measured for %v\n\n", t.load.Clients, t.rounds, t.load.Duration)
	ratios.write(t.stdout, "getPR, keep-alive")
	return nil
}
