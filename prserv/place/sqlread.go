package place

import (
	"bufio"
	"bytes"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"prserver/prserv"
)

// maxStatement bounds a statement of a dump, and so a row.
const maxStatement = 32 << 20

// errCut is a text that ends too early.
var errCut = errors.New("it ends in the middle, so rows are missing; get a whole one")

// dumpReader reads the rows of a dump: what dump_db answers, what sqlite3's
// .dump writes, or what Work writes. Nothing of it is executed.
type dumpReader struct {
	in    *bufio.Reader
	line  int // the one that the statement at hand begins in
	end   int // the one that reading has come to
	buf   []byte
	begun bool // there has been a statement
	// lenient takes values that no PR server issues, for somebody to look at.
	lenient bool
	made    map[string]bool // tables that the dump has made
	// Skipped are the tables that are none of a PR server.
	skipped []string
	last    [columns]driver.Value // texts of the last row, of which most come again
}

func newDumpReader(r io.Reader, lenient bool) *dumpReader {
	return &dumpReader{in: bufio.NewReaderSize(r, 256<<10), end: 1, lenient: lenient, made: map[string]bool{}}
}

// lineError is an error in a line of a text.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// read adds the rows of the dump.
func (d *dumpReader) read(s *stager) error {
	ended := false
	for {
		stmt, err := d.statement()
		switch {
		case errors.Is(err, io.EOF) && !ended:
			err = errCut
		case errors.Is(err, io.EOF):
			if !d.made[prserv.Table] && !d.made[revisionTable] {
				return fmt.Errorf("it makes no table %s or %s; it is no dump of a PR server", prserv.Table, revisionTable)
			}
			return nil
		case err == nil && ended:
			err = errors.New("something follows behind COMMIT")
		case err == nil:
			ended, err = d.process(stmt, s)
		}
		if err != nil {
			return &lineError{d.line, err}
		}
	}
}

// statement returns the next statement, without its semicolon. The error is
// io.EOF where there is none.
func (d *dumpReader) statement() ([]byte, error) {
	d.buf = d.buf[:0]
	var quote byte // the one that has to end before a semicolon counts
	for {
		piece, err := d.in.ReadSlice(';')
		if len(d.buf) == 0 {
			trimmed := bytes.TrimLeft(piece, " \t\r\n")
			d.end += bytes.Count(piece[:len(piece)-len(trimmed)], []byte{'\n'})
			d.line = d.end
			piece = trimmed
		}
		for _, c := range piece {
			switch {
			case c == '\n':
				d.end++
			case quote == 0 && (c == '\'' || c == '"'):
				quote = c
			case c == quote:
				quote = 0
			}
		}
		d.buf = append(d.buf, piece...)
		switch {
		case len(d.buf) > maxStatement:
			return nil, fmt.Errorf("a statement is longer than %d MiB", maxStatement>>20)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(d.buf) > 0:
			if !d.begun && !isBeginning(d.buf) {
				return nil, noDump(d.buf)
			}
			return nil, errCut
		case err != nil:
			return nil, err
		case quote == 0:
			d.begun = true
			return d.buf[:len(d.buf)-1], nil
		}
	}
}

// process takes a statement. It tells whether that was the last one.
func (d *dumpReader) process(stmt []byte, s *stager) (last bool, err error) {
	l := lexer{text: stmt}
	switch l.keyword() {
	case "INSERT":
		return false, d.insert(&l, s)
	case "CREATE":
		return false, d.create(&l, stmt)
	case "BEGIN":
		return false, nil
	case "COMMIT", "END":
		return true, nil
	case "PRAGMA":
		if l.keyword() == "FOREIGN_KEYS" {
			return false, nil
		}
	case "ANALYZE":
		return false, nil
	case "DELETE": // what SQLite makes for itself
		if l.keyword() == "FROM" && isKept(l.name()) && l.end() {
			return false, nil
		}
	case "ROLLBACK":
		return false, errors.New("the dump says itself that it is not whole (ROLLBACK); get another one")
	}
	return false, noDump(stmt)
}

