package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	// dumpPatience is the least time that a dump may take to begin: Python's
	// server makes all of it before it answers.
	dumpPatience = 10 * time.Minute
	// dumpBuffer is how much of a dump is held in memory.
	dumpBuffer = 64 << 10
	// maxNoDump is how much is read of an answer that is not a dump.
	maxNoDump = 64 << 10
	// maxFrame is how long the XML before and behind a dump may be.
	maxFrame = 4 << 10
	// maxEntity is how long an escaped character may be. More than that always
	// follows one: closeText.
	maxEntity = 32

	closeText = "</value></param></params></methodResponse>"
)

// openText matches the beginning of an answer with a text, up to the first
// character that shows that it is one.
var openText = regexp.MustCompile(`^\s*(?:<\?xml\s+version=['"][0-9.]+['"](?:\s+encoding=['"](?i:utf-8)['"])?\s*\?>)?` +
	`\s*<methodResponse>\s*<params>\s*<param>\s*<value>(\s*<string>)?()\s*[^<\s]`)

// DumpDB returns the SQL that makes the server's database again, as it arrives:
// the library would hold all of it in memory, several times over. The reader
// ends with io.EOF only if the dump is complete. It may take ten minutes to begin,
// or the client's timeout if that is longer; after that, the timeout bounds how
// long nothing may arrive. The caller closes it. It ends with ctx.
func (c *Client) DumpDB(ctx context.Context) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	endAfter := func(d time.Duration) *time.Timer {
		return time.AfterFunc(d, func() { cancel(timeoutError(fmt.Sprintf("nothing has come for %v", d))) })
	}
	begin := endAfter(c.firstByte)
	resp, err := c.send(ctx, c.once, "dump_db")
	begin.Stop()
	if err != nil {
		cancel(nil)
		return nil, err
	}
	body := &patientReader{body: resp.Body, patience: c.timeout, timer: endAfter(c.timeout), cancel: cancel}
	text, err := readText(body)
	if err != nil {
		body.Close()
		return nil, err
	}
	return text, nil
}

// patientReader reads an answer as long as something arrives. The time between
// two reads does not count.
type patientReader struct {
	body     io.ReadCloser
	patience time.Duration
	timer    *time.Timer // cancels the call
	cancel   context.CancelCauseFunc
}

func (r *patientReader) Read(p []byte) (int, error) {
	r.timer.Reset(r.patience)
	defer r.timer.Stop()
	return r.body.Read(p)
}

func (r *patientReader) Close() error {
	r.timer.Stop()
	r.cancel(nil)
	return r.body.Close()
}

// textReader reads the text in an answer.
type textReader struct {
	io.Closer
	in      *bufio.Reader
	closing string // the tags that must follow the text
	pending string // the rest of a character that was escaped
	cr      bool   // whether the last character was a carriage return
	err     error  // what Read returns once everything has been read
}

// readText returns the text of an answer. If the answer has none, the error says
// what it has.
func readText(body io.ReadCloser) (*textReader, error) {
	in := bufio.NewReaderSize(body, dumpBuffer)
	for n := 1; ; n++ {
		_, err := in.Peek(n)
		n = in.Buffered()
		head, _ := in.Peek(n)
		if m := openText.FindSubmatchIndex(head); m != nil {
			in.Discard(m[4]) // where the empty group is
			r := &textReader{Closer: body, in: in, closing: closeText}
			if m[2] >= 0 {
				r.closing = "</string>" + closeText
			}
			return r, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, readingFailed("dump_db", err)
		}
		if err != nil || n >= maxFrame {
			break
		}
	}
	short, err := io.ReadAll(io.LimitReader(in, maxNoDump))
	if err != nil {
		return nil, readingFailed("dump_db", err)
	}
	v, err := decodeAnswer("dump_db", short)
	switch {
	case err != nil:
		return nil, err
	case v == nil:
		return nil, fmt.Errorf("dump_db: %w", ErrNoValue)
	}
	return nil, unexpected("dump_db", v)
}

func (r *textReader) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	// As long as nothing has to be waited for, small pieces become one large one.
	for r.err == nil && (n == 0 || n < len(p) && r.in.Buffered() >= maxEntity) {
		read, err := r.readPiece(p[n:])
		n += read
		switch {
		case errors.Is(err, errTextEnds):
			r.err = io.EOF
		case errors.Is(err, io.EOF):
			r.err = readingFailed("dump_db", io.ErrUnexpectedEOF)
		case err != nil:
			r.err = readingFailed("dump_db", err)
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, r.err
}

// errTextEnds is returned at the proper end of an answer. io.EOF means that the
// connection ended.
var errTextEnds = errors.New("the text ends here")

// readPiece reads one thing: plain text, an escaped character, the end of a line
// or the end of the text. It may return no bytes and no error.
func (r *textReader) readPiece(p []byte) (int, error) {
	if len(r.pending) > 0 {
		n := copy(p, r.pending)
		r.pending = r.pending[n:]
		return n, nil
	}
	if _, err := r.in.Peek(1); err != nil {
		return 0, err
	}
	text, _ := r.in.Peek(r.in.Buffered())
	afterCR := r.cr
	r.cr = text[0] == '\r'
	switch {
	case r.cr:
		// XML reads "\r" and "\r\n" as "\n".
		r.pending = "\n"
		return 0, r.skip(1)
	case afterCR && text[0] == '\n':
		return 0, r.skip(1)
	case text[0] == '&':
		return 0, r.readEntity()
	case text[0] == '<':
		return 0, r.readEnd()
	}
	if end := bytes.IndexAny(text, "<&\r"); end >= 0 {
		text = text[:end]
	}
	n := copy(p, text)
	return n, r.skip(n)
}

func (r *textReader) skip(n int) error {
	_, err := r.in.Discard(n)
	return err
}

// readEntity reads an escaped character.
func (r *textReader) readEntity() error {
	text, err := r.in.Peek(maxEntity)
	end := bytes.IndexByte(text, ';')
	if end < 0 && err != nil {
		return err
	}
	var ok bool
	if r.pending, ok = unescape(string(text[1:max(end, 1)])); !ok {
		return fmt.Errorf("%q is no escaped character", text)
	}
	return r.skip(end + 1)
}

// unescape returns the character that XML writes as & name ;.
func unescape(name string) (string, bool) {
	switch name {
	case "amp":
		return "&", true
	case "lt":
		return "<", true
	case "gt":
		return ">", true
	case "quot":
		return `"`, true
	case "apos":
		return "'", true
	}
	digits, numeric := strings.CutPrefix(name, "#")
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if !numeric || err != nil || n > unicode.MaxRune {
		return "", false
	}
	return string(rune(n)), true
}

// readEnd reads the tags behind the text and to the end of the answer: net/http
// notices only there that something is missing.
func (r *textReader) readEnd() error {
	end, err := io.ReadAll(io.LimitReader(r.in, maxFrame))
	if err != nil {
		return err
	}
	switch tags := strings.Join(strings.Fields(string(end)), ""); {
	case len(end) == maxFrame:
		return fmt.Errorf("more than the end of the answer is behind the text: %.100q", end)
	case tags == r.closing:
		return errTextEnds
	case strings.HasPrefix(r.closing, tags):
		return io.EOF
	}
	return fmt.Errorf("not the end of the answer is behind the text: %.100q", end)
}
