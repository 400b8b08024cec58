// Package pages reads the records that stand in the pages of a SQLite file, page
// by page and without SQLite, so that damage to one page costs the records of
// that page only.
//
// It follows the public description of SQLite's file format. Start with [Open]
// and [File.Walk].
package pages

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"prserver/prserv/dbfile"
)

const (
	headerSize  = 100
	minPageSize = 512
	maxPageSize = 65536
	// sampled is how much of a file is read to find out how large its pages are.
	sampled = 32 << 20
)

// magic is how a SQLite file begins.
const magic = "SQLite format 3\x00"

var errNoPage = errors.New("there is no such page")

// File is a SQLite file, maybe a damaged one. One goroutine at a time may use
// it.
type File struct {
	file, log *os.File
	size      int64            // of the file
	inLog     map[uint32]int64 // pages of which the write-ahead log has the last content
	pageSize  int
	usable    int    // how much of a page is in use
	count     uint32 // how many pages there are
	should    uint32 // how many there are by the header of the file
	// known are pages that are no nodes of a b-tree, and need not be.
	known map[uint32]bool
	// further is how many pages may still be read in which records go on. A
	// damaged file may lead to the same ones again and again.
	further int64
}

// Record is a row of a table, or an entry of an index, which ends with the rowid
// of its row.
type Record struct {
	Index  bool
	Values []any // nil, int64, float64, string or []byte
}

// Damage says how much of a file could not be read.
type Damage struct {
	Pages   int64 // that could not be read, or not all of it
	OfPages int64 // how many there are, or were
}

// Open opens a file, and the write-ahead log beside it.
func Open(name string) (*File, error) {
	f := &File{known: map[uint32]bool{}}
	var err error
	if f.file, err = os.Open(name); err != nil {
		return nil, err
	}
	if err = f.open(name); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *File) open(name string) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	f.size = info.Size()
	logPages, logPageSize, err := dbfile.LogPages(name + "-wal")
	if err == nil && len(logPages) > 0 {
		f.log, err = os.Open(name + "-wal")
	}
	if err != nil {
		return err
	}
	if len(logPages) > 0 {
		f.setPageSize(logPageSize, 0)
		f.inLog = logPages
	}
	var header [headerSize]byte
	first, err := f.page(1)
	if err != nil {
		n, _ := f.file.ReadAt(header[:], 0)
		first = header[:n]
	}
	size, reserved, ok := pageSizeOf(first)
	switch {
	case ok:
		f.setPageSize(size, reserved)
		f.should = binary.BigEndian.Uint32(first[28:])
	case f.pageSize == 0:
		f.guessPageSize()
	}
	for number := range f.inLog {
		f.count = max(f.count, number)
	}
	return nil
}

// pageSizeOf returns what the header of a file says of its pages.
func pageSizeOf(header []byte) (size, reserved int, ok bool) {
	if len(header) < headerSize || string(header[:len(magic)]) != magic {
		return 0, 0, false
	}
	size, reserved = int(binary.BigEndian.Uint16(header[16:])), int(header[20])
	if size == 1 {
		size = maxPageSize
	}
	ok = size >= minPageSize && size <= maxPageSize && size&(size-1) == 0 && size-reserved >= 480
	return size, reserved, ok
}

func (f *File) setPageSize(size, reserved int) {
	f.pageSize, f.usable = size, size-reserved
	f.count = uint32((f.size + int64(size) - 1) / int64(size))
	f.allowFurther()
}

// allowFurther lets a walk read pages in which records go on: each of a whole
// file is read once, for its table or an index.
func (f *File) allowFurther() { f.further = 1000 + 4*int64(f.count) }

// guessPageSize takes the size with which the beginning of the file has the most
// records.
func (f *File) guessPageSize() {
	best, most := 0, -1
	for size := minPageSize; size <= maxPageSize; size *= 2 {
		f.setPageSize(size, 0)
		records := 0
		for number := uint32(1); number <= min(f.count, uint32(sampled/size)); number++ {
			if n := f.node(number); n != nil {
				for _, at := range n.cells {
					if _, ok := f.record(n, at); ok {
						records++
					}
				}
			}
		}
		if records > most {
			best, most = size, records
		}
	}
	f.setPageSize(best, 0)
	clear(f.known)
}

// Close closes the file.
func (f *File) Close() {
	f.file.Close()
	if f.log != nil {
		f.log.Close()
	}
}

// page reads a page. The last one of a file that was cut short is short, too.
func (f *File) page(number uint32) ([]byte, error) {
	if at, ok := f.inLog[number]; ok {
		page := make([]byte, f.pageSize)
		_, err := f.log.ReadAt(page, at)
		return page, err
	}
	return f.pageOfFile(number)
}

