package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// crowd is the number of checksums of each package in the file with large groups.
const crowd = 100_000

// growth measures whether calls to a server with a large file are slower than to
// one with an empty file.
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
	fmt.Fprintf(t.stdout, "**Growth**: a file of %d rows, and one of two packages with %d checksums each; "+
		"%d clients, rounds: %d, each load measured for %v\n\n", t.rows, crowd, t.load.Clients, t.rounds, t.load.Duration)
	ratios.write(t.stdout, "time a call, ratio to a file that was empty")
	if err := t.dumpAll(ctx, dir, &starts); err != nil {
		return err
	}
	starts.write(t.stdout, fmt.Sprintf("a file of %d rows", t.rows))
	return nil
}

// growthCase is a large file and the number of its packages that clients ask for.
type growthCase struct {
	file, what string
	packages   int
}

func (t *tables) growthRound(ctx context.Context, round int, dir string, starts, ratios *figures) error {
	large := map[string]server{}
	for _, name := range []string{"rows", "crowd"} {
		s, err := t.ours.start(ctx, dir, name)
		if err != nil {
			return err
		}
		defer t.stop(s)
		large[name] = s
	}
	starts.add("from `--start` to the first answer", atMost(200).in("ms"), large["rows"].Ready.Seconds()*1000)
	all := t.rows / groupSize / 2
	few := min(all, t.load.Keys)
	for _, c := range []growthCase{
		{"rows", fmt.Sprintf("%d rows, %d packages asked for", t.rows, few), few},
		{"rows", fmt.Sprintf("%d rows, all packages asked for", t.rows), all},
		{"crowd", fmt.Sprintf("%d checksums of the package", crowd), 1},
	} {
		for _, newPercent := range []int{0, 100} {
			l := t.load
			l.Keys, l.NewPercent = c.packages, newPercent
			kind := map[int]string{0: "known", 100: "new"}[newPercent]
			t.say("round %d of %d: getPR %s, %s", round+1, t.rounds, kind, c.what)
			was, err := t.measureEmpty(ctx, l, 1, dir)
			if err != nil {
				return err
			}
			is, err := t.measure(ctx, l, large[c.file], noTick)
			if err != nil {
				return err
			}
			ratios.add(kind+": "+c.what, atMost(1.3), quotient(was.CallsPerSecond, is.CallsPerSecond))
			ratios.add(kind+": "+c.what+", CPU", none, quotient(is.CPUPerCall, was.CPUPerCall))
		}
	}
	return nil
}

// measureEmpty measures the same load, of a generation, on a new server. It asks for as many
// packages, because their number matters in a small file too.
func (t *tables) measureEmpty(ctx context.Context, l load, generation int, dir string) (*results, error) {
	defer os.RemoveAll(filepath.Join(dir, "empty"))
	s, err := t.ours.start(ctx, dir, "empty")
	if err != nil {
		return nil, err
	}
	defer t.stop(s)
	s.generation = generation
	return t.measure(ctx, l, s, noTick)
}

// dumpAll measures the time and the memory of a dump of the large file, on a
// server that has done nothing else, so that all its memory is for the dump.
func (t *tables) dumpAll(ctx context.Context, dir string, all *figures) error {
	s, err := t.ours.start(ctx, dir, "rows")
	if err != nil {
		return err
	}
	defer t.stop(s)
	t.say("dump of %d rows", t.rows)
	before, err := memory(s.PID, "VmRSS")
	if err != nil {
		return err
	}
	if err := forgetPeak(s.PID); err != nil {
		return err
	}
	ms, dumpErr := readDump(ctx, s.Addr, t.rows)
	peak, err := memory(s.PID, "VmHWM")
	if err := oneLine(dumpErr, err); err != nil {
		return fmt.Errorf("dump of %d rows: %w", t.rows, err)
	}
	all.add("memory that a dump adds at its peak", atMost(32).in("MiB"), max(peak-before, 0.001))
	all.add("time of the dump", none.in("s"), ms/1000)
	return nil
}
