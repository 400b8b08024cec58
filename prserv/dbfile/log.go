package dbfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
)

// logContent is what SQLite would play of a write-ahead log.
type logContent struct {
	changes  bool    // there is something to play
	stamps   []Stamp // of the first page, as often as it comes
	pageSize int
	pages    map[uint32]int64 // where the last content of each page begins
}

const (
	logHeaderSize   = 32
	frameHeaderSize = 24
	logMagic        = 0x377f0682
)

// isLogMagic tells whether a log begins with a number. An odd one says that its
// checksums are of big-endian numbers.
func isLogMagic(number uint32) bool { return number&^1 == logMagic }

// readLog reads a write-ahead log as SQLite does when it recovers one: up to
// the last change that is complete. One that does not exist, or does not begin
// as one does, has nothing to play.
// Source: SQLite's file format, "The Write-Ahead Log".
func readLog(path string) (logContent, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return logContent{}, nil
	}
	if err != nil {
		return logContent{}, err
	}
	defer f.Close()
	var log logContent
	err = log.read(bufio.NewReaderSize(f, 1<<20))
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return log, fmt.Errorf("reading %s: %w", path, Reason(err))
	}
	return log, nil
}

// LogPages returns where in a write-ahead log SQLite would find the last content
// of each page, by the number of the page, and how large pages are. There is
// none in a log that does not exist or that SQLite would not play.
func LogPages(path string) (pages map[uint32]int64, pageSize int, err error) {
	log, err := readLog(path)
	return log.pages, log.pageSize, err
}

func (l *logContent) read(r io.Reader) error {
	header := make([]byte, logHeaderSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return err
	}
	number := func(b []byte, i int) uint32 { return binary.BigEndian.Uint32(b[4*i:]) }
	sum := checksum{order: binary.LittleEndian}
	if number(header, 0)&1 == 1 {
		sum.order = binary.BigEndian
	}
	pageSize := number(header, 2)
	sum.add(header[:24])
	if !isLogMagic(number(header, 0)) || !sum.is(header[24:]) || pageSize < 512 || pageSize > 65536 {
		return nil // SQLite plays nothing of it either
	}
	l.pageSize, l.pages = int(pageSize), map[uint32]int64{}
	frame := make([]byte, frameHeaderSize+pageSize)
	var stamps []Stamp // of the change that is being read, as its pages are
	pages := map[uint32]int64{}
	for at := int64(logHeaderSize); ; at += int64(len(frame)) {
		if _, err := io.ReadFull(r, frame); err != nil {
			return err
		}
		sum.add(frame[:8])
		sum.add(frame[frameHeaderSize:])
		if string(frame[8:16]) != string(header[16:24]) || !sum.is(frame[16:24]) {
			return nil // left of an older log, or cut short
		}
		if stamp, ok := StampOf(frame[frameHeaderSize:]); ok && number(frame, 0) == 1 {
			stamps = append(stamps, stamp)
		}
		pages[number(frame, 0)] = at + frameHeaderSize
		if size := number(frame, 1); size != 0 { // the last page of a change
			l.changes = true
			l.stamps = append(l.stamps, stamps...)
			stamps = nil
			maps.Copy(l.pages, pages)
			clear(pages)
		}
	}
}

// checksum is the running checksum of a write-ahead log.
type checksum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

func (c *checksum) add(data []byte) {
	s0, s1 := c.s0, c.s1
	if c.order == binary.LittleEndian { // the usual one, without a call for each number
		for ; len(data) >= 8; data = data[8:] {
			s0 += binary.LittleEndian.Uint32(data) + s1
			s1 += binary.LittleEndian.Uint32(data[4:]) + s0
		}
	} else {
		for ; len(data) >= 8; data = data[8:] {
			s0 += binary.BigEndian.Uint32(data) + s1
			s1 += binary.BigEndian.Uint32(data[4:]) + s0
		}
	}
	c.s0, c.s1 = s0, s1
}

func (c *checksum) is(stored []byte) bool {
	return binary.BigEndian.Uint32(stored) == c.s0 && binary.BigEndian.Uint32(stored[4:]) == c.s1
}
