package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// sectorSize is the number of bytes that a disk writes all or none of.
const sectorSize = 512

// disk is a model of a disk that holds the folder of a database. After a power cut
// it has what was synced, and any part of the rest. This holds for names too: a
// file is sure to be found only if its folder was synced after the file got its
// name.
//
// The model leaves out the server's lock and the index of the log, which is not
// read after a power cut.
type disk struct {
	dir     string
	ignores func(path string) bool // whose syncs do nothing, for tests of the test

	named    map[string]*diskFile // by their names now
	durable  map[string]*diskFile // by the names that are sure to survive a power cut
	renamed  []naming             // since durable
	syncing  map[*sysCall]syncMark
	doneCall map[*sysCall]bool
}

// naming is a change of a name in a folder. file is nil if the name was removed.
type naming struct {
	name string
	file *diskFile
	by   *sysCall
}

// diskFile is a file: the content that is sure to survive, and the changes since.
type diskFile struct {
	durable []byte
	pending []*sysCall
	passed  int // number of changes that are durable now
}

// syncMark records what a sync covers: the changes that were complete when it
// began.
type syncMark struct {
	file  *diskFile // nil is the folder
	upTo  int
	names []naming
}

func newDisk(dir string, ignores func(path string) bool) *disk {
	return &disk{
		dir: dir, ignores: ignores, named: map[string]*diskFile{}, durable: map[string]*diskFile{},
		syncing: map[*sysCall]syncMark{}, doneCall: map[*sysCall]bool{},
	}
}

// see applies the next event of the server.
func (d *disk) see(e event) error {
	if e.ended {
		return d.seeEnd(e.sysCall)
	}
	if e.path == d.dir {
		if e.syncs() && !d.ignores(e.path) {
			d.syncing[e.sysCall] = syncMark{names: d.completeNamings()}
		}
		return nil
	}
	name := filepath.Base(e.path)
	if filepath.Dir(e.path) != d.dir || strings.HasSuffix(name, "-shm") || strings.HasSuffix(name, "-lock") {
		return nil
	}
	file := d.named[name]
	switch {
	case e.name == "openat":
		if file == nil && strings.Contains(e.flags, "O_CREAT") {
			d.rename(name, &diskFile{}, e.sysCall)
		}
		if strings.Contains(e.flags, "O_TRUNC") {
			return fmt.Errorf("%s is emptied when opened, which is not provided for", name)
		}
	case e.name == "unlink" || e.name == "unlinkat":
		d.rename(name, nil, e.sysCall)
	case file == nil:
		return fmt.Errorf("%s of %s, which is not there", e.name, name)
	case e.name == "pwrite64" || e.name == "ftruncate":
		file.pending = append(file.pending, e.sysCall)
	case e.syncs():
		if d.ignores(e.path) {
			return nil
		}
		mark := syncMark{file: file, upTo: file.passed}
		for _, change := range file.pending {
			if !d.doneCall[change] {
				break // it may be too late for this sync
			}
			mark.upTo++
		}
		d.syncing[e.sysCall] = mark
	default:
		return fmt.Errorf("%s of %s, which is not provided for", e.name, name)
	}
	return nil
}

func (d *disk) rename(name string, file *diskFile, by *sysCall) {
	d.renamed = append(d.renamed, naming{name, file, by})
	if file == nil {
		delete(d.named, name)
	} else {
		d.named[name] = file
	}
}

// completeNamings returns the changes of names whose calls have ended.
func (d *disk) completeNamings() []naming {
	n := 0
	for n < len(d.renamed) && d.doneCall[d.renamed[n].by] {
		n++
	}
	return d.renamed[:n:n]
}

func (d *disk) seeEnd(c *sysCall) error {
	d.doneCall[c] = true
	mark, ok := d.syncing[c]
	switch {
	case filepath.Dir(c.path) == d.dir && c.name == "pwrite64" && c.result != int64(len(c.data)):
		return fmt.Errorf("%d of %d bytes written to %s", c.result, len(c.data), c.path)
	case !ok:
		return nil
	case c.result != 0:
		return fmt.Errorf("%s of %s returned %d", c.name, c.path, c.result)
	}
	delete(d.syncing, c)
	if mark.file == nil {
		for _, n := range mark.names {
			d.durable = withName(d.durable, n)
		}
		// Another sync may have ended first.
		for len(d.renamed) > 0 && len(mark.names) > 0 && d.renamed[0] == mark.names[0] {
			d.renamed, mark.names = d.renamed[1:], mark.names[1:]
		}
		return nil
	}
	for f := mark.file; f.passed < mark.upTo; f.passed++ {
		f.durable = changed(f.durable, f.pending[0], func(int64) bool { return true })
		f.pending = f.pending[1:]
	}
	return nil
}

func withName(names map[string]*diskFile, n naming) map[string]*diskFile {
	names = maps.Clone(names)
	if n.file == nil {
		delete(names, n.name)
	} else {
		names[n.name] = n.file
	}
	return names
}

// changed returns content after a write or truncation, of which only the sectors
// that survive reach the disk.
func changed(content []byte, c *sysCall, survives func(sector int64) bool) []byte {
	if c.name == "ftruncate" {
		return resized(content, c.offset)
	}
	for at := int64(0); at < int64(len(c.data)); {
		sector := (c.offset + at) / sectorSize
		end := min((sector+1)*sectorSize-c.offset, int64(len(c.data)))
		if survives(sector) {
			if int64(len(content)) < c.offset+end {
				content = resized(content, c.offset+end)
			}
			copy(content[c.offset+at:], c.data[at:end])
		}
		at = end
	}
	return content
}

func resized(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}

// powerCut says how much survives of what was not synced.
type powerCut int

const (
	losesAll  powerCut = iota
	losesSome          // of each sector and each name, what came after some moment
	losesNone
)

// write writes to a folder the files that are left after a power cut.
func (d *disk) write(to string, cut powerCut, random *rand.Rand) error {
	// until chooses how many of n changes reach the disk.
	until := func(n int) int {
		switch {
		case cut == losesAll:
			return 0
		case cut == losesNone:
			return n
		case random.IntN(2) == 0:
			return n * random.IntN(2)
		}
		return random.IntN(n + 1)
	}
	names := d.durable
	for _, n := range d.renamed {
		if until(1) == 1 {
			names = withName(names, n)
		}
	}
	for name, file := range names {
		content := append([]byte(nil), file.durable...)
		sectors := map[int64]int{}
		sizes := until(len(file.pending))
		for i, change := range file.pending {
			if change.name == "ftruncate" && i >= sizes {
				continue
			}
			content = changed(content, change, func(sector int64) bool {
				if _, ok := sectors[sector]; !ok {
					sectors[sector] = until(len(file.pending))
				}
				return i < sectors[sector]
			})
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// isCheckpointing reports whether the database file itself has changes that are
// not synced.
func (d *disk) isCheckpointing(name string) bool {
	file := d.named[name]
	return file != nil && len(file.pending) > 0
}
