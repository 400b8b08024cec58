package place

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"prserver/prserv/dbfile"
)

// text is a kind of place that is a text: a file, or standard input or output.
type text interface {
	kind
	// choose returns those rows that a text of this kind is to get.
	choose(ctx context.Context, w *Work, s *scratch, in *table, o CopyOptions) (*table, error)
	// print writes the rows of a table.
	print(ctx context.Context, w *Work, s *scratch, t *table, dst Place, out *bufio.Writer) error
}

// parser adds the rows of a text to a table in the making, and returns the
// generation that they are of. A [*lineError] says which line is wrong.
type parser func(in io.Reader, to *stager) (*generation, error)

// readText makes a table of a text.
func (w *Work) readText(ctx context.Context, s *scratch, p Place, name string, parse parser) (*table, error) {
	in, size := w.Stdin, int64(0)
	if p.isFile() {
		f, err := openText(ctx, p.Name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", p, dbfile.Reason(err))
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return nil, fmt.Errorf("reading %s: %w", p, errFolder)
		} else if err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		in = f
	}
	if size == 0 { // a pipe may keep it waiting
		pipe, end := untilDone(ctx, in)
		defer end()
		in = pipe
	}
	t, err := w.stageText(ctx, s, in, size, p, name, parse)
	var line *lineError
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &line):
		return nil, fmt.Errorf("%s:%d: %w", p, line.line, dbfile.Reason(line.err))
	}
	return nil, fmt.Errorf("reading %s: %w", p, dbfile.Reason(err))
}

