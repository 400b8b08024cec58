package golden

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The lines of a session file. The head comes first: what the session is about, and what is special about it. Then come
// the seed, if there is one, that of the server upstream, and the exchanges, each behind an empty line.
const (
	markComment   = "# "
	lineJSONLines = "! json-lines"
	lineReadOnly  = "! read-only"
	markRefused   = "! refused "
	markDiffers   = "! differs "
	markRequest   = "> "
	markReply     = "< "
	lineSeed      = "seed"
	lineUpstream  = "upstream"
	lineSeedEnd   = "end"
	lineAsked     = "! upstream"
	lineHalfClose = "! half-close"
	// because stands between the two parts of a difference.
	because = " because "
	// markSeed begins a line of the seed. Exactly one is taken off, so that white space survives.
	markSeed = "\t"
)

// errFormat is returned, wrapped, for text that is no session file.
var errFormat = errors.New("not a session file")

// format returns the text of the session's file.
func format(session Session) []byte {
	var out bytes.Buffer
	for _, line := range session.About {
		writeLine(&out, strings.TrimSpace(markComment+line))
	}
	if session.JSONLines {
		writeLine(&out, lineJSONLines)
	}
	if session.ReadOnly {
		writeLine(&out, lineReadOnly)
	}
	writeDifference(&out, markRefused, session.Refused)
	if session.Seed != "" {
		writeSeed(&out, lineSeed, session.Seed)
	}
	if session.Upstream {
		writeSeed(&out, lineUpstream, session.UpstreamSeed)
	}
	for _, exchange := range session.Exchanges {
		writeLine(&out, "")
		writeExchange(&out, exchange, session.JSONLines)
	}
	return out.Bytes()
}

func writeSeed(out *bytes.Buffer, name, seed string) {
	writeLine(out, "")
	writeLine(out, name)
	if seed != "" {
		for _, line := range strings.Split(seed, "\n") {
			writeLine(out, markSeed+line)
		}
	}
	writeLine(out, lineSeedEnd)
}

func writeExchange(out *bytes.Buffer, exchange Exchange, jsonLines bool) {
	writeLine(out, markComment+exchange.About)
	if exchange.Upstream {
		writeLine(out, lineAsked)
	}
	if exchange.HalfClose && !jsonLines {
		writeLine(out, lineHalfClose)
	}
	writeDifference(out, markDiffers, exchange.Differs)
	if jsonLines {
		writeLines(out, exchange)
		return
	}
	writeLine(out, markRequest+strconv.Quote(string(exchange.Request)))
	if exchange.Reply != nil {
		writeLine(out, markReply+strconv.Quote(string(exchange.Reply)))
	}
}

func writeDifference(out *bytes.Buffer, mark string, diff Difference) {
	if diff != (Difference{}) {
		writeLine(out, mark+strconv.Quote(diff.Ours)+because+diff.Reason)
	}
}

func writeLine(out *bytes.Buffer, line string) {
	out.WriteString(line)
	out.WriteByte('\n')
}

// parse reads the text of a session file. The session's name is not in the text.
func parse(text []byte) (Session, error) {
	p := parser{lines: strings.Split(string(text), "\n"), head: true}
	for p.next() {
		if err := p.line(); err != nil {
			return Session{}, fmt.Errorf("line %d: %w", p.at, err)
		}
	}
	if err := p.emptyLine(); err != nil {
		return Session{}, fmt.Errorf("at the end: %w", err)
	}
	return p.session, nil
}

// A parser is the state of reading one file.
type parser struct {
	lines    []string
	at       int // how many lines have been taken
	current  string
	session  Session
	head     bool      // no empty line has come yet
	exchange *Exchange // the one being read, or nil
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
	switch {
	case p.current == "":
		return p.emptyLine()
	case p.head:
		return p.headLine()
	case p.current == lineSeed, p.current == lineUpstream:
		return p.seed()
	default:
		return p.exchangeLine()
	}
}

// emptyLine ends the head, or an exchange.
func (p *parser) emptyLine() error {
	p.head = false
	if p.exchange == nil {
		return nil
	}
	if p.exchange.Request == nil {
		return fmt.Errorf("an exchange without request: %w", errFormat)
	}
	p.session.Exchanges = append(p.session.Exchanges, *p.exchange)
	p.exchange = nil
	return nil
}

