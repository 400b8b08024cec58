package pages

import (
	"encoding/binary"
	"math"
)

// The kinds of pages of a b-tree.
// Source: SQLite's file format, "B-tree Pages".
const (
	indexInner = 0x02
	tableInner = 0x05
	indexLeaf  = 0x0a
	tableLeaf  = 0x0d
)

// maxPayload bounds a record: a damaged page may say that one has any length.
const maxPayload = 16 << 20

// node is a page of a b-tree.
type node struct {
	kind  byte
	data  []byte // the page, as far as it is there and records may stand in it
	from  int    // where its header begins
	cells []int  // where its cells begin; 0 where that is no place of a cell
}

func (n *node) isIndex() bool { return n.kind == indexInner || n.kind == indexLeaf }
func (n *node) isInner() bool { return n.kind == indexInner || n.kind == tableInner }

// nodeOf takes a page for one of a b-tree, or returns nil if it is none.
func nodeOf(number uint32, page []byte, usable int) *node {
	n := &node{data: page[:min(usable, len(page))]}
	if number == 1 {
		n.from = headerSize
	}
	if len(n.data) < n.from+12 {
		return nil
	}
	h := n.data[n.from:]
	n.kind = h[0]
	first := n.from + 8
	switch n.kind {
	case indexLeaf, tableLeaf:
	case indexInner, tableInner:
		first += 4
	default:
		return nil
	}
	count := int(binary.BigEndian.Uint16(h[3:]))
	if first+2*count > len(n.data) {
		return nil
	}
	for i := range count {
		at := int(binary.BigEndian.Uint16(n.data[first+2*i:]))
		if at < first+2*count || at+4 > len(n.data) {
			at = 0
		}
		n.cells = append(n.cells, at)
	}
	return n
}

// children are the pages below an inner page.
func (n *node) children() []uint32 {
	pages := []uint32{binary.BigEndian.Uint32(n.data[n.from+8:])}
	for _, at := range n.cells {
		if at > 0 {
			pages = append(pages, binary.BigEndian.Uint32(n.data[at:]))
		}
	}
	return pages
}

// record reads the record of a cell. The second result is false if there is
// none, or none that is whole.
func (f *File) record(n *node, at int) ([]any, bool) {
	if at == 0 {
		return nil, false
	}
	if n.isInner() {
		at += 4 // the page below
	}
	size, used := varint(n.data[at:])
	if used == 0 || size > maxPayload {
		return nil, false
	}
	at += used
	if n.kind == tableLeaf {
		_, used := varint(n.data[at:]) // the rowid
		if used == 0 {
			return nil, false
		}
		at += used
	}
	payload, ok := f.payload(n, at, int(size))
	if !ok {
		return nil, false
	}
	return values(payload)
}

// payload returns the bytes of a record that begins in a page, and may go on in
// others.
// Source: SQLite's file format, "Cell Payload Overflow Pages".
func (f *File) payload(n *node, at, size int) ([]byte, bool) {
	most := f.usable - 35
	if n.isIndex() {
		most = (f.usable-12)*64/255 - 23
	}
	local := size
	if size > most {
		least := (f.usable-12)*32/255 - 23
		if local = least + (size-least)%(f.usable-4); local > most {
			local = least
		}
	}
	if at+local > len(n.data) {
		return nil, false
	}
	if local == size {
		return n.data[at : at+size], true
	}
	if at+local+4 > len(n.data) || int64(size) > int64(f.count)*int64(f.usable) {
		return nil, false
	}
	payload := append([]byte(nil), n.data[at:at+local]...)
	next := binary.BigEndian.Uint32(n.data[at+local:])
	for len(payload) < size {
		if f.further--; f.further < 0 {
			return nil, false
		}
		page, err := f.page(next)
		end := min(f.usable, 4+size-len(payload))
		if err != nil || len(page) < end {
			return nil, false
		}
		f.known[next] = true
		next = binary.BigEndian.Uint32(page)
		payload = append(payload, page[4:end]...)
	}
	return payload, true
}

// values takes a record apart. The second result is false if it is none.
// Source: SQLite's file format, "Record Format".
func values(record []byte) ([]any, bool) {
	size, used := varint(record)
	if used == 0 || size > uint64(len(record)) || size < uint64(used) {
		return nil, false
	}
	header, body := record[used:size], record[size:]
	var out []any
	for len(header) > 0 {
		kind, used := varint(header)
		if used == 0 {
			return nil, false
		}
		header = header[used:]
		value, length, ok := valueOf(kind, body)
		if !ok {
			return nil, false
		}
		body = body[length:]
		out = append(out, value)
	}
	return out, len(body) == 0
}

// valueOf reads a value of a serial type, which says how long it is.
func valueOf(kind uint64, body []byte) (value any, length int, ok bool) {
	lengths := [...]int{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}
	switch {
	case kind < uint64(len(lengths)):
		length = lengths[kind]
	case kind < 12 || (kind-12)/2 > uint64(len(body)):
		return nil, 0, false
	default:
		length = int(kind-12) / 2
	}
	if length > len(body) {
		return nil, 0, false
	}
	switch {
	case kind == 0:
		return nil, 0, true
	case kind == 7:
		return math.Float64frombits(binary.BigEndian.Uint64(body)), length, true
	case kind == 8 || kind == 9:
		return int64(kind - 8), 0, true
	case kind < 7:
		number := int64(int8(body[0]))
		for _, b := range body[1:length] {
			number = number<<8 | int64(b)
		}
		return number, length, true
	case kind%2 == 1:
		return string(body[:length]), length, true
	}
	return append([]byte(nil), body[:length]...), length, true
}

// varint reads a number of up to nine bytes, and returns how many it has, or 0
// if there is none.
func varint(b []byte) (n uint64, used int) {
	for i, c := range b {
		if i == 8 {
			return n<<8 | uint64(c), 9
		}
		n = n<<7 | uint64(c&0x7f)
		if c < 0x80 {
			return n, i + 1
		}
	}
	return 0, 0
}