// pageOfFile reads a page as it was before the log.
func (f *File) pageOfFile(number uint32) ([]byte, error) {
	if number == 0 || number > f.count {
		return nil, errNoPage
	}
	page := make([]byte, f.pageSize)
	n, err := f.file.ReadAt(page, int64(number-1)*int64(f.pageSize))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return page[:n], nil
}

// node reads a page of a b-tree, or returns nil if it is none.
func (f *File) node(number uint32) *node {
	page, err := f.page(number)
	if err != nil {
		return nil
	}
	return nodeOf(number, page, f.usable)
}

// Walk calls each with every record of the file, and returns its first error.
// Records of tables that are not wanted are left out, as far as the file still
// says whose they are. Tell is told now and then how much is done, from 0 to 1.
func (f *File) Walk(ctx context.Context, wanted func(table string) bool, tell func(part float64), each func(Record) error) (Damage, error) {
	f.allowFurther()
	unwanted := f.unwanted(wanted)
	f.walkFree()
	damage := Damage{OfPages: int64(max(f.count, f.should))}
	damage.Pages = damage.OfPages - int64(f.count)
	var strange []uint32 // pages that are no nodes
	for number := uint32(1); number <= f.count; number++ {
		if number%256 == 0 {
			if err := ctx.Err(); err != nil {
				return damage, err
			}
			tell(float64(number) / float64(f.count))
		}
		if unwanted[number] {
			continue
		}
		n := f.node(number)
		if n == nil {
			strange = append(strange, number)
			continue
		}
		whole, err := f.walkNode(n, each)
		if err != nil {
			return damage, fmt.Errorf("page %d: %w", number, err)
		}
		if !whole {
			damage.Pages++
		}
	}
	for _, number := range strange {
		if !f.known[number] {
			damage.Pages++
		}
	}
	return damage, f.walkBelowLog(unwanted, each)
}

// walkBelowLog calls each with the records of the pages of which the log has
// later ones. Where the first page is damaged, nobody knows whether the log
// belongs to the file, and they may be all that there is.
func (f *File) walkBelowLog(unwanted map[uint32]bool, each func(Record) error) error {
	for _, number := range slices.Sorted(maps.Keys(f.inLog)) {
		page, err := f.pageOfFile(number)
		if err != nil || unwanted[number] {
			continue
		}
		if n := nodeOf(number, page, f.usable); n != nil {
			if _, err := f.walkNode(n, each); err != nil {
				return fmt.Errorf("page %d: %w", number, err)
			}
		}
	}
	return nil
}

// walkNode calls each with the records of a page, and tells whether all of it
// could be read.
func (f *File) walkNode(n *node, each func(Record) error) (whole bool, err error) {
	if n.kind == tableInner {
		return !slices.Contains(n.cells, 0), nil
	}
	whole = true
	for _, at := range n.cells {
		v, ok := f.record(n, at)
		if !ok {
			whole = false
			continue
		}
		if err := each(Record{n.isIndex(), v}); err != nil {
			return whole, err
		}
	}
	return whole, nil
}

// unwanted finds the pages of the tables that are not wanted, by the schema in
// the first page.
// Source: SQLite's file format, "Storage Of The SQL Database Schema".
func (f *File) unwanted(wanted func(table string) bool) map[uint32]bool {
	pages := map[uint32]bool{}
	schema := map[uint32]bool{}
	f.mark(1, schema)
	for number := range schema {
		n := f.node(number)
		if n == nil || n.kind != tableLeaf {
			continue
		}
		for _, at := range n.cells {
			v, ok := f.record(n, at)
			if !ok || len(v) != 5 {
				continue
			}
			table, isText := v[2].(string)
			root, isNumber := v[3].(int64)
			if isText && isNumber && root > 1 && root <= int64(f.count) && !wanted(table) {
				f.mark(uint32(root), pages)
			}
		}
	}
	return pages
}

// mark marks the pages of a tree.
func (f *File) mark(root uint32, marked map[uint32]bool) {
	n := f.node(root)
	if n == nil || marked[root] {
		return
	}
	marked[root] = true
	if n.isInner() {
		for _, child := range n.children() {
			f.mark(child, marked)
		}
	}
}

// walkFree finds the pages that are not in use. They are read all the same: what
// is left in them was once true.
// Source: SQLite's file format, "The Freelist".
func (f *File) walkFree() {
	first, err := f.page(1)
	if err != nil || len(first) < headerSize {
		return
	}
	trunk := binary.BigEndian.Uint32(first[32:])
	for !f.known[trunk] {
		page, err := f.page(trunk)
		if err != nil || len(page) < f.usable {
			return
		}
		f.known[trunk] = true
		leaves := binary.BigEndian.Uint32(page[4:])
		for i := uint32(0); i < leaves && int(8+4*i+4) <= f.usable; i++ {
			f.known[binary.BigEndian.Uint32(page[8+4*i:])] = true
		}
		trunk = binary.BigEndian.Uint32(page)
	}
}
