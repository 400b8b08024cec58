package sqldump

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"prserver/prserv/store"
)

// Damage is what keeps a dump from being whole.
type Damage struct {
	First error // what was found first, or nil if the dump is whole
	Line  int   // where that was
	More  int   // how many other things were found
}

func (d *Damage) add(line int, err error) {
	if d.First == nil {
		d.First, d.Line = err, line
		return
	}
	d.More++
}

// The same in the words of somebody who wants what there is.
var (
	errShort      = errors.New("it ends in the middle")
	errRolledBack = errors.New("it says itself that it is not whole (ROLLBACK)")
)

// Salvage reads what Read refuses: a dump that ends too early or in ROLLBACK,
// one with damaged statements, and what .recover of sqlite3 writes, with its
// table lost_and_found. It calls add with every row that it can make out. The
// error is the first one of add, or one of reading.
func (r *Reader) Salvage(add func(table string, row store.Row) error) (Damage, error) {
	var damage Damage
	for {
		stmt, err := r.statement()
		line := r.line
		cut := errors.Is(err, ErrCut) || errors.Is(err, io.EOF)
		if err != nil && !cut && !errors.Is(err, errTooLong) {
			return damage, err
		}
		if err != nil {
			stmt = r.buf // as far as it goes
		}
		s := salvager{Reader: r, add: add}
		s.statement(stmt)
		if s.wrong != nil && !cut {
			damage.add(line, s.wrong)
		}
		if cut && !s.ended {
			damage.add(line, errShort)
		}
		if s.failed != nil || s.ended || cut {
			return damage, s.failed
		}
	}
}

// salvager takes the rows of a statement.
type salvager struct {
	*Reader
	add    func(string, store.Row) error
	ended  bool  // the dump ends here
	wrong  error // what is wrong with the statement
	failed error // of add
}

// statement takes a statement. Where a quote is damaged, it goes on to the next
// semicolon behind a quote, and has the next rows in it.
func (s *salvager) statement(stmt []byte) {
	s.wrong = s.one(stmt)
	if s.wrong == nil || s.ended || s.failed != nil {
		return
	}
	for rest := stmt; ; {
		at := bytes.Index(rest, []byte("\nINSERT "))
		if at < 0 {
			return
		}
		rest = rest[at+1:]
		piece, _, _ := bytes.Cut(rest, []byte("\nINSERT "))
		if s.one(bytes.TrimSuffix(bytes.TrimSpace(piece), []byte{';'})) != nil { // more than a row stands in it
			if end := bytes.Index(piece, []byte(");\n")); end >= 0 {
				s.one(piece[:end+1])
			}
		}
	}
}

// one takes a statement, and returns what is wrong with it.
func (s *salvager) one(stmt []byte) error {
	l := lexer{text: stmt}
	switch first := l.keyword(); first {
	case "INSERT":
		return s.insert(&l)
	case "CREATE":
		if bytes.Contains(stmt, []byte(lostAndFound)) {
			return nil
		}
		return s.create(&l)
	case "BEGIN":
		if l.end() {
			return ErrRecovered
		}
		return nil
	case "COMMIT", "ROLLBACK":
		switch s.ended = l.end(); {
		case s.ended && first == "ROLLBACK":
			return errRolledBack
		case s.ended:
			return nil
		}
	case "PRAGMA", "ANALYZE", "DELETE":
		return nil
	}
	if bytes.HasPrefix(stmt, []byte(".dbconfig")) { // stands before BEGIN
		return ErrRecovered
	}
	return noDump(stmt)
}

// lostAndFound begins the name of the table that .recover makes of rows whose
// table it does not know. Its columns are rootpgno, pgno, nfield, id, c0 and so
// on; the id is the rowid, or NULL in an entry of an index.
const lostAndFound = "lost_and_found"

// insert takes the row of an INSERT statement.
func (s *salvager) insert(l *lexer) error {
	word := l.keyword()
	if word == "OR" && l.keyword() == "IGNORE" {
		word = l.keyword()
	}
	name := l.name()
	isLost := strings.HasPrefix(name, lostAndFound)
	if word != "INTO" || schemas[name] == "" && !isLost {
		if isKept(name) || slices.Contains(s.skipped, "table "+name) {
			return nil
		}
		return noDump(l.text)
	}
	var columns []string
	if l.symbol('(') {
		for columns = append(columns, l.name()); l.symbol(','); {
			columns = append(columns, l.name())
		}
		if !l.symbol(')') {
			return noDump(l.text)
		}
	}
	if l.keyword() != "VALUES" || !l.symbol('(') {
		return noDump(l.text)
	}
	var values []any
	for more := true; more; more = l.symbol(',') {
		v, err := l.value(nil)
		if err != nil {
			return err
		}
		values = append(values, v)
	}
	if !l.symbol(')') || !l.end() {
		return fmt.Errorf("%s does not end as a row does", start(l.text))
	}
	if isLost {
		return s.lost(values)
	}
	if len(columns) == len(values) && len(columns) > 0 && columns[0] == "_rowid_" {
		values = values[1:]
	}
	if len(values) != 4 {
		return fmt.Errorf("%s does not have four values", start(l.text))
	}
	s.row(name, values)
	return nil
}

// lost takes a row of lost_and_found, if it is one of a table of PR values or an
// entry of the index that has all of it.
func (s *salvager) lost(values []any) error {
	const before = 4 // columns before those of the row
	if len(values) < before+4 {
		return nil
	}
	isRow := values[2] == int64(4) && values[3] != nil
	isEntry := values[2] == int64(5) && values[3] == nil
	_, isText := values[before+3].(string)
	switch {
	case isText && (isRow || isEntry):
		s.row(store.MainTable, values[before:before+4])
	case isRow:
		s.row(store.NohistTable, values[before:before+4])
	}
	return nil
}

func (s *salvager) row(table string, values []any) {
	if s.failed == nil {
		s.failed = s.add(table, store.Row{Version: values[0], Pkgarch: values[1], Checksum: values[2], Value: values[3]})
	}
}
