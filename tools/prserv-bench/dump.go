package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"prserver/prserv/store"
)

const (
	dumpRows      = 40_000
	dumpsPerRound = 5
	// dumpTimeout is for a dump of the largest file.
	dumpTimeout = 15 * time.Minute
	// groupSize is the number of checksums that a package has in a file that
	// makeFile makes. The last of them is the known one.
	groupSize = 100
)

// makeFile makes a database file in dir/name: it lets the program create its
// table, and fills that with rows. group is the number of checksums of each
// package. Clients ask for the first half of the packages.
func (t *tables) makeFile(ctx context.Context, p program, dir, name string, rows, group int) error {
	t.say("making a file of %d rows for %s", rows, p.name)
	s, err := p.start(ctx, dir, name)
	if err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	return fill(ctx, s.File, fmt.Sprintf(`
		WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %[1]d)
		INSERT INTO PRMAIN_nohist SELECT 'bench-package-' || (i / %[2]d) || '-1.0-r0', 'core2-64',
			CASE i %% %[2]d WHEN %[2]d - 1 THEN 'known' ELSE lower(hex(randomblob(16))) END, i %% %[2]d FROM n;
	`, rows, group))
}

// addMain adds the table of generation 3 to the file in a folder, with all values
// of the other table.
func addMain(ctx context.Context, folder string) error {
	return fill(ctx, filepath.Join(folder, fileName), store.MainSchema+`
		INSERT INTO PRMAIN SELECT version, pkgarch, checksum, CAST(value AS TEXT) FROM PRMAIN_nohist;
	`)
}

// fill changes a file with SQL.
func fill(ctx context.Context, file, statements string) error {
	cmd := exec.CommandContext(ctx, "sqlite3", file)
	cmd.Stdin = strings.NewReader(`
		PRAGMA journal_mode = OFF;
		PRAGMA synchronous = OFF;
		PRAGMA cache_size = -400000;
	` + statements)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("filling %s: %w: %s", file, err, quoted(out))
	}
	return syncFile(file)
}

// syncFile writes a file to the disk, so that the first commit of a server does
// not have to.
func syncFile(name string) error {
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err == nil {
		err = errors.Join(file.Sync(), file.Close())
	}
	if err != nil {
		return fmt.Errorf("syncing %s: %w", name, err)
	}
	return nil
}

// readDump asks a server for a dump with gzip and returns how many milliseconds
// passed until the last byte had come. It returns an error unless the dump is
// complete and has so many rows. Unpacking is not in the time: it is the
// client's work.
func readDump(ctx context.Context, addr string, rows int) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, dumpTimeout)
	defer cancel()
	begin := time.Now()
	reply, err := ask(ctx, addr, "dump_db")
	if err != nil {
		return 0, err
	}
	defer reply.Body.Close()
	packed, err := io.ReadAll(reply.Body)
	ms := milliseconds(begin)
	switch {
	case err != nil:
		return 0, fmt.Errorf("reading a dump: %w", err)
	case reply.Header.Get("Content-Encoding") != "gzip":
		return 0, errors.New("the dump came without gzip")
	}
	return ms, checkDump(bytes.NewReader(packed), rows)
}

// ask calls a method without arguments, as a client that accepts gzip. The caller
// unpacks the body and closes it.
func ask(ctx context.Context, addr, method string) (*http.Response, error) {
	body := "<?xml version='1.0'?>\n<methodCall>\n<methodName>" + method + "</methodName>\n<params>\n</params>\n</methodCall>\n"
	request, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+"/RPC2", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "text/xml")
	request.Header.Set("Accept-Encoding", "gzip") // so that net/http does not unpack it
	request.Header.Set("User-Agent", "Python-xmlrpc/3.8")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	reply, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if reply.StatusCode != http.StatusOK {
		reply.Body.Close()
		return nil, fmt.Errorf("%s answered %s to %s", addr, reply.Status, method)
	}
	return reply, nil
}

// checkDump returns an error unless a packed dump is complete and has so many
// rows.
func checkDump(packed io.Reader, rows int) error {
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		return fmt.Errorf("unpacking a dump: %w", err)
	}
	lines := bufio.NewReader(unpacked)
	inserts, complete := 0, false
	var end error
	for end == nil || errors.Is(end, bufio.ErrBufferFull) {
		var line []byte
		line, end = lines.ReadSlice('\n')
		switch {
		case bytes.HasPrefix(line, []byte("INSERT INTO")):
			inserts++
		case bytes.HasPrefix(line, []byte("COMMIT;")):
			complete = true
		}
	}
	switch {
	case end != io.EOF:
		return fmt.Errorf("unpacking a dump: %w", end)
	case !complete || inserts < rows:
		return fmt.Errorf("the dump of %d rows has %d, and complete is %v", rows, inserts, complete)
	}
	return nil
}

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since)) / float64(time.Millisecond)
}