// openText opens a file to read. A pipe waits for somebody to write to it; that
// ends with the context.
func openText(ctx context.Context, name string) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result, 1)
	go func() {
		f, err := os.Open(name)
		opened <- result{f, err}
	}()
	select {
	case r := <-opened:
		return r.file, r.err
	case <-ctx.Done():
		go func() { // it waits on by itself, if it has to
			if r := <-opened; r.err == nil {
				r.file.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// untilDone returns a reader that ends with its context, even while it waits
// for in. Whoever uses it calls end afterwards.
func untilDone(ctx context.Context, in io.Reader) (out io.Reader, end func()) {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in) // waits on by itself, if it has to
		w.CloseWithError(err)
	}()
	stop := context.AfterFunc(ctx, func() { r.CloseWithError(ctx.Err()) })
	return r, func() { stop(); r.Close() }
}

// stageText makes a table of what can be read from in. Size is how long that
// is, or 0 if nobody knows.
func (w *Work) stageText(ctx context.Context, s *scratch, in io.Reader, size int64, p Place, name string, parse parser) (*table, error) {
	t, err := s.stage(ctx, name, func(to *stager) (*generation, error) {
		in := &countingReader{in: in, ctx: ctx}
		in.tell = func() {
			part := -1.0
			if size > 0 {
				part = float64(in.n) / float64(size)
			}
			w.progress(Progress{"reading " + p.String(), to.rows, part})
		}
		packing := p.packing()
		if packing == nil {
			return parse(in, to)
		}
		text, err := newUnpacker(packing, in)
		if err != nil {
			return nil, err
		}
		defer text.Close()
		return parse(text, to)
	})
	if err != nil {
		return nil, err
	}
	t.place = p
	return t, nil
}

// countingReader counts what is read, and ends with its context.
type countingReader struct {
	in   io.Reader
	ctx  context.Context // of the one read of a text that it is made for
	n    int64
	tell func()
}

func (c *countingReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.in.Read(p)
	c.n += int64(n)
	c.tell()
	return n, err
}

// writeText writes a text of a kind.
func (w *Work) writeText(ctx context.Context, s *scratch, k text, in *table, dst Place, o CopyOptions) (copied Copied, err error) {
	merges := false
	err = w.replaceText(ctx, s, k, dst, func(hasText bool) (t *table, err error) {
		merges = hasText && !o.Replace
		t, copied, err = w.rowsOfText(ctx, s, k, in, dst, o, merges)
		return t, err
	})
	if err != nil {
		return Copied{}, err
	}
	if merges && dst.Kind == Inc { // oe-core writes an export anew
		w.warn("%s was there, so the values have been merged into it; --replace writes it anew", dst)
	}
	return copied, nil
}

// replaceText writes the rows that a function returns to a text of a kind. The
// function is told whether there is a text already, which is not replaced if it
// returns no table.
func (w *Work) replaceText(ctx context.Context, s *scratch, k text, dst Place, rows func(hasText bool) (*table, error)) (err error) {
	var r *dbfile.Replacement
	var old os.FileInfo
	to := w.Stdout
	if dst.isFile() {
		// The draft comes before the look at the file: what another program
		// wrote in between would be lost.
		if r, err = dbfile.Replace(dst.Name); err != nil {
			return err
		}
		defer r.Abandon()
		if old, err = existing(dst); err != nil {
			return err
		}
		to = r.Draft
	}
	t, err := rows(old != nil && old.Size() > 0)
	if err != nil || t == nil {
		return err
	}
	if err = w.printPacked(ctx, s, k, t, dst, to); err != nil {
		return fmt.Errorf("writing %s: %w", dst, dbfile.Reason(err))
	}
	if err := s.settle(); err != nil || r == nil {
		return err
	}
	return r.Finish(old)
}

// printPacked writes the rows of a table as a text, compressed if the name of the
// place says so.
func (w *Work) printPacked(ctx context.Context, s *scratch, k text, in *table, dst Place, to io.Writer) error {
	packed := io.WriteCloser(nil)
	if packing := dst.packing(); packing != nil {
		var err error
		if packed, err = packing.pack(to); err != nil {
			return err
		}
		to = packed
	}
	out := bufio.NewWriterSize(to, 256<<10)
	err := k.print(ctx, w, s, in, dst, out)
	if err == nil {
		err = out.Flush()
	}
	if packed != nil {
		err = cmp.Or(err, packed.Close())
	}
	return err
}

// rowsOfText makes a table of the rows that a text is to have. If it merges,
// they are merged with those that the text has, of which no value is lost or
// lowered.
func (w *Work) rowsOfText(ctx context.Context, s *scratch, k text, in *table, dst Place, o CopyOptions, merges bool) (*table, Copied, error) {
	fail := func(err error) (*table, Copied, error) { return nil, Copied{}, err }
	chosen, err := k.choose(ctx, w, s, in, o)
	if err != nil {
		return fail(err)
	}
	left := in.rows - chosen.rows
	if !merges {
		return chosen, Copied{New: chosen.rows, Left: left}, nil
	}
	old, err := k.read(ctx, w, s, dst, "old", readOptions{})
	if err != nil {
		return fail(err)
	}
	if o.Generation != 0 && o.Generation != old.generation.number {
		return fail(fmt.Errorf("writing %s: it has the table %s; write it anew with --replace, or name a new file",
			dst, old.generation.table))
	}
	merged, copied, err := w.mergeTables(ctx, s, chosen, old)
	if err != nil {
		return fail(err)
	}
	copied.Left = left
	return merged, copied, w.tellTwins(ctx, s, merged, dst)
}

// mergeTables makes a table of the rows of a text that exists and of those that
// it is to get. If the existing rows are all among the others, the result is
// those, in their order.
func (w *Work) mergeTables(ctx context.Context, s *scratch, in, old *table) (*table, Copied, error) {
	fail := func(err error) (*table, Copied, error) { return nil, Copied{}, err }
	of := newest(in.generation, old.generation)
	in, _, err := w.convert(ctx, s, in, of)
	if err != nil {
		return fail(err)
	}
	if old, _, err = w.convert(ctx, s, old, of); err != nil {
		return fail(err)
	}
	both, err := s.distinct(ctx, "merged", old)
	if err != nil {
		return fail(err)
	}
	before := both.rows
	changed, err := s.exec(ctx, in.insertInto(both.from))
	if err != nil {
		return fail(err)
	}
	if both.rows, err = s.number(ctx, "SELECT count(*) FROM "+both.from); err != nil {
		return fail(err)
	}
	both.mixed = in.mixed || old.mixed
	copied := Copied{New: both.rows - before}
	copied.Raised, copied.Kept = changed-copied.New, in.rows-changed
	if both.rows != in.rows || in.rows > sortFrom {
		return both, copied, nil
	}
	more, err := s.number(ctx, "SELECT EXISTS (SELECT version, pkgarch, checksum, value FROM "+both.from+
		" EXCEPT SELECT version, pkgarch, checksum, value FROM "+in.from+")")
	if err != nil {
		return fail(err)
	}
	if more == 0 {
		out := *in
		out.mixed = both.mixed
		return &out, copied, nil
	}
	return both, copied, nil
}
