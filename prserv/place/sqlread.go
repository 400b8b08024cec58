package place

import (
	"bufio"
	"bytes"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"prserver/prserv/store/sqlite"
)

// maxStatement bounds a statement of a dump, and so a row.
const maxStatement = 16 << 20

// errCut is a text that ends too early.
var errCut = errors.New("it ends in the middle, so rows are missing; get a whole one")

// dumpReader reads the rows of a dump: what dump_db answers, what sqlite3's
// .dump writes, or what Work writes. Nothing of it is executed.
type dumpReader struct {
	in   *bufio.Reader
	line int // the one that the statement at hand begins in
	end  int // the one that reading has come to
	buf  []byte
	some bool // there has been a statement
	// lenient takes values that no PR server issues, for somebody to look at.
	lenient bool
	// only is whole where no rows of the newer table are taken, or 0.
	only  int
	newer int64           // rows of that
	began bool            // there has been a BEGIN TRANSACTION
	made  map[string]bool // tables that the dump has made
	// Skipped are the tables that are none of a PR server.
	skipped []string
	last    [columns]driver.Value // the last row
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
			if !d.made[sqlite.Table] && !d.made[revisionTable] {
				return fmt.Errorf("it makes no table %s or %s; it is no dump of a PR server", sqlite.Table, revisionTable)
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
	var quote, before byte // what has to end before a semicolon counts; the last byte
	for {
		piece, err := d.in.ReadSlice(';')
		if len(d.buf) == 0 {
			trimmed := bytes.TrimLeft(piece, " \t\r\n")
			d.end += bytes.Count(piece[:len(piece)-len(trimmed)], []byte{'\n'})
			d.line = d.end
			piece = trimmed
		}
		for _, c := range piece {
			if c == '\n' {
				d.end++
			}
			switch {
			case quote == 0:
				quote = quoteOf(before, c)
			case c == quote && (c != '/' || before == '*'):
				quote, c = 0, 0
			}
			before = c
		}
		d.buf = append(d.buf, piece...)
		switch {
		case len(d.buf) > maxStatement:
			return nil, fmt.Errorf("a statement is longer than %d MiB", maxStatement>>20)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(d.buf) > 0:
			if !d.some && !isBeginning(d.buf) {
				return nil, noDump(d.buf)
			}
			return nil, errCut
		case err != nil:
			return nil, err
		case quote == 0:
			d.some = true
			return d.buf[:len(d.buf)-1], nil
		}
	}
}

// quoteOf returns what ends the text, name or comment that begins with two
// bytes or the second of them, or 0. The schemas of other tables may have
// comments, and those apostrophes.
func quoteOf(before, c byte) byte {
	switch {
	case c == '\'' || c == '"' || c == '`':
		return c
	case c == '[':
		return ']'
	case c == '-' && before == '-':
		return '\n'
	case c == '*' && before == '/':
		return '/'
	}
	return 0
}

// process takes a statement. It tells whether that was the last one.
func (d *dumpReader) process(stmt []byte, s *stager) (last bool, err error) {
	l := lexer{text: stmt}
	first := l.keyword()
	if !d.began && (first == "INSERT" || first == "CREATE" || first == "COMMIT") {
		return false, fmt.Errorf("%s stands before BEGIN TRANSACTION", begins(stmt))
	}
	switch first {
	case "INSERT":
		return false, d.insert(&l, s)
	case "CREATE":
		return false, d.create(&l, stmt)
	case "BEGIN":
		if l.keyword() == "TRANSACTION" && l.end() && !d.began {
			d.began = true
			return false, nil
		}
	case "COMMIT":
		if l.end() {
			return true, nil
		}
	case "PRAGMA":
		if l.keyword() == "FOREIGN_KEYS" && l.symbol('=') && l.keyword() == "OFF" && l.end() {
			return false, nil
		}
	case "ANALYZE":
		if isInternal(l.name()) && l.end() {
			return false, nil
		}
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
	if what != "TABLE" && what != "INDEX" && what != "VIEW" {
		return noDump(stmt)
	}
	if at := l.at; l.keyword() != "IF" || l.keyword() != "NOT" || l.keyword() != "EXISTS" {
		l.at = at
	}
	name := l.name()
	generation := generationOf(name)
	switch {
	case name == "" || l.symbol('.'): // of another database
		return fmt.Errorf("%s is nothing that a dump of a PR server has", begins(stmt))
	case what != "TABLE" || generation == 0:
		d.skipped = append(d.skipped, strings.ToLower(what)+" "+name)
		return nil
	case d.made[name]:
		return fmt.Errorf("the table %s is made a second time", name)
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
	apart := strings.NewReplacer("(", " ( ", ")", " ) ", ",", " , ", `"`, " ").Replace(string(sql))
	return strings.Join(strings.Fields(strings.ToUpper(apart)), " ")
}

// insert takes an INSERT statement.
func (d *dumpReader) insert(l *lexer, s *stager) error {
	if l.keyword() != "INTO" {
		return errors.New("INSERT without INTO")
	}
	name := l.name()
	switch {
	case l.symbol('.'):
		return noDump(l.text)
	case isKept(name) || slices.Contains(d.skipped, "table "+name):
		return nil
	case !d.made[name]:
		return fmt.Errorf("a row for the table %q, which the dump has not made", name)
	}
	if generationOf(name) == revisions {
		if d.newer++; d.only == whole {
			return nil
		}
	}
	if l.keyword() != "VALUES" || !l.symbol('(') {
		return fmt.Errorf("%s has no VALUES", begins(l.text))
	}
	var row [columns]driver.Value
	for i := range row {
		if i > 0 && !l.symbol(',') {
			return fmt.Errorf("%s has not four values", begins(l.text))
		}
		v, err := l.value(d.last[i])
		if err != nil {
			return err
		}
		row[i] = v
	}
	if !l.symbol(')') || !l.end() {
		return fmt.Errorf("%s has not four values", begins(l.text))
	}
	d.last = row
	if d.lenient {
		return s.add(row)
	}
	return addChecked(s, row, generationOf(name))
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
	if !ok1 || !ok2 || !ok3 || value == nil || !isText(version) || !isText(pkgarch) || !isText(checksum) {
		return fmt.Errorf("the row %s: %w", shown(row[:]), errBadRow)
	}
	return s.add(row)
}

// isText tells whether a PR server can have got a text.
func isText(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }
