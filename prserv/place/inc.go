package place

import (
	"bufio"
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"prserver/prserv/store"
)

// incKind is the kind of [Inc].
type incKind struct{}

func (incKind) removal() string { return "remove its line" }

func (incKind) refuse(dst Place, o CopyOptions, toItself bool) error {
	return cmp.Or(refuseGeneration(dst, o), refuseItself(dst, toItself))
}

func (incKind) check(context.Context, *checker, *table) (sound bool, err error) { return true, nil }

func (incKind) read(ctx context.Context, w *Work, s *scratch, p Place, name string, _ readOptions) (*table, error) {
	bare := 0
	t, err := w.readText(ctx, s, p, name, func(in io.Reader, to *stager) (*generation, error) {
		reader := newIncReader(in)
		of, err := reader.read(to)
		bare = reader.bare
		return of, err
	})
	switch {
	case err != nil:
		return nil, err
	case t.rows == 0 && bare > 0:
		return nil, &noChecksumError{p, bare}
	}
	return s.distinct(ctx, name+"_distinct", t) // a variable may be set twice
}

func (k incKind) write(ctx context.Context, w *Work, s *scratch, in *table, dst Place, o CopyOptions) (Copied, error) {
	return w.writeText(ctx, s, k, in, dst, o)
}

// choose takes the rows that BitBake can read as variables. Without all, they
// are those that hold the greatest value of their version and pkgarch.
func (incKind) choose(ctx context.Context, w *Work, s *scratch, in *table, o CopyOptions) (*table, error) {
	if err := s.function("is_variable", isVariable); err != nil {
		return nil, err
	}
	if !o.All {
		var err error
		if in, err = s.selectInto(ctx, "highest", in.highest(), "true"); err != nil {
			return nil, err
		}
		if in, err = s.narrowed(ctx, in); err != nil {
			return nil, err
		}
	}
	const isReadable = "is_variable(version, pkgarch, checksum)"
	unreadable := 0
	err := s.walkTable(ctx, in, "SELECT version, pkgarch, checksum FROM "+in.from+" WHERE NOT "+isReadable, nil, func(row []driver.Value) error {
		if unreadable++; unreadable <= 10 {
			w.warn("%s is left out: BitBake cannot read a variable of this name", shown(row))
		}
		return nil
	})
	if err != nil || unreadable == 0 {
		return in, err
	}
	if unreadable > 10 {
		w.warn("%d more rows are left out because of their names", unreadable-10)
	}
	return s.selectInto(ctx, "readable", in, isReadable)
}

func (incKind) print(ctx context.Context, w *Work, s *scratch, t *table, dst Place, out *bufio.Writer) error {
	inc := &incWriter{out: out}
	var n int64
	err := s.walkByKey(ctx, t, "", nil, func(r Row) error {
		if n++; n%tellEvery == 0 {
			w.progress(Progress{"writing " + dst.String(), n, float64(n) / float64(t.rows)})
		}
		return inc.add(r)
	})
	if err != nil {
		return err
	}
	inc.end(t.generation)
	return nil
}

// rowPrefix begins the names of the variables that hold the values of rows.
const rowPrefix = "PRAUTO$"

// tablePrefix begins the comment that names the table that rows are of.
const tablePrefix = "#Table: "

// incReader reads BitBake configuration that oe-core's PR export has written,
// or a person in the same form.
//
// Source: oe-core, meta/lib/oe/prservice.py:prserv_import_db.
type incReader struct {
	lines *bufio.Scanner
	line  int
	// The rows are of the newer table if the export says so, or if one has a
	// value such as 3.0.
	saysNewer, hasRevision bool
	bare                   int // settings of the greatest value of a version and pkgarch
}

// maxLine bounds a line of configuration.
const maxLine = 1 << 20

func newIncReader(r io.Reader) *incReader {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	return &incReader{lines: lines}
}

// read adds the rows and returns their generation.
func (i *incReader) read(to *stager) (*generation, error) {
	for i.lines.Scan() {
		i.line++
		if err := i.process(strings.TrimRight(i.lines.Text(), " \t\r"), to); err != nil {
			return nil, &lineError{i.line, err}
		}
	}
	err := i.lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &lineError{i.line + 1, fmt.Errorf("it is longer than %d MiB", maxLine>>20)}
	case err != nil:
		return nil, err
	case i.saysNewer || i.hasRevision:
		return generation3, nil
	}
	return generation1, nil
}

// assignment takes apart a line that sets a variable. It does not take one that
// adds to a variable, as += does.
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

