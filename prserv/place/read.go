package place

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"prserver/prserv"
	"prserver/prserv/client"
	"prserver/prserv/dbfile"
	"prserver/prserv/store"
)

// reading is how a place is read.
type reading struct {
	// lenient takes rows that no PR server issues, where the text has any.
	lenient bool
	// detached reads a file so that it can be written afterwards.
	detached bool
	// only is whole where rows of the newer table do not count, or 0.
	only int
}

// read brings the rows of a place into the base, under a name.
func (w *Work) read(ctx context.Context, b *base, p Place, name string, how reading) (t *table, err error) {
	switch p.Kind {
	case File:
		t, err = w.readFile(ctx, b, p, name, how)
	case Server:
		t, err = w.readServer(ctx, b, p, name, how)
	default:
		t, err = w.readText(ctx, b, p, name, how)
	}
	if err != nil {
		return nil, err
	}
	t.place = p
	return t, nil
}

// readText reads a dump or configuration.
func (w *Work) readText(ctx context.Context, b *base, p Place, name string, how reading) (*table, error) {
	in, size := w.Stdin, int64(0)
	if p.Name != standard {
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
	if size == 0 { // a pipe may let it wait
		pipe, end := untilDone(ctx, in)
		defer end()
		in = pipe
	}
	t, err := w.stageText(ctx, b, in, size, p, name, how)
	if err != nil {
		var line *lineError
		if errors.As(err, &line) {
			return nil, fmt.Errorf("%s:%d: %w", p, line.line, dbfile.Reason(line.err))
		}
		return nil, fmt.Errorf("reading %s: %w", p, dbfile.Reason(err))
	}
	return t, nil
}

// openText opens a file to read, and ends with its context while a pipe waits
// for somebody to write to it.
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
// for what in has to say. It is to be ended after use.
func untilDone(ctx context.Context, in io.Reader) (out io.Reader, end func()) {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in) // waits on by itself, if it has to
		w.CloseWithError(err)
	}()
	stop := context.AfterFunc(ctx, func() { r.CloseWithError(ctx.Err()) })
	return r, func() { stop(); r.Close() }
}

// stageText makes a table of a text, of which size is how long it is, or 0.
func (w *Work) stageText(ctx context.Context, b *base, in io.Reader, size int64, p Place, name string, how reading) (*table, error) {
	var dump *dumpReader
	both := false // tables have rows
	t, err := b.stage(ctx, name, func(s *stager) error {
		in := &countingReader{in: in, ctx: ctx}
		in.tell = func() {
			part := -1.0
			if size > 0 {
				part = float64(in.n) / float64(size)
			}
			w.progress(Progress{"reading " + p.String(), s.rows, part})
		}
		if p.Kind == Inc {
			inc := newIncReader(in)
			err := inc.read(s)
			s.revisions = inc.table == revisionTable || s.texts > 0
			return err
		}
		dump = newDumpReader(in, how.lenient)
		dump.only = how.only
		err := dump.read(s)
		if dump.only == 0 {
			both = dump.newer > 0 && dump.newer < s.rows
			s.revisions = dump.newer > 0 || !dump.made[prserv.Table]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if dump != nil {
		for _, what := range dump.skipped {
			w.warn("%s has the %s as well, which is left out", p, what)
		}
		if dump.only != 0 && dump.newer > 0 {
			w.warn("%s answers from its table %s; rows of its table %s, of BitBake 2.10 and later, that are left out: %d",
				p, prserv.Table, revisionTable, dump.newer)
		}
	}
	if p.Kind == Inc || both { // a row may come several times
		t, _, err = b.distinct(ctx, name+"_once", t)
	}
	if err == nil {
		t.mixed = both
	}
	return t, err
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

// readServer reads the dump of a server, or what it exports if it dumps
// nothing.
func (w *Work) readServer(ctx context.Context, b *base, p Place, name string, how reading) (*table, error) {
	server := client.New(p.Name, client.Timeout)
	// A dump may take minutes to begin, which a server that is not there or hangs
	// is not to be waited for.
	if err := server.Ping(ctx); err != nil {
		return nil, ServerError(p, err)
	}
	dump, err := server.DumpDB(ctx)
	var fault *client.FaultError
	if errors.As(err, &fault) && strings.Contains(fault.Message, "not supported") {
		return w.readExport(ctx, b, server, p, name)
	}
	if err != nil {
		return nil, ServerError(p, err)
	}
	defer dump.Close()
	how.only = whole // whatever else its file has, it answers nothing else
	t, err := w.stageText(ctx, b, dump, 0, p, name, how)
	if err != nil {
		return nil, fmt.Errorf("%s: its dump: %w", p, err)
	}
	return t, nil
}

// ServerError says why a server has not done what it was asked for.
func ServerError(server Place, err error) error {
	var fault *client.FaultError
	switch {
	case errors.As(err, &fault):
		return fmt.Errorf("%s refuses: %w", server, fault)
	case errors.Is(err, client.ErrNoValue):
		return fmt.Errorf("%s has no value to give: its log says why", server)
	case errors.Is(err, client.ErrNoAnswer): // names the server
		return err
	}
	return fmt.Errorf("asking %s: %w", server, err)
}

// readExport reads what a server exports.
func (w *Work) readExport(ctx context.Context, b *base, server *client.Client, p Place, name string) (*table, error) {
	w.warn("%s has no dump_db, as before BitBake 1.30; only the greatest values of each version and pkgarch are read", p)
	exported, err := server.Export(ctx, store.Filter{}, false)
	if err != nil {
		return nil, ServerError(p, err)
	}
	return b.stage(ctx, name, func(s *stager) error {
		for _, r := range exported.Rows {
			if err := s.add([columns]driver.Value{r.Version, r.Pkgarch, r.Checksum, r.Value}); err != nil {
				return err
			}
		}
		return nil
	})
}

// fileError says what could not be done with a database file.
func fileError(p Place, doing string, err error) error {
	var locked *dbfile.LockedError
	switch {
	case isBusy(err):
		return fmt.Errorf("%w, or name its HOST:PORT instead of the file", dbfile.InUse(p.Name))
	case isHalfWritten(err):
		return fmt.Errorf("%s %s: a program was killed while it wrote the file; whoever may write it has to read it first", doing, p)
	case isFull(err) && doing == "reading":
		return fmt.Errorf("%s %s: %w", doing, p, temporary(err))
	case errors.As(err, &locked):
		return fmt.Errorf("%w; if that is a server, name its HOST:PORT instead of the file", err)
	}
	return fmt.Errorf("%s %s: %w", doing, p, err)
}

// progress tells how far the work has come.
func (w *Work) progress(p Progress) {
	if w.Progress != nil {
		w.Progress(p)
	}
}

// warn tells about something that is left out.
func (w *Work) warn(format string, args ...any) {
	if w.Warn != nil {
		w.Warn(fmt.Sprintf(format, args...))
	}
}

// watch tells how far something has come as long as it lasts, by asking part
// for it. The function that it returns ends that.
func (w *Work) watch(what string, rows int64, part func() float64) (end func()) {
	if w.Progress == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				p := min(part(), 1)
				w.Progress(Progress{what, int64(max(p, 0) * float64(rows)), p})
			}
		}
	}()
	return func() { close(done); <-ended }
}
