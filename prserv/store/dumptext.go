package store

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// dumpPiece is how much of a dump is written at a time.
const dumpPiece = 64 << 10

// DumpText writes the text of a dump: the SQL that Python's sqlite3 module
// makes of a database. Its methods write pieces of whole lines.
//
// Source: sqlite3/dump.py:_iterdump.
type DumpText struct {
	out    io.Writer
	buffer []byte // what is not written yet, always whole lines
}

// NewDumpText returns a dump that is written to out.
func NewDumpText(out io.Writer) *DumpText { return &DumpText{out: out} }

// Line adds a line, which one of the next calls or [DumpText.Flush] writes.
func (d *DumpText) Line(text string) {
	d.buffer = append(d.buffer, text...)
	d.buffer = append(d.buffer, '\n')
}

// Lines adds text that is whole lines already.
func (d *DumpText) Lines(text string) error {
	d.buffer = append(d.buffer, text...)
	return d.flushFull()
}

// InsertInto returns how the statements begin that make the rows of a table.
func InsertInto(table string) string { return "INSERT INTO " + QuoteName(table) + " VALUES(" }

// InsertRow adds the statement that makes a row. It begins with insertInto, of
// [InsertInto].
func InsertRow[V any](d *DumpText, insertInto string, row []V) error {
	d.buffer = append(d.buffer, insertInto...)
	for i, v := range row {
		if i > 0 {
			d.buffer = append(d.buffer, ',')
		}
		d.buffer = appendQuoted(d.buffer, v)
	}
	d.buffer = append(d.buffer, ");\n"...)
	return d.flushFull()
}

// Insert adds the statement that makes a row of columns that are SQL already.
func (d *DumpText) Insert(insertInto string, columns []byte) error {
	d.buffer = append(append(append(d.buffer, insertInto...), columns...), ");\n"...)
	return d.flushFull()
}

func (d *DumpText) flushFull() error {
	if len(d.buffer) < dumpPiece {
		return nil
	}
	return d.Flush()
}

// Flush writes what is not written yet. The error is [ErrUndecodable] where
// that is no text.
func (d *DumpText) Flush() error {
	if !utf8.Valid(d.buffer) {
		return ErrUndecodable
	}
	_, err := d.out.Write(d.buffer)
	d.buffer = d.buffer[:0]
	return err
}

// appendQuoted appends a value as SQL.
func appendQuoted(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "NULL"...)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return append(dst, quoteReal(v)...)
	case []byte:
		return fmt.Appendf(dst, "X'%X'", v)
	case string:
		return AppendText(dst, []byte(v))
	}
	return dst
}

// AppendText appends a text as SQL.
func AppendText(dst, text []byte) []byte {
	text, _, _ = bytes.Cut(text, []byte{0}) // where SQLite's text of it ends, too
	dst = append(dst, '\'')
	for {
		i := bytes.IndexByte(text, '\'')
		if i < 0 {
			return append(append(dst, text...), '\'')
		}
		dst = append(append(dst, text[:i]...), "''"...)
		text = text[i+1:]
	}
}

// quoteReal writes f so that SQLite reads the same number.
func quoteReal(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "9.0e+999"
	case math.IsInf(f, -1):
		return "-9.0e+999"
	}
	s := FormatReal(f, 15)
	if back, err := strconv.ParseFloat(s, 64); err != nil || back != f {
		s = FormatReal(f, 17)
	}
	return s
}

// QuoteName makes the name of a table or column safe to use in SQL.
func QuoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
