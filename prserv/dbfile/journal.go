package dbfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// journalMagic is how a rollback journal begins that SQLite would play back.
var journalMagic = []byte{0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7}

// journalCounter returns the change counter that a database had before the
// change that a rollback journal would undo, or nil if it undoes none, or does
// not say. The file has that number or the next one.
// Source: SQLite's file format, "The Rollback Journal".
func journalCounter(path string) (*uint32, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	header := make([]byte, 28)
	if _, err := io.ReadFull(f, header); err != nil || !bytes.HasPrefix(header, journalMagic) {
		return nil, nil
	}
	records := binary.BigEndian.Uint32(header[8:])
	sector, pageSize := binary.BigEndian.Uint32(header[20:]), binary.BigEndian.Uint32(header[24:])
	if records == 0 || pageSize < 512 || pageSize > 65536 {
		return nil, nil
	}
	if _, err := f.Seek(int64(sector), io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, Reason(err))
	}
	record := make([]byte, 4+pageSize+4)
	for ; records > 0; records-- {
		if _, err := io.ReadFull(f, record); err != nil {
			return nil, nil
		}
		page := record[4 : 4+pageSize]
		if binary.BigEndian.Uint32(record) == 1 && bytes.HasPrefix(page, magic) {
			counter := binary.BigEndian.Uint32(page[counterAt:])
			return &counter, nil
		}
	}
	return nil, nil
}