func noDump(stmt []byte) error {
	return fmt.Errorf("%s is nothing that a dump of a PR server has", begins(stmt))
}

// isBeginning tells whether a text that has no end may be what is left of a
// dump. What another program has written is not to be called incomplete.
func isBeginning(text []byte) bool {
	l := lexer{text: text}
	word := l.keyword()
	return word != "" && (strings.HasPrefix("BEGIN", word) || strings.HasPrefix("PRAGMA", word))
}

func isInternal(table string) bool { return strings.HasPrefix(table, "sqlite_") }

// isKept tells whether SQLite's .dump writes the rows of a table that SQLite
// keeps for itself. Those of sqlite_master make tables behind everybody's back.
func isKept(table string) bool {
	return table == "sqlite_sequence" || strings.HasPrefix(table, "sqlite_stat")
}

// begins is what a statement begins with, for a person.
func begins(stmt []byte) string { return fmt.Sprintf("%.40q", stmt) }

// create takes a CREATE statement.
func (d *dumpReader) create(l *lexer, stmt []byte) error {
	what := l.keyword()
	if what == "UNIQUE" {
		what = l.keyword()
	}
	if what != "TABLE" && what != "INDEX" {
		return noDump(stmt)
	}
	if at := l.at; l.keyword() != "IF" || l.keyword() != "NOT" || l.keyword() != "EXISTS" {
		l.at = at
	}
	name := l.name()
	generation := generationOf(name)
	if what == "INDEX" || generation == 0 {
		d.skipped = append(d.skipped, strings.ToLower(what)+" "+name)
		return nil
	}
	want := schemas[generation].create
	if squeeze(l.text[l.at:]) != squeeze([]byte(want[strings.IndexByte(want, '('):len(want)-1])) {
		return fmt.Errorf("the table %s is not that of a PR server", name)
	}
	d.made[name] = true
	return nil
}

// generationOf returns the generation that has a table of this name, or 0.
func generationOf(name string) int {
	for generation, schema := range schemas {
		if name == schema.name {
			return generation
		}
	}
	return 0
}

// squeeze takes out what makes no difference between schemas.
func squeeze(sql []byte) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n\"", r) {
			return -1
		}
		return r
	}, string(sql)))
}

// insert takes an INSERT statement.
func (d *dumpReader) insert(l *lexer, s *stager) error {
	if l.keyword() != "INTO" {
		return errors.New("INSERT without INTO")
	}
	name := l.name()
	generation := generationOf(name)
	switch {
	case generation == 0 && (isKept(name) || d.skips("table "+name)):
		return nil
	case generation == 0:
		return fmt.Errorf("a row for the table %q, which the dump has not made", name)
	}
	if l.keyword() != "VALUES" || !l.symbol('(') {
		return fmt.Errorf("%s has no VALUES", begins(l.text))
	}
	var row [columns]driver.Value
	for i := range row {
		if i > 0 && !l.symbol(',') {
			return fmt.Errorf("%s has not four values", begins(l.text))
		}
		v, err := l.value(d, i)
		if err != nil {
			return err
		}
		row[i] = v
	}
	if !l.symbol(')') || !l.end() {
		return fmt.Errorf("%s has not four values", begins(l.text))
	}
	if d.lenient {
		return s.add(row)
	}
	return addChecked(s, row, generation)
}

func (d *dumpReader) skips(what string) bool {
	for _, s := range d.skipped {
		if s == what {
			return true
		}
	}
	return false
}

// addChecked adds a row, if a PR server could have issued it.
func addChecked(s *stager, row [columns]driver.Value, generation int) error {
	version, ok1 := row[0].(string)
	pkgarch, ok2 := row[1].(string)
	checksum, ok3 := row[2].(string)
	value := row[3]
	switch v := value.(type) {
	case int64:
	case string:
		if _, ok := parseRevision(v); !ok || generation != revisions {
			value = nil
		}
	default:
		value = nil
	}
	if !ok1 || !ok2 || !ok3 || value == nil || hasNUL(version) || hasNUL(pkgarch) || hasNUL(checksum) {
		return fmt.Errorf("the row %s: %w", shown(row[:]), errBadRow)
	}
	return s.add(row)
}

