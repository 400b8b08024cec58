package place

import (
	"bufio"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"prserver/prserv/store/sqlite"
)

// rowPrefix begins the names of the variables that hold the values of rows.
const rowPrefix = "PRAUTO$"

// tablePrefix begins the comment that names the table of the rows.
const tablePrefix = "#Table: "

// incReader reads BitBake configuration that oe-core's PR export has written,
// or a person in its manner.
//
// Source: oe-core, meta/lib/oe/prservice.py:prserv_import_db.
type incReader struct {
	lines *bufio.Scanner
	line  int
	table string // which the export says its rows are of, if it does
}

// maxLine bounds a line of configuration.
const maxLine = 1 << 20

func newIncReader(r io.Reader) *incReader {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	return &incReader{lines: lines}
}

// read adds the rows.
func (i *incReader) read(s *stager) error {
	for i.lines.Scan() {
		i.line++
		if err := i.process(strings.TrimRight(i.lines.Text(), " \t\r"), s); err != nil {
			return &lineError{i.line, err}
		}
	}
	err := i.lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		return &lineError{i.line + 1, fmt.Errorf("it is longer than %d MiB", maxLine>>20)}
	}
	return err
}

// assignment takes a line that sets a variable to pieces. One that adds to a
// variable, as += does, is none.
func assignment(line string) (name, value string, ok bool) {
	if line == "" {
		return "", "", false
	}
	quote := line[len(line)-1]
	if quote != '"' && quote != '\'' {
		return "", "", false
	}
	name, value, ok = strings.Cut(line[:len(line)-1], string(quote))
	if !ok || strings.IndexByte(value, quote) >= 0 {
		return "", "", false
	}
	name, ok = strings.CutSuffix(strings.TrimRight(name, " \t"), "=")
	if !ok || strings.HasSuffix(name, "+") || strings.HasSuffix(name, ".") {
		return "", "", false
	}
	for _, operator := range []string{"??", "?", ":"} { // = in other words
		if before, ok := strings.CutSuffix(name, operator); ok {
			name = before
			break
		}
	}
	name = strings.TrimRight(name, " \t")
	return name, strings.TrimSpace(value), name != "" && isName(name, nameBytes+"$:")
}

func (i *incReader) process(line string, s *stager) error {
	if line == "" || line[0] == '#' && !strings.HasSuffix(line, `\`) { // with which the next line would go on
		if table, ok := strings.CutPrefix(line, tablePrefix); ok {
			i.table = table
		}
		return nil
	}
	name, text, ok := assignment(line)
	if !ok {
		return fmt.Errorf("%.60q is no setting; a row is written %sVERSION$PKGARCH$CHECKSUM = \"VALUE\"", line, rowPrefix)
	}
	parts := strings.Split(name, "$")
	switch {
	case !strings.HasPrefix(name, rowPrefix):
		// The greatest of a version is said by its rows as well.
		if strings.HasPrefix(name, "PRAUTO_") || name == "PRSERV_LOCKDOWN" {
			return nil
		}
		return fmt.Errorf("%.60q is nothing that a PR export sets", name)
	case len(parts) != columns:
		return fmt.Errorf("%.60q is not %sVERSION$PKGARCH$CHECKSUM", name, rowPrefix)
	case !isVariable(parts[1], parts[2], parts[3]):
		return fmt.Errorf("%.60q is not what BitBake reads as a variable's name", name)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return s.add([columns]driver.Value{parts[1], parts[2], parts[3], n})
	}
	if _, ok := parseRevision(text); !ok {
		return fmt.Errorf("%.60q is no PR value", text)
	}
	return s.add([columns]driver.Value{parts[1], parts[2], parts[3], text})
}

// incWriter writes rows as oe-core's PR export does, but all that the source
// has, whatever recipes there are.
//
// Source: oe-core, meta/lib/oe/prservice.py:prserv_export_tofile, as called by
// meta/classes/prexport.bbclass.
type incWriter struct {
	out *bufio.Writer
	// of the version that the last row was of: pkgarchs in their order, and the
	// greatest value of each
	version  string
	pkgarchs []string
	most     map[string]string
}

// add writes a row. Rows of one version have to follow each other.
func (w *incWriter) add(r Row) error {
	if w.version != r.Version || w.most == nil {
		w.flush()
		w.version, w.most = r.Version, map[string]string{}
	}
	if most, ok := w.most[r.Pkgarch]; !ok {
		w.pkgarchs = append(w.pkgarchs, r.Pkgarch)
		w.most[r.Pkgarch] = r.Value
	} else if compareValues(r.Value, most) > 0 {
		w.most[r.Pkgarch] = r.Value
	}
	_, err := fmt.Fprintf(w.out, "%s%s$%s$%s = \"%s\"\n", rowPrefix, r.Version, r.Pkgarch, r.Checksum, r.Value)
	return err
}

// flush ends a version with the greatest value of each pkgarch.
func (w *incWriter) flush() {
	for _, pkgarch := range w.pkgarchs {
		fmt.Fprintf(w.out, "PRAUTO_%s_%s = \"%s\"\n", w.version, pkgarch, w.most[pkgarch]) // Flush tells of errors
	}
	w.pkgarchs = w.pkgarchs[:0]
}

// end writes what is behind the rows: the table as Python describes it.
func (w *incWriter) end(generation int) error {
	w.flush()
	coreVersion, valueType, valueKey := sqlite.CoreVersion, "INTEGER", 0
	if generation == revisions {
		coreVersion, valueType, valueKey = "2.0.0", "TEXT", 4
	}
	fmt.Fprintf(w.out, "#PR_core_ver = \"%s\"\n\n%s%s\n#Columns:\n", coreVersion, tablePrefix, schemas[generation].name)
	fmt.Fprint(w.out, "#name      \t type    \t notn    \t dflt    \t pk\n",
		"#----------\t --------\t --------\t --------\t ----\n")
	for _, c := range []struct {
		name, typ   string
		notNull, pk int
	}{{"version", "TEXT", 1, 1}, {"pkgarch", "TEXT", 1, 2}, {"checksum", "TEXT", 1, 3}, {"value", valueType, 0, valueKey}} {
		fmt.Fprintf(w.out, "#%10s\t %8s\t %8d\t %8s\t %4d\n", c.name, c.typ, c.notNull, "None", c.pk)
	}
	fmt.Fprint(w.out, "\nPRSERV_LOCKDOWN = \"1\"\n\n")
	return w.out.Flush()
}

// nameBytes is what every BitBake from 1.30 on reads as a part of a variable's
// name, but for the dollar sign, which stands between the parts here. A colon
// is an error in 1.32, an underscore in 1.50 and an override in 2.8.
const nameBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.{}/~-"

// operation is what BitBake does not take for a part of a name.
// Source: lib/bb/data_smart.py:__setvar_regexp__.
var operation = regexp.MustCompile(`_(append|prepend|remove)(_|$)`)

// isVariable tells whether BitBake can read a row as the variables of its
// configuration. One without a version is in no export.
func isVariable(version, pkgarch, checksum string) bool {
	if version == "" || !isName(version, nameBytes) || !isName(pkgarch, nameBytes) || !isName(checksum, nameBytes) {
		return false
	}
	for _, name := range []string{"$" + version + "$" + pkgarch + "$" + checksum, "_" + version + "_" + pkgarch} {
		// What stands in ${ } would be replaced: lib/bb/data.py:expandKeys.
		if strings.Contains(name, "${") || operation.MatchString(name) {
			return false
		}
	}
	return true
}

// isName tells whether a text consists of certain characters only.
func isName(text, characters string) bool { return strings.Trim(text, characters) == "" }