func (p *parser) headLine() error {
	switch line := p.current; {
	case strings.HasPrefix(line, "#"):
		p.session.About = append(p.session.About, comment(line))
	case line == lineJSONLines:
		p.session.JSONLines = true
	case line == lineReadOnly:
		p.session.ReadOnly = true
	case strings.HasPrefix(line, markRefused):
		return setDifference(&p.session.Refused, strings.TrimPrefix(line, markRefused))
	default:
		return fmt.Errorf("%.40q before the first empty line: %w", line, errFormat)
	}
	return nil
}

// seed reads the seed, or that of the server upstream, which may be empty.
func (p *parser) seed() error {
	into := &p.session.Seed
	if p.current == lineUpstream {
		into = &p.session.UpstreamSeed
	}
	if *into != "" || p.session.Upstream || p.session.Exchanges != nil || p.exchange != nil {
		return fmt.Errorf("a seed belongs before the exchanges: %w", errFormat)
	}
	p.session.Upstream = p.current == lineUpstream
	var lines []string
	for p.next() {
		if p.current == lineSeedEnd {
			*into = strings.Join(lines, "\n")
			return nil
		}
		line, ok := strings.CutPrefix(p.current, markSeed)
		if !ok {
			return fmt.Errorf("a seed line without tab: %w", errFormat)
		}
		lines = append(lines, line)
	}
	return fmt.Errorf("a seed without end: %w", errFormat)
}

// exchangeLine reads one line of an exchange: its comment and its marks come before the request, the reply after it.
func (p *parser) exchangeLine() error {
	if p.exchange == nil {
		p.exchange = &Exchange{HalfClose: p.session.JSONLines}
	}
	line, exchange := p.current, p.exchange
	if p.session.JSONLines && (line[0] == markRequest[0] || line[0] == markReply[0]) {
		return exchange.addLine(line)
	}
	reply, isReply := strings.CutPrefix(line, markReply)
	switch {
	case isReply != (exchange.Request != nil) || exchange.Reply != nil:
		return fmt.Errorf("%.40q in the wrong place of an exchange: %w", line, errFormat)
	case isReply:
		return unquote(&exchange.Reply, reply)
	case strings.HasPrefix(line, "#"):
		if exchange.About != "" {
			return fmt.Errorf("two comments on one exchange: %w", errFormat)
		}
		exchange.About = comment(line)
	case line == lineAsked && p.session.Upstream:
		exchange.Upstream = true
	case line == lineHalfClose && !p.session.JSONLines:
		exchange.HalfClose = true
	case strings.HasPrefix(line, markDiffers):
		return setDifference(&exchange.Differs, strings.TrimPrefix(line, markDiffers))
	case strings.HasPrefix(line, markRequest):
		return unquote(&exchange.Request, strings.TrimPrefix(line, markRequest))
	default:
		return fmt.Errorf("unknown line %.40q: %w", line, errFormat)
	}
	return nil
}

func comment(line string) string {
	return strings.TrimPrefix(strings.TrimPrefix(line, "#"), " ")
}

// setDifference reads what is behind the mark of a difference.
func setDifference(diff *Difference, text string) error {
	if *diff != (Difference{}) {
		return fmt.Errorf("two differences in one place: %w", errFormat)
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return fmt.Errorf("a difference without quoted text: %w", errFormat)
	}
	ours, err := strconv.Unquote(quoted)
	if err != nil {
		return fmt.Errorf("unquoting: %w", err)
	}
	reason, ok := strings.CutPrefix(text[len(quoted):], because)
	if !ok || reason == "" {
		return fmt.Errorf("a difference is %q: %w", `"text"`+because+"reason", errFormat)
	}
	*diff = Difference{Ours: ours, Reason: reason}
	return nil
}

func unquote(value *[]byte, quoted string) error {
	text, err := strconv.Unquote(quoted)
	if err != nil {
		return fmt.Errorf("unquoting: %w", err)
	}
	*value = []byte(text)
	return nil
}
