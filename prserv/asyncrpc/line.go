package asyncrpc

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxLine is how many bytes a line may have before its newline.
	//
	// Source: the limit of asyncio.StreamReader.
	maxLine = 64 << 10
	// chunkStream is the name in a message that says that another one follows
	// in chunks.
	chunkStream = "chunk-stream"
)

// lineReader reads lines.
type lineReader struct {
	r     *bufio.Reader
	limit int // of a line without its newline
	// hold is asked for room for what r cannot hold.
	hold func(int) error
	// wait is called before it may have to wait for the other side.
	wait func() error
	long []byte // room for lines that r cannot hold
}

// read returns the next line without its newline. It is valid until the next
// call. The error is io.EOF at the end, [ErrHalfLine] within a line, with what
// there is of it, [ErrLongLine], or that of hold, wait or the connection.
func (l *lineReader) read() ([]byte, error) {
	buffered, _ := l.r.Peek(l.r.Buffered())
	if bytes.IndexByte(buffered, '\n') < 0 {
		if err := l.wait(); err != nil {
			return nil, err
		}
	}
	line, err := l.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return l.readLong(line)
	}
	return l.whole(line, err)
}

// readLong reads a line that begins with what fills the buffer.
func (l *lineReader) readLong(begin []byte) ([]byte, error) {
	l.long = l.long[:0]
	for more, err := begin, bufio.ErrBufferFull; ; more, err = l.r.ReadSlice('\n') {
		if len(l.long)+len(more) > cap(l.long) {
			room := max(2*cap(l.long), len(l.long)+len(more))
			if err := l.hold(room - cap(l.long)); err != nil {
				return nil, err
			}
			l.long = append(make([]byte, 0, room), l.long...)
		}
		l.long = append(l.long, more...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return l.whole(l.long, err)
		}
		if len(l.long) > l.limit {
			return nil, ErrLongLine
		}
	}
}

// whole returns a line without its newline, or what err says of it.
func (l *lineReader) whole(line []byte, err error) ([]byte, error) {
	switch {
	case err == nil && len(line)-1 <= l.limit:
		return line[:len(line)-1], nil
	case err == nil:
		return nil, ErrLongLine
	case errors.Is(err, io.EOF) && len(line) > 0:
		return line, ErrHalfLine
	}
	return nil, &connError{err}
}

// text returns the next line as text, without the white space at its end. The
// error is [ErrNotUTF8] or one of read.
func (l *lineReader) text() ([]byte, error) {
	line, err := l.read()
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(line) {
		return nil, about(ErrNotUTF8, line)
	}
	return trimRight(line), nil
}

// bareChunk returns the next line of a chunk-stream as BitBake 1.52 to 2.6 reads
// it: with all white space, and as an empty one where there is none any more.
func (l *lineReader) bareChunk() ([]byte, error) {
	line, err := l.read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil && !errors.Is(err, ErrHalfLine):
		return nil, err
	case !utf8.Valid(line):
		return nil, about(ErrNotUTF8, line)
	}
	return line, nil
}

// chunks reads the lines of a chunk-stream with next, up to and including the
// empty one, and joins them.
//
// Source: lib/bb/asyncrpc/connection.py:StreamConnection.recv_message. That
// takes the white space from the end of each line.
func (l *lineReader) chunks(limit int, next func() ([]byte, error)) (string, error) {
	var joined strings.Builder
	for {
		line, err := next()
		switch {
		case errors.Is(err, io.EOF):
			return "", ErrHalfLine
		case err != nil:
			return "", err
		case len(line) == 0:
			return joined.String(), nil
		case joined.Len()+len(line) > limit:
			return "", ErrLongMessage
		}
		if room := joined.Cap(); joined.Len()+len(line) > room {
			more := min(max(room, len(line), maxLine), limit-joined.Len())
			if err := l.hold(more); err != nil {
				return "", err
			}
			joined.Grow(more)
		}
		joined.Write(line)
	}
}

// isSpace tells what Python's str.rstrip() and str.split() take for white space.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1C && r <= 0x1F }

func trimRight(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] > ' ' && line[n-1] < utf8.RuneSelf {
		return line
	}
	return bytes.TrimRightFunc(line, isSpace)
}