// dump measures how long a dump takes, and how much it slows down other clients.
func (t *tables) dump(ctx context.Context, dir string) error {
	if err := t.makeFile(ctx, t.ours, dir, "ours", dumpRows, groupSize); err != nil {
		return err
	}
	ours, err := t.ours.start(ctx, dir, "ours")
	if err != nil {
		return err
	}
	defer t.stop(ours)
	ways := map[string]func() (float64, error){
		"ours": func() (float64, error) { return readDump(ctx, ours.Addr, dumpRows) },
		"sqlite3": func() (float64, error) {
			begin := time.Now()
			err := exec.CommandContext(ctx, "sqlite3", ours.File, ".dump").Run()
			return milliseconds(begin), err
		},
	}
	if t.speaks(1) {
		if err := t.makeFile(ctx, *t.reference, dir, "reference", dumpRows, groupSize); err != nil {
			return err
		}
		ref, err := t.reference.start(ctx, dir, "reference")
		if err != nil {
			return err
		}
		defer t.stop(ref)
		ways["Python"] = func() (float64, error) { return readDump(ctx, ref.Addr, dumpRows) }
	}
	var table figures
	for round := range t.rounds {
		t.say("round %d of %d: dumps", round+1, t.rounds)
		ms, err := timeDumps(ways)
		if err != nil {
			return err
		}
		table.add("dump, over the wire with gzip", none.in("ms"), ms["ours"])
		table.add("`sqlite3 FILE .dump`", none.in("ms"), ms["sqlite3"])
		table.add("Python's dump, over the wire with gzip", none.in("ms"), ms["Python"])
		table.add("time of the dump, to `sqlite3 FILE .dump`", atMost(2), quotient(ms["ours"], ms["sqlite3"]))
		table.add("time of the dump, to Python's", none, quotient(ms["ours"], ms["Python"]))
		if err := t.besideDumps(ctx, round, ours, &table); err != nil {
			return err
		}
	}
	fmt.Fprintf(t.stdout, "**Dumps** of %d rows, rounds: %d; getPR known with %d clients, measured for %v\n\n",
		dumpRows, t.rounds, t.load.Clients, t.load.Duration)
	table.write(t.stdout, "what")
	return nil
}

// timeDumps makes some dumps in each way, in turns, and returns the median times
// in milliseconds.
func timeDumps(ways map[string]func() (float64, error)) (map[string]float64, error) {
	all, medians := map[string][]float64{}, map[string]float64{}
	for range dumpsPerRound {
		for name, dump := range ways {
			ms, err := dump()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			all[name] = append(all[name], ms)
		}
	}
	for name, each := range all {
		medians[name] = median(each)
	}
	return medians, nil
}

// besideDumps measures known calls twice: without dumps, and while a client asks
// for one dump after the other.
func (t *tables) besideDumps(ctx context.Context, round int, s server, table *figures) error {
	l := t.load
	l.Keys = dumpRows / groupSize / 2
	t.say("round %d of %d: getPR known without dumps", round+1, t.rounds)
	without, err := t.measure(ctx, l, s, noTick)
	if err != nil {
		return err
	}
	t.say("round %d of %d: getPR known beside dumps", round+1, t.rounds)
	dumping, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	dumps, begin := 0, time.Now()
	go func() {
		for {
			if _, err := readDump(dumping, s.Addr, dumpRows); err != nil {
				ended <- err
				return
			}
			dumps++
		}
	}()
	with, err := t.measure(ctx, l, s, noTick)
	stop()
	dumpErr := <-ended
	lasted := time.Since(begin)
	switch {
	case err != nil:
		return err
	case !errors.Is(dumpErr, context.Canceled):
		return fmt.Errorf("dumping beside calls: %w", dumpErr)
	}
	table.add("p99 of getPR known without dumps", none.in("ms"), without.P99/1000)
	table.add("p99 of getPR known beside dumps", none.in("ms"), with.P99/1000)
	table.add("dumps meanwhile", none.in("a second"), float64(dumps)/lasted.Seconds())
	table.add("p99 of getPR known beside dumps, to that without", atMost(2), quotient(with.P99, without.P99))
	return nil
}
