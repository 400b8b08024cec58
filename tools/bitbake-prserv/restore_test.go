package main

import (
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"prserver/prserv/history"
	"prserver/prserv/place"
	"prserver/prserv/prservtest"
	"prserver/prserv/store"
	"prserver/tools/internal/scripttest"
)

// greatest is the greatest value of each version, for one pkgarch.
type greatest map[string]int64

// TestRestores lets servers be stopped and killed, and their file be copied and
// restored by every means, at random. Two things have to hold: no version gets a
// value at or below one that was given out in the life of the file that is served;
// and no start is refused if nothing was put beside a log, and the history beside
// the file knows of nothing that it lacks.
func TestRestores(t *testing.T) {
	rounds := 25
	if scripttest.IsLong() {
		rounds = 1000
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	h := &life{t: t, random: rand.New(rand.NewPCG(seed, 0)), given: greatest{}}
	h.file = filepath.Join(t.TempDir(), "prserv.sqlite3")
	for round := 0; round < rounds && !t.Failed(); round++ {
		h.serve()
		h.restore()
	}
	if h.served < rounds/2 || rounds > 500 && (h.refused == 0 || h.killed == 0 || h.brought == 0) {
		t.Errorf("%d rounds served, %d starts refused, %d servers killed: this shows little", h.served, h.refused, h.killed)
	}
	t.Logf("%d rounds served, %d starts refused, values brought back %d times, %d servers killed", h.served, h.refused, h.brought, h.killed)
}

// life is what became of a file.
type life struct {
	t      *testing.T
	random *rand.Rand
	file   string
	given  greatest // what was given out in the life of the file
	copies []string // of the file alone
	asked  int
	// behindLog is the file that the log belongs to, if another one was put
	// beside it.
	behindLog string

	served, refused, killed, brought int
}

func (h *life) chance(percent int) bool { return h.random.IntN(100) < percent }

// serve starts a server, asks it, and ends it.
func (h *life) serve() {
	h.t.Helper()
	p, refusal := tryStart(h.t, h.file)
	if p == nil {
		h.refuse(refusal)
		return
	}
	if h.behindLog != "" { // the log fitted, or had nothing in it
		h.behindLog = ""
	}
	h.served++
	for range h.random.IntN(12) {
		h.ask(p.addr, true)
	}
	if h.chance(30) {
		scripttest.WaitFor(h.t, "the log to be empty", func() bool { return size(h.file+"-wal") == 0 })
	}
	if h.chance(30) {
		h.copyFile()
	}
	if h.chance(20) {
		h.askReadOnly()
	}
	for range h.random.IntN(6) {
		h.ask(p.addr, true)
	}
	if h.chance(60) {
		h.killed++
		p.kill(h.t)
	} else {
		p.stop(h.t)
	}
}

// ask asks for a new value, which must be above all that were given out.
func (h *life) ask(addr string, stored bool) {
	h.t.Helper()
	version := fmt.Sprintf("v%d", h.random.IntN(5))
	h.asked++
	v, err := ask(addr).GetPR(h.t.Context(), version, "all", fmt.Sprint("checksum", h.asked))
	given, ok := h.given[version]
	if err != nil || ok && v <= given {
		h.t.Fatalf("getPR of %s: got %d, %v; %d was given out", version, v, err, given)
	}
	if stored {
		h.given[version] = v
	}
}

// askReadOnly asks a read-only server beside the other one.
func (h *life) askReadOnly() {
	h.t.Helper()
	if size(h.file) == 0 {
		return
	}
	p, refusal := tryStart(h.t, h.file, "--read-only")
	if p == nil {
		h.t.Fatalf("a read-only server is refused: %s", refusal)
	}
	h.ask(p.addr, false)
	p.stop(h.t)
}

// refuse takes one of the two ways on that a refusal names.
func (h *life) refuse(said string) {
	h.t.Helper()
	h.refused++
	if strings.Contains(said, " is an older copy, or a new one: ") {
		h.bringBack()
		return
	}
	log := h.file + "-wal"
	if h.behindLog == "" || !strings.Contains(said, "mv "+log+" "+log+".other") || strings.Count(said, "\n") != 1 {
		h.t.Fatalf("refused: %s", said)
	}
	if h.chance(50) {
		h.must(os.Rename(log, log+".other"))
		h.given = h.read(h.file)
	} else {
		h.must(os.Remove(h.file))
		h.must(os.Rename(h.behindLog, h.file))
	}
	h.behindLog = ""
}

// bringBack takes one of the two ways on where the file lacks what its history has.
// The history may lack the last second before a kill.
func (h *life) bringBack() {
	h.t.Helper()
	h.behindLog = ""
	past := history.Beside(h.file)
	if h.chance(50) {
		h.must(os.Rename(past, past+".other"))
	} else {
		from, to := place.Place{Kind: place.History, Name: past}, place.Place{Kind: place.Database, Name: h.file}
		_, err := (&place.Work{}).Copy(h.t.Context(), from, to, place.CopyOptions{})
		h.must(err)
		h.brought++
	}
	h.given = h.read(h.file)
}

// copyFile makes a copy of the file alone.
func (h *life) copyFile() {
	h.t.Helper()
	to := filepath.Join(h.t.TempDir(), "copy")
	h.must(copyTo(h.file, to))
	h.copies = append(h.copies, to)
}

// restore puts something else into the place of the file, or leaves it.
func (h *life) restore() {
	h.t.Helper()
	switch h.random.IntN(6) {
	case 0: // another folder, with all that is in the old one
		copied, err := copyDatabase(h.file, h.t.TempDir())
		h.must(err)
		h.file = copied
	case 1, 2:
		if len(h.copies) > 0 && h.behindLog == "" {
			h.put(h.copies[h.random.IntN(len(h.copies))])
		}
	case 3:
		if h.behindLog == "" {
			h.copyFile()
		}
	}
}

// put puts a copy into the place of the file.
func (h *life) put(copied string) {
	h.t.Helper()
	if size(h.file+"-wal") > 0 {
		h.behindLog = filepath.Join(h.t.TempDir(), "original")
		h.must(copyTo(h.file, h.behindLog))
	}
	content := h.read(copied)
	switch h.random.IntN(4) {
	case 0: // cp
		h.must(copyTo(copied, h.file))
	case 1: // mv
		h.must(copyTo(copied, h.file+".new"))
		h.must(os.Rename(h.file+".new", h.file))
	case 2: // a link is turned
		other := filepath.Join(h.t.TempDir(), filepath.Base(h.file))
		h.must(copyTo(copied, other))
		h.must(os.Remove(h.file))
		h.must(os.Symlink(other, h.file))
		// Beside what the link names there is no log.
		h.behindLog, h.given = "", content
		h.file = other
		return
	case 3: // a dump is restored
		dump, err := exec.Command(prservtest.SQLite3(h.t), copied, ".dump").Output()
		h.must(err)
		h.must(os.Remove(h.file))
		db, err := sql.Open("sqlite3", filepath.Join(h.t.TempDir(), "restored"))
		h.must(err)
		_, err = db.Exec(string(dump))
		h.must(err)
		var file string
		h.must(db.QueryRow("SELECT file FROM pragma_database_list").Scan(&file))
		h.must(db.Close())
		h.must(os.Rename(file, h.file))
	}
	if h.behindLog == "" {
		h.given = content
		return
	}
	// If the log fits all the same, the file has all that was given out; if it
	// does not, it is refused.
}

// read returns what a file alone has.
func (h *life) read(file string) greatest {
	h.t.Helper()
	alone := filepath.Join(h.t.TempDir(), "alone")
	h.must(copyTo(file, alone))
	db, err := sql.Open("sqlite3", alone)
	h.must(err)
	defer db.Close()
	rows, err := db.Query("SELECT version, max(value) FROM " + store.NohistTable + " GROUP BY version")
	if err != nil && strings.Contains(err.Error(), "no such table") {
		return greatest{}
	}
	h.must(err)
	defer rows.Close()
	found := greatest{}
	for rows.Next() {
		var version string
		var value int64
		h.must(rows.Scan(&version, &value))
		found[version] = value
	}
	h.must(rows.Err())
	return found
}

func (h *life) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func size(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}

// copyTo copies a file as cp does: the inode of the destination stays.
func copyTo(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	return err
}

// tryStart starts the program on a file. If it does not serve, it returns what
// the program said instead.
func tryStart(t *testing.T, file string, options ...string) (*program, string) {
	t.Helper()
	args := append([]string{"--foreground", "--host", "127.0.0.1", "--port", "0", "--file", file, "--loglevel", "INFO"}, options...)
	p, serving := launch(t, exec.Command("bitbake-prserv", args...))
	select {
	case m := <-serving:
		p.addr = m[2] + ":" + m[3]
		return p, ""
	case <-p.ended:
		var lines []string
		for line := range strings.Lines(p.said()) {
			if !strings.HasPrefix(line, "NOTE: ") && !strings.HasPrefix(line, "WARNING: ") {
				lines = append(lines, line)
			}
		}
		return nil, strings.Join(lines, "")
	case <-time.After(scripttest.Patience):
		t.Fatalf("the server neither serves nor ends:\n%s", p.said())
		return nil, ""
	}
}