func hasNUL(s string) bool { return strings.IndexByte(s, 0) >= 0 }

// lexer takes a statement to pieces.
type lexer struct {
	text []byte
	at   int
}

func (l *lexer) space() {
	for l.at < len(l.text) && (l.text[l.at] == ' ' || l.text[l.at] == '\n' || l.text[l.at] == '\t' || l.text[l.at] == '\r') {
		l.at++
	}
}

// end tells whether nothing follows.
func (l *lexer) end() bool {
	l.space()
	return l.at == len(l.text)
}

// symbol takes a character, if it follows.
func (l *lexer) symbol(c byte) bool {
	l.space()
	if l.at < len(l.text) && l.text[l.at] == c {
		l.at++
		return true
	}
	return false
}

// word takes letters, digits and underscores.
func (l *lexer) word() []byte {
	l.space()
	from := l.at
	for l.at < len(l.text) {
		c := l.text[l.at]
		if !(c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z') {
			break
		}
		l.at++
	}
	return l.text[from:l.at]
}

// keyword takes a word, in capitals.
func (l *lexer) keyword() string { return string(bytes.ToUpper(l.word())) }

// name takes the name of a table, quoted or not.
func (l *lexer) name() string {
	l.space()
	if l.at < len(l.text) && (l.text[l.at] == '"' || l.text[l.at] == '\'') {
		name, _ := l.quoted(l.text[l.at])
		return string(name)
	}
	return string(l.word())
}

// quoted takes a text in quotes.
func (l *lexer) quoted(quote byte) ([]byte, bool) {
	if !l.symbol(quote) {
		return nil, false
	}
	n := bytes.IndexByte(l.text[l.at:], quote)
	if n < 0 {
		return nil, false
	}
	if next := l.at + n + 1; next == len(l.text) || l.text[next] != quote {
		text := l.text[l.at : l.at+n]
		l.at = next
		return text, true
	}
	var text []byte // a quote in the text is written twice
	for {
		text = append(text, l.text[l.at:l.at+n]...)
		l.at += n + 1
		if l.at == len(l.text) || l.text[l.at] != quote {
			return text, true
		}
		text = append(text, quote)
		l.at++
		if n = bytes.IndexByte(l.text[l.at:], quote); n < 0 {
			return nil, false
		}
	}
}

// value takes the value of column i.
func (l *lexer) value(d *dumpReader, i int) (driver.Value, error) {
	l.space()
	bad := func() (driver.Value, error) {
		rest := l.text[l.at:]
		return nil, fmt.Errorf("%.40q is no value that a dump of a PR server has", rest)
	}
	if l.at == len(l.text) {
		return bad()
	}
	from := l.at
	switch c := l.text[l.at]; {
	case c == '\'':
		text, ok := l.quoted('\'')
		if !ok {
			return bad()
		}
		if last, ok := d.last[i].(string); !ok || last != string(text) {
			d.last[i] = string(text)
		}
		return d.last[i], nil
	case c == '-' || c >= '0' && c <= '9':
		l.at++
		for l.at < len(l.text) && strings.IndexByte("0123456789.eE+-", l.text[l.at]) >= 0 {
			l.at++
		}
		number := string(l.text[from:l.at])
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			return n, nil
		}
		if f, err := strconv.ParseFloat(number, 64); err == nil {
			return f, nil
		}
	case c == 'N' || c == 'n':
		if l.keyword() == "NULL" {
			return nil, nil
		}
	case c == 'X' || c == 'x':
		l.at++
		if text, ok := l.quoted('\''); ok {
			return append([]byte(nil), text...), nil
		}
	}
	l.at = from
	return bad()
}
