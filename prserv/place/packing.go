package place

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// packing is how a text is compressed.
type packing struct {
	ending string
	// unpack reads a compressed text.
	unpack func(in io.Reader) (io.ReadCloser, error)
	// pack compresses what is written. Close ends the compressed text.
	pack func(out io.Writer) (io.WriteCloser, error)
}

// packings are known by the ends of names, behind that of the text.
var packings = []packing{
	{".gz", func(in io.Reader) (io.ReadCloser, error) { return gzip.NewReader(in) },
		func(out io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(out), nil }},
	{".zst", func(in io.Reader) (io.ReadCloser, error) {
		// A window is what zstd itself takes without being asked to.
		d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}, func(out io.Writer) (io.WriteCloser, error) {
		return zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
	}},
}

// packing returns how a place is compressed, or nil.
func (p Place) packing() *packing {
	for i := range packings {
		if p.isFile() && p.Kind != Database && strings.EqualFold(filepath.Ext(p.Name), packings[i].ending) {
			return &packings[i]
		}
	}
	return nil
}

const (
	// maxRatio is how many times longer than the compressed text the text may
	// be. Texts of PR values are some ten times longer.
	maxRatio = 200
	// freeBytes of a text are allowed however short it is compressed.
	freeBytes = 16 << 20
)

// unpacker reads the text in a compressed file.
type unpacker struct {
	text   io.ReadCloser
	packed *countingReader
	n      int64 // bytes of text so far
}

// newUnpacker reads what is compressed in a file.
func newUnpacker(p *packing, packed *countingReader) (*unpacker, error) {
	text, err := p.unpack(packed)
	if err != nil {
		return nil, packedError(err)
	}
	return &unpacker{text: text, packed: packed}, nil
}

func (u *unpacker) Read(b []byte) (int, error) {
	n, err := u.text.Read(b)
	if u.n += int64(n); u.n > freeBytes && u.n/maxRatio > u.packed.n {
		return 0, fmt.Errorf("what is compressed in it is more than %d times longer than the file; unpack it first, if it is what you mean", maxRatio)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = packedError(err)
	}
	return n, err
}

func (u *unpacker) Close() error { return u.text.Close() }

// packedError says what is wrong with a compressed file.
func packedError(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the compressed file is cut short")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		return errors.New("it is not compressed as its name says")
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch):
		return errors.New("the compressed file is damaged")
	}
	return err
}
