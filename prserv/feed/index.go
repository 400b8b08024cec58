package feed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// readIndex reads an index, which may be compressed: of rpms if it is XML, and
// else of ipks or debs. Folder is the name of the folder that it is in. Size is
// -1 if nobody knows.
func (r *reader) readIndex(ctx context.Context, in io.Reader, name, folder string, size int64) error {
	counted := &counter{ctx: ctx, in: in, left: r.MaxFile}
	counted.tell = func() {
		if size > 0 {
			r.progress(name, float64(counted.n)/float64(size))
		} else {
			r.progress(name, -1)
		}
	}
	unpacked, err := unpack(bufio.NewReaderSize(counted, 64<<10), r.MaxUnpacked)
	if err != nil {
		return fileError(name, err)
	}
	defer unpacked.Close()
	text := bufio.NewReader(unpacked)
	if first, _ := text.Peek(1); string(first) == "<" { // an error comes again
		err = r.readPrimary(text, name)
	} else {
		err = readControl(text, func(p *paragraph) error {
			if err := r.takeParagraph(p, name, p.line, folder); err != nil {
				return &lineError{p.line, err}
			}
			return nil
		})
	}
	return indexError(name, err)
}

// indexError names the index and the line in which something is wrong.
func indexError(name string, err error) error {
	var line *lineError
	var reading *readError
	switch {
	case !errors.As(err, &line), errors.As(err, &reading):
	case errors.Is(err, errTruncated), errors.Is(err, errTooLarge):
		err = fmt.Errorf("%w, in line %d", line.err, line.line)
	default:
		name += ":" + strconv.Itoa(line.line)
		err = line.err
	}
	return fileError(name, err)
}

// fileError names the file in which something is wrong. Errors of whoever takes
// the packages stay as they are.
func fileError(name string, err error) error {
	var reading *readError
	var taking *takeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &taking):
		return taking
	case errors.As(err, &reading):
		return readingError(name, reading.err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// takeError is an error of the function that takes packages.
type takeError struct{ err error }

func (e *takeError) Error() string { return e.err.Error() }
func (e *takeError) Unwrap() error { return e.err }

// tellEvery is how many bytes are read between two reports of progress.
const tellEvery = 256 << 10

// counter counts what is read, up to a limit, and ends with its context. Its
// errors are a [*readError], but for errTooLarge.
type counter struct {
	ctx     context.Context // of the one read that it is made for
	in      io.Reader
	left    int64 // or -1 for no limit
	n, told int64
	tell    func()
}

func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, &readError{context.Cause(c.ctx)}
	}
	if c.left == 0 {
		return 0, errTooLarge
	}
	if c.left > 0 {
		p = p[:min(int64(len(p)), c.left)]
	}
	n, err := c.in.Read(p)
	if c.n += int64(n); c.left > 0 {
		c.left -= int64(n)
	}
	if c.tell != nil && (c.told == 0 || c.n-c.told >= tellEvery) {
		c.told = c.n
		c.tell()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, &readError{err}
	}
	return n, err
}
