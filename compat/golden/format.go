package golden

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The lines of a session file. A file begins with its About, then comes an empty line, then the seed if there
// is one, then the exchanges with an empty line between them.
const (
	markComment   = "# "
	markRequest   = "> "
	markReply     = "< "
	lineSeed      = "seed"
	lineSeedEnd   = "end"
	lineHalfClose = "! half-close"
	// markSeed begins a line of the seed. It is taken off exactly, so that white space survives.
	markSeed = "\t"
)

const fileEnding = ".txt"

var errFormat = errors.New("not a session file")

// ReadDir reads every session file of a folder, in the order of their names.
func ReadDir(dir string) ([]Session, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+fileEnding))
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("listing sessions: no *%s in %s: %w", fileEnding, dir, os.ErrNotExist)
	}
	sessions := make([]Session, 0, len(paths))
	for _, path := range paths {
		session, err := ReadFile(path)
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, session)
	}
	slices.SortFunc(sessions, func(a, b Session) int { return cmp.Compare(a.Name, b.Name) })
	return sessions, nil
}

// ReadFile reads one session file.
func ReadFile(path string) (Session, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Session{}, fmt.Errorf("reading a session: %w", err)
	}
	session, err := Parse(text)
	if err != nil {
		return Session{}, fmt.Errorf("reading %s: %w", path, err)
	}
	session.Name = strings.TrimSuffix(filepath.Base(path), fileEnding)
	return session, nil
}

// WriteFile writes a session into the folder dir. It leaves a file that already says the same untouched, and
// tells whether it wrote.
func WriteFile(dir string, session Session) (bool, error) {
	path := filepath.Join(dir, session.Name+fileEnding)
	text := Format(session)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return false, nil
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return false, fmt.Errorf("writing a session: %w", err)
	}
	return true, nil
}

// Format returns the text of the session's file.
func Format(session Session) []byte {
	var out bytes.Buffer
	for _, line := range session.About {
		writeLine(&out, strings.TrimSpace(markComment+line))
	}
	if session.Seed != "" {
		writeLine(&out, "")
		writeLine(&out, lineSeed)
		for _, line := range strings.Split(session.Seed, "\n") {
			writeLine(&out, markSeed+line)
		}
		writeLine(&out, lineSeedEnd)
	}
	for _, exchange := range session.Exchanges {
		writeLine(&out, "")
		writeLine(&out, markComment+exchange.About)
		if exchange.HalfClose {
			writeLine(&out, lineHalfClose)
		}
		writeLine(&out, markRequest+strconv.Quote(string(exchange.Request)))
		writeLine(&out, markReply+strconv.Quote(string(exchange.Reply)))
	}
	return out.Bytes()
}

func writeLine(out *bytes.Buffer, line string) {
	out.WriteString(line)
	out.WriteByte('\n')
}

// Parse reads the text of a session file. The name is not in the text.
func Parse(text []byte) (Session, error) {
	p := parser{lines: strings.Split(string(text), "\n")}
	for p.next() {
		if err := p.line(); err != nil {
			return Session{}, fmt.Errorf("line %d: %w", p.at, err)
		}
	}
	if p.requested {
		return Session{}, fmt.Errorf("line %d: a request without reply: %w", p.at, errFormat)
	}
	return p.session, nil
}

// A parser is the state of reading one file. at counts the lines taken.
type parser struct {
	lines     []string
	at        int
	current   string
	session   Session
	exchange  Exchange
	body      bool // the About of the session is over
	requested bool // the current exchange has its request
}

func (p *parser) next() bool {
	if p.at == len(p.lines) {
		return false
	}
	p.current = p.lines[p.at]
	p.at++
	return true
}

func (p *parser) line() error {
	switch line := p.current; {
	case line == "":
		p.body = true
	case strings.HasPrefix(line, "#"):
		p.comment(strings.TrimPrefix(strings.TrimPrefix(line, "#"), " "))
	case line == lineSeed:
		return p.seed()
	case line == lineHalfClose:
		p.exchange.HalfClose = true
	case strings.HasPrefix(line, markRequest):
		return p.request()
	case strings.HasPrefix(line, markReply):
		return p.reply()
	default:
		return fmt.Errorf("unknown line %.40q: %w", line, errFormat)
	}
	return nil
}

func (p *parser) comment(text string) {
	if !p.body {
		p.session.About = append(p.session.About, text)
		return
	}
	p.exchange.About = text
}

func (p *parser) seed() error {
	p.body = true
	var lines []string
	for p.next() {
		if p.current == lineSeedEnd {
			p.session.Seed = strings.Join(lines, "\n")
			return nil
		}
		line, ok := strings.CutPrefix(p.current, markSeed)
		if !ok {
			return fmt.Errorf("seed line without tab: %w", errFormat)
		}
		lines = append(lines, line)
	}
	return fmt.Errorf("seed without end: %w", errFormat)
}

func (p *parser) request() error {
	if p.requested {
		return fmt.Errorf("two requests in one exchange: %w", errFormat)
	}
	value, err := unquote(p.current, markRequest)
	if err != nil {
		return err
	}
	p.exchange.Request = value
	p.requested = true
	return nil
}

func (p *parser) reply() error {
	if !p.requested {
		return fmt.Errorf("a reply without request: %w", errFormat)
	}
	value, err := unquote(p.current, markReply)
	if err != nil {
		return err
	}
	p.exchange.Reply = value
	p.session.Exchanges = append(p.session.Exchanges, p.exchange)
	p.exchange = Exchange{}
	p.requested = false
	return nil
}

func unquote(line, mark string) ([]byte, error) {
	value, err := strconv.Unquote(strings.TrimPrefix(line, mark))
	if err != nil {
		return nil, fmt.Errorf("unquoting: %w", err)
	}
	return []byte(value), nil
}
