// Package sqldump reads the dump of a PR database: what dump_db answers, or
// what sqlite3's .dump or prserv-tool writes. It takes the text apart itself,
// knows no SQLite and executes nothing.
//
// Start with [Reader].
package sqldump

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"prserver/prserv/store"
)

// maxStatement bounds the length of a statement, and so of a row.
const maxStatement = 16 << 20

// ErrCut is returned where a dump ends too early.
var ErrCut = errors.New("it ends in the middle, so rows are missing; get a whole one")

// ErrRolledBack is returned where a dump ends as sqlite3 ends that of a damaged
// file.
var ErrRolledBack = errors.New("the dump says itself that it is not whole (ROLLBACK); get another one")

// ErrRecovered is returned where a text is what .recover of sqlite3 writes, which
// does not say what it has lost.
var ErrRecovered = errors.New("it is what .recover has saved of a damaged file")

var errTooLong = fmt.Errorf("a statement is longer than %d MiB", maxStatement>>20)

// schemas are the statements that make the tables whose rows count.
var schemas = map[string]string{store.NohistTable: store.NohistSchema, store.MainTable: store.MainSchema}

// Reader reads the rows of a dump.
type Reader struct {
	in      *bufio.Reader
	line    int // the line in which the statement at hand begins
	end     int // the line that reading has come to
	buf     []byte
	started bool            // a statement has been read
	begun   bool            // BEGIN TRANSACTION has been read
	made    map[string]bool // the tables of PR values that the dump has made
	skipped []string        // other tables, and indexes and views
	last    [4]any          // the values of the last row
}

// NewReader returns a reader of a dump.
func NewReader(in io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(in, 256<<10), end: 1, made: map[string]bool{}}
}

// Line returns the line in which the last statement begins, which is the one
// that Read has failed at. It is 0 where Read has failed because of what the
// whole dump lacks.
func (r *Reader) Line() int { return r.line }

// Made tells whether the dump makes a table of PR values.
func (r *Reader) Made(table string) bool { return r.made[table] }

// Skipped returns what the dump has besides the tables of PR values, for
// example "table notes".
func (r *Reader) Skipped() []string { return r.skipped }

// Read calls add with every row of a table of PR values. The values of the row
// are nil, int64, float64, string or []byte. It returns the first error of add,
// or says what the dump has that none of a PR server has; [ErrCut] where the
// end is missing.
func (r *Reader) Read(add func(table string, row store.Row) error) error {
	ended := false
	for {
		stmt, err := r.statement()
		switch {
		case errors.Is(err, io.EOF) && !ended:
			return ErrCut
		case errors.Is(err, io.EOF) && len(r.made) == 0:
			r.line = 0
			return fmt.Errorf("it makes no table %s or %s; it is no dump of a PR server", store.NohistTable, store.MainTable)
		case errors.Is(err, io.EOF):
			return nil
		case err == nil && ended:
			err = errors.New("there is more after COMMIT")
		case err == nil:
			ended, err = r.process(stmt, add)
		}
		if err != nil {
			return err
		}
	}
}

