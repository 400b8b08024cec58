package main

import (
	"context"
	"fmt"
	"path/filepath"
)

const (
	// oneTable is the name of our server that is asked for whole numbers only, and
	// so keeps one table. Asked for texts, it keeps two.
	oneTable = "ours, one table"
	// lineCrowd is how many checksums the package with many has.
	lineCrowd = 20_000
	// fewSilent and manySilent are how many sessions are open and silent, beside
	// other clients and alone.
	fewSilent, manySilent = 1_000, 5_000
)

// lineCases are the calls of the JSON-lines protocol.
var lineCases = []callCase{
	{name: "known, session kept", keepAlive: true, rate: atLeast(0.80), p99: atMost(1.5), pyRate: atLeast(4), pyCPU: atMost(1.0 / 8)},
	{name: "new, session kept", newPercent: 100, keepAlive: true, rate: atLeast(0.25),
		pyRate: atLeast(2.5), pyCPU: atMost(1.0 / 3), oneRate: atLeast(1 / 1.5), oneCPU: atMost(1.5)},
	{name: "known, a connection a call", rate: atLeast(0.90)},
	{name: "new, a connection a call", newPercent: 100},
}

// lines measures the JSON-lines protocol.
func (t *tables) lines(ctx context.Context, dir string) error {
	servers, stop, err := t.startAll(ctx, dir, 3)
	defer stop()
	if err != nil {
		return err
	}
	one, err := t.ours.start(ctx, dir, "one")
	if err != nil {
		return err
	}
	defer t.stop(one)
	one.name, one.generation = oneTable, 2
	for i := range servers {
		if servers[i].name == "Python" {
			servers[i].generation = t.generation
		}
	}
	servers = append(servers, one)
	table, ratios, err := t.measureCalls(ctx, lineCases, servers, func(server) {})
	if err != nil {
		return err
	}
	var sessions figures
	if err := t.crowd(ctx, dir, &sessions); err != nil {
		return err
	}
	if err := t.silence(ctx, dir, servers[0], &sessions); err != nil {
		return err
	}
	t.printCalls("JSON lines", lineCases, servers, table, ratios)
	sessions.write(t.stdout, "JSON lines, sessions kept")
	return nil
}

// crowd measures whether a call takes longer where the package has many
// checksums.
func (t *tables) crowd(ctx context.Context, dir string, all *figures) error {
	if err := t.makeFile(ctx, t.ours, dir, "crowd", 2*lineCrowd, lineCrowd); err != nil {
		return err
	}
	if err := addMain(ctx, filepath.Join(dir, "crowd")); err != nil {
		return err
	}
	many, err := t.ours.start(ctx, dir, "crowd")
	if err != nil {
		return err
	}
	defer t.stop(many)
	many.generation = 3
	l := t.load
	l.Keys, l.KeepAlive = 1, true
	for round := range t.rounds {
		for _, c := range lineCases[:2] {
			l.NewPercent = c.newPercent
			t.say("round %d of %d: getPR %s, %d checksums", round+1, t.rounds, c.name, lineCrowd)
			was, err := t.measureEmpty(ctx, l, 3, dir)
			if err != nil {
				return err
			}
			is, err := t.measure(ctx, l, many, noTick)
			if err != nil {
				return err
			}
			what := fmt.Sprintf("%s, %d checksums of the package, to a small one: ", c.name, lineCrowd)
			all.add(what+"time a call", atMost(1.3), quotient(was.CallsPerSecond, is.CallsPerSecond))
			all.add(what+"CPU a call", none, quotient(is.CPUPerCall, was.CPUPerCall))
		}
	}
	return nil
}

// silence measures what open sessions cost that say nothing.
func (t *tables) silence(ctx context.Context, dir string, s server, all *figures) error {
	l := t.load
	l.KeepAlive = true
	for round := range t.rounds {
		t.say("round %d of %d: getPR known beside %d silent sessions", round+1, t.rounds, fewSilent)
		without, err := t.measure(ctx, l, s, noTick)
		if err != nil {
			return err
		}
		end, err := silent(ctx, s.Addr, fewSilent)
		if err != nil {
			end()
			return err
		}
		with, err := t.measure(ctx, l, s, noTick)
		end()
		if err != nil {
			return err
		}
		all.add(fmt.Sprintf("p99 beside %d silent sessions, to that without", fewSilent), atMost(1.1), quotient(with.P99, without.P99))
	}
	alone, err := t.ours.start(ctx, dir, "silent")
	if err != nil {
		return err
	}
	defer t.stop(alone)
	t.say("%d silent sessions", manySilent)
	end, err := silent(ctx, alone.Addr, manySilent)
	defer end()
	if err != nil {
		return err
	}
	held, err := memory(alone.PID, "VmRSS")
	all.add(fmt.Sprintf("memory with %d silent sessions", manySilent), atMost(150).in("MiB"), held)
	return err
}
