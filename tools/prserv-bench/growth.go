package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// crowd is how many checksums the large groups have.
const crowd = 100_000

// growth measures whether a large file is slower than an empty one.
func (t *tables) growth(ctx context.Context, dir string) error {
	if err := t.makeFile(ctx, t.ours, dir, "rows", t.rows, groupSize); err != nil {
		return err
	}
	if err := t.makeFile(ctx, t.ours, dir, "crowd", 2*crowd, crowd); err != nil {
		return err
	}
	var starts, ratios figures
	for round := range t.rounds {
		if err := t.growthRound(ctx, round, dir, &starts, &ratios); err != nil {
			return err
		}
	}
	fmt.Fprintf(t.stdout, "**Growth**: a file of %d rows, and one of two packages with %d checksums each, to an empty file; "+
		"%d clients, rounds: %d, each load measured for %v\n\n", t.rows, crowd, t.load.Clients, t.rounds, t.load.Duration)
	ratios.write(t.stdout, "time a call, ratio to an empty file")
	if err := t.dumpAll(ctx, dir, &starts); err != nil {
		return err
	}
	starts.write(t.stdout, fmt.Sprintf("a file of %d rows", t.rows))
	return nil
}

func (t *tables) growthRound(ctx context.Context, round int, dir string, starts, ratios *figures) (err error) {
	if err := os.RemoveAll(filepath.Join(dir, "empty")); err != nil {
		return err
	}
	servers := map[string]*server{}
	for _, name := range []string{"empty", "rows", "crowd"} {
		s, err := t.start(ctx, t.ours, dir, name)
		if err != nil {
			return err
		}
		defer t.stop(s)
		servers[name] = s
	}
	starts.add("from `--start` to the first answer", atMost(200).in("ms"), servers["rows"].ready.Seconds()*1000)
	for _, kind := range []struct {
		name       string
		newPercent int
	}{{"known", 0}, {"new", 100}} {
		l := t.load
		l.NewPercent = kind.newPercent
		var empty *results
		packages := t.rows / groupSize / 2
		few := min(packages, t.load.Keys)
		for _, in := range []struct {
			server, what string
			keys         int
		}{
			{"empty", "", t.load.Keys},
			{"rows", fmt.Sprintf("%d rows, %d packages asked for", t.rows, few), few},
			{"rows", fmt.Sprintf("%d rows, all packages asked for", t.rows), packages},
			{"crowd", fmt.Sprintf("%d checksums of the package", crowd), 1},
		} {
			t.say("round %d of %d: getPR %s, %s file, %d packages", round+1, t.rounds, kind.name, in.server, in.keys)
			l.Keys = in.keys
			r, err := t.measure(ctx, l, servers[in.server], noTick)
			if err != nil {
				return err
			}
			if in.server == "empty" {
				empty = r
				continue
			}
			ratios.add(kind.name+": "+in.what, atMost(1.3), quotient(empty.CallsPerSecond, r.CallsPerSecond))
			ratios.add(kind.name+": "+in.what+": CPU", none, quotient(r.CPUPerCall, empty.CPUPerCall))
		}
	}
	return nil
}

// dumpAll measures what a dump of the large file takes. It is asked of a
// server that has done nothing else, so that none of its memory is from before.
func (t *tables) dumpAll(ctx context.Context, dir string, all *figures) error {
	s, err := t.start(ctx, t.ours, dir, "rows")
	if err != nil {
		return err
	}
	defer t.stop(s)
	t.say("dump of %d rows", t.rows)
	before, err := memory(s.pid, "VmRSS")
	if err != nil {
		return err
	}
	if err := forgetPeak(s.pid); err != nil {
		return err
	}
	ms, dumpErr := took(func() error { return readDump(ctx, s.addr, t.rows) })
	peak, err := memory(s.pid, "VmHWM")
	if err := oneLine(dumpErr, err); err != nil {
		return fmt.Errorf("dump of %d rows: %w", t.rows, err)
	}
	all.add("memory that a dump adds at its peak", atMost(32).in("MiB"), max(peak-before, 0.001))
	all.add("time of the dump", none.in("s"), ms/1000)
	return nil
}