// statement returns the next statement, without its semicolon. The error is
// io.EOF where there is none.
func (r *Reader) statement() ([]byte, error) {
	r.buf = r.buf[:0]
	var quote, before byte // what has to end before a semicolon counts; the last byte
	for {
		piece, err := r.in.ReadSlice(';')
		if len(r.buf) == 0 {
			trimmed := bytes.TrimLeft(piece, " \t\r\n")
			r.end += bytes.Count(piece[:len(piece)-len(trimmed)], []byte{'\n'})
			r.line = r.end
			piece = trimmed
		}
		for _, c := range piece {
			if c == '\n' {
				r.end++
			}
			switch {
			case quote == 0:
				quote = quoteOf(before, c)
			case c == quote && (c != '/' || before == '*'):
				quote, c = 0, 0
			}
			before = c
		}
		r.buf = append(r.buf, piece...)
		switch {
		case len(r.buf) > maxStatement:
			return nil, errTooLong
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(r.buf) > 0:
			if !r.started && !isBeginning(r.buf) {
				return nil, noDump(r.buf)
			}
			return nil, ErrCut
		case err != nil:
			return nil, err
		case quote == 0:
			r.started = true
			return r.buf[:len(r.buf)-1], nil
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

// process takes a statement, and tells whether it was the last one.
func (r *Reader) process(stmt []byte, add func(string, store.Row) error) (last bool, err error) {
	l := lexer{text: stmt}
	first := l.keyword()
	if !r.begun && (first == "INSERT" || first == "CREATE" || first == "COMMIT") {
		return false, fmt.Errorf("%s stands before BEGIN TRANSACTION", start(stmt))
	}
	switch first {
	case "INSERT":
		return false, r.insert(&l, add)
	case "CREATE":
		return false, r.create(&l)
	case "BEGIN":
		switch word := l.keyword(); {
		case r.begun || !l.end():
		case word == "TRANSACTION":
			r.begun = true
			return false, nil
		case word == "":
			return false, ErrRecovered
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
		if IsInternal(l.name()) && l.end() {
			return false, nil
		}
	case "DELETE": // of a table that SQLite makes for itself
		if l.keyword() == "FROM" && isKept(l.name()) && l.end() {
			return false, nil
		}
	case "ROLLBACK":
		return false, ErrRolledBack
	}
	return false, noDump(stmt)
}

func noDump(stmt []byte) error {
	return fmt.Errorf("%s does not belong in a dump of a PR server", start(stmt))
}

// start returns what a statement begins with, for a person.
func start(stmt []byte) string { return fmt.Sprintf("%.40q", stmt) }

// isBeginning tells whether a text without an end may be what is left of a
// dump. Only such a text is called incomplete, not that of another program.
func isBeginning(text []byte) bool {
	l := lexer{text: text}
	word := l.keyword()
	return word != "" && (strings.HasPrefix("BEGIN", word) || strings.HasPrefix("PRAGMA", word))
}

// IsInternal tells whether SQLite keeps a table for itself.
func IsInternal(table string) bool { return strings.HasPrefix(table, "sqlite_") }

// isKept tells whether .dump writes the rows of a table that SQLite keeps for
// itself. Rows of sqlite_master would make tables behind everybody's back.
func isKept(table string) bool {
	return table == "sqlite_sequence" || strings.HasPrefix(table, "sqlite_stat")
}

// create takes a CREATE statement.
func (r *Reader) create(l *lexer) error {
	what := l.keyword()
	if what == "UNIQUE" {
		what = l.keyword()
	}
	if what != "TABLE" && what != "INDEX" && what != "VIEW" {
		return noDump(l.text)
	}
	if at := l.at; l.keyword() != "IF" || l.keyword() != "NOT" || l.keyword() != "EXISTS" {
		l.at = at
	}
	name := l.name()
	schema := schemas[name]
	switch {
	case name == "" || l.symbol('.'): // of another database
		return noDump(l.text)
	case what != "TABLE" || schema == "":
		r.skipped = append(r.skipped, strings.ToLower(what)+" "+name)
		return nil
	case r.made[name]:
		return fmt.Errorf("the table %s is created twice", name)
	}
	if squeeze(l.text[l.at:]) != squeeze([]byte(schema[strings.IndexByte(schema, '('):len(schema)-1])) {
		return fmt.Errorf("the table %s is not that of a PR server", name)
	}
	r.made[name] = true
	return nil
}

// squeeze takes out what makes no difference between schemas.
func squeeze(sql []byte) string {
	apart := strings.NewReplacer("(", " ( ", ")", " ) ", ",", " , ", `"`, " ").Replace(string(sql))
	return strings.Join(strings.Fields(strings.ToUpper(apart)), " ")
}

// insert takes an INSERT statement.
func (r *Reader) insert(l *lexer, add func(string, store.Row) error) error {
	if l.keyword() != "INTO" {
		return errors.New("INSERT without INTO")
	}
	name := l.name()
	switch {
	case l.symbol('.'):
		return noDump(l.text)
	case r.made[name]:
	case isKept(name) || slices.Contains(r.skipped, "table "+name):
		return nil
	default:
		return fmt.Errorf("a row for the table %q, which the dump does not create", name)
	}
	if l.keyword() != "VALUES" || !l.symbol('(') {
		return fmt.Errorf("%s has no VALUES", start(l.text))
	}
	for i, last := range r.last {
		if i > 0 && !l.symbol(',') {
			return fmt.Errorf("%s does not have four values", start(l.text))
		}
		v, err := l.value(last)
		if err != nil {
			return err
		}
		r.last[i] = v
	}
	if !l.symbol(')') || !l.end() {
		return fmt.Errorf("%s does not have four values", start(l.text))
	}
	return add(name, store.Row{Version: r.last[0], Pkgarch: r.last[1], Checksum: r.last[2], Value: r.last[3]})
}