// process takes a line.
func (i *incReader) process(line string, to *stager) error {
	if line == "" || line[0] == '#' && !strings.HasSuffix(line, `\`) { // with which the next line would go on
		if table, ok := strings.CutPrefix(line, tablePrefix); ok {
			i.saysNewer = table == generation3.table
		}
		return nil
	}
	name, text, ok := assignment(line)
	if !ok {
		return fmt.Errorf("%.60q is not a setting; a row is written %sVERSION$PKGARCH$CHECKSUM = \"VALUE\"", line, rowPrefix)
	}
	parts := strings.Split(name, "$")
	switch {
	case !strings.HasPrefix(name, rowPrefix):
		// The rows say as well which value of a version is the greatest.
		if strings.HasPrefix(name, "PRAUTO_") {
			i.bare++
			return nil
		}
		if name == "PRSERV_LOCKDOWN" {
			return nil
		}
		return fmt.Errorf("%.60q is not what a PR export sets", name)
	case len(parts) != columns:
		return fmt.Errorf("%.60q is not %sVERSION$PKGARCH$CHECKSUM", name, rowPrefix)
	case !isVariable(parts[1], parts[2], parts[3]):
		return fmt.Errorf("%.60q is not what BitBake reads as a variable's name", name)
	}
	row := store.Row{Version: parts[1], Pkgarch: parts[2], Checksum: parts[3], Value: text}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		row.Value = n
	} else if _, ok := store.ParseRevision(text); ok {
		i.hasRevision = true
	} else {
		return fmt.Errorf("%.60q is no PR value", text)
	}
	return to.add(row)
}

// incWriter writes rows as oe-core's PR export does, but of all recipes, not
// only of those that a build knows.
//
// Source: oe-core, meta/lib/oe/prservice.py:prserv_export_tofile, as called by
// meta/classes/prexport.bbclass.
type incWriter struct {
	out *bufio.Writer
	// What follows is of the version of the last row.
	version  string
	pkgarchs []string          // in their order
	highest  map[string]string // value of each pkgarch
}

// add writes a row. The rows of one version must follow each other.
func (w *incWriter) add(r Row) error {
	if w.version != r.Version || w.highest == nil {
		w.flush()
		w.version, w.highest = r.Version, map[string]string{}
	}
	if highest, ok := w.highest[r.Pkgarch]; !ok {
		w.pkgarchs = append(w.pkgarchs, r.Pkgarch)
		w.highest[r.Pkgarch] = r.Value
	} else if compareRevisions(r.Value, highest) > 0 {
		w.highest[r.Pkgarch] = r.Value
	}
	_, err := fmt.Fprintf(w.out, "%s%s$%s$%s = \"%s\"\n", rowPrefix, r.Version, r.Pkgarch, r.Checksum, r.Value)
	return err
}

// flush ends a version with the greatest value of each pkgarch.
func (w *incWriter) flush() {
	for _, pkgarch := range w.pkgarchs {
		fmt.Fprintf(w.out, "PRAUTO_%s_%s = \"%s\"\n", w.version, pkgarch, w.highest[pkgarch]) // Flush tells of errors
	}
	w.pkgarchs = w.pkgarchs[:0]
}

// end writes what follows the rows: the table as Python describes it.
func (w *incWriter) end(of *generation) {
	w.flush()
	fmt.Fprintf(w.out, "#PR_core_ver = \"%s\"\n\n%s%s\n#Columns:\n", of.coreVersion, tablePrefix, of.table)
	fmt.Fprint(w.out, "#name      \t type    \t notn    \t dflt    \t pk\n",
		"#----------\t --------\t --------\t --------\t ----\n")
	for _, name := range columnNames {
		typ, notNull := "TEXT", 1
		if name == "value" {
			typ, notNull = of.valueType, 0
		}
		fmt.Fprintf(w.out, "#%10s\t %8s\t %8d\t %8s\t %4d\n", name, typ, notNull, "None", slices.Index(of.key, name)+1)
	}
	fmt.Fprint(w.out, "\nPRSERV_LOCKDOWN = \"1\"\n\n")
}

// nameBytes are the characters that every BitBake from 1.30 on reads as a part
// of a variable's name, without the dollar sign, which stands between the parts
// here. A colon is an error in 1.32, an underscore in 1.50 and an override in
// 2.8.
const nameBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.{}/~-"

// operation matches what BitBake does not take for a part of a name.
// Source: lib/bb/data_smart.py:__setvar_regexp__.
var operation = regexp.MustCompile(`_(append|prepend|remove)(_|$)`)

// isVariable tells whether BitBake can read a row as variables of its
// configuration. A row without a version is in no export.
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
