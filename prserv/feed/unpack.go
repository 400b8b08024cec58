package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

var (
	errTruncated = errors.New("its end is missing")
	errTooLarge  = errors.New("it is larger than a feed can be")
)

// maxWindow bounds the memory that unpacking takes. The command zstd does not
// unpack what needs more either, unless it is told to.
const maxWindow = 128 << 20

// unpack returns what in holds, unpacked if it is compressed with gzip, zstd
// or xz. The first bytes say so, because the names of some files do not. What
// is larger than limit fails with errTooLarge.
func unpack(in *bufio.Reader, limit int64) (io.ReadCloser, error) {
	var out io.Reader
	end := func() {}
	magic, _ := in.Peek(6) // what is shorter is not compressed
	switch {
	case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, unpackError(err)
		}
		out = z
	case bytes.HasPrefix(magic, []byte("\x28\xb5\x2f\xfd")):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, unpackError(err)
		}
		out, end = z, z.Close
	case bytes.Equal(magic, []byte("\xfd7zXZ\x00")):
		if err := checkXZ(in); err != nil {
			return nil, err
		}
		z, err := xz.NewReader(in)
		if err != nil {
			return nil, unpackError(err)
		}
		out = z
	default:
		out = in
	}
	return &unpacked{in: out, left: limit, end: end}, nil
}

// checkXZ refuses a file whose first block needs much memory: the xz package
// takes as much as the file says. A block header is its size, flags, perhaps
// two sizes, and a filter: 0x21, 1 and the logarithm of the memory, in halves.
//
// Source: the .xz file format 1.2.1, sections 3.1 and 5.3.1.
func checkXZ(in *bufio.Reader) error {
	const streamHeader = 12
	head, _ := in.Peek(streamHeader + 24)
	if i := bytes.Index(head[min(streamHeader+2, len(head)):], []byte{0x21, 1}); i >= 0 {
		at := streamHeader + 2 + i + 2
		if at < len(head) && head[at] > 2*(27-12)+1 { // 4 KiB is 0, 128 MiB is 30
			return errTooLarge
		}
	}
	return nil
}

// unpacked is what comes out of a decompressor, up to a limit.
type unpacked struct {
	in   io.Reader
	left int64
	end  func()
}

func (u *unpacked) Read(p []byte) (int, error) {
	if u.left <= 0 {
		return 0, errTooLarge
	}
	n, err := u.in.Read(p[:min(int64(len(p)), u.left)])
	u.left -= int64(n)
	return n, unpackError(err)
}

func (u *unpacked) Close() error { u.end(); return nil }

// unpackError makes one line of what a decompressor says. Errors of reading
// the file itself stay as they are.
func unpackError(err error) error {
	var reading *readError
	switch {
	case err == nil || errors.Is(err, io.EOF), errors.As(err, &reading):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return errTooLarge
	}
	return fmt.Errorf("it cannot be unpacked (%w)", err)
}

// readError is an error of reading a file, not of what is in it.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }
