package place

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"prserver/prserv"
)

// The generations of BitBake's tables.
const (
	// whole is the generation whose values are whole numbers: up to BitBake 2.8.
	whole = 1
	// revisions is the one whose values are texts, such as 3 or 3.0, of which
	// one checksum may have several: BitBake 2.10 and later.
	revisions = 3
)

// revisionTable is the table of BitBake 2.10 and later.
const revisionTable = prserv.NewerTable

// schemas are the names of the tables, and the statements that make them.
var schemas = map[int]struct{ name, create string }{
	whole: {prserv.Table, strings.Replace(prserv.Schema, "IF NOT EXISTS ", "", 1)},
	// Source: lib/prserv/db.py:PRTable.__init__ of BitBake 2.10.
	revisions: {revisionTable, "CREATE TABLE " + revisionTable + " " +
		"(version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, " +
		"value TEXT, PRIMARY KEY (version, pkgarch, checksum, value));"},
}

// table is the rows of a place, where SQL finds them.
type table struct {
	place      Place
	from       string // what stands behind FROM: a table with four columns
	generation int
	rows       int64
	// keyed tells that the table has the primary key of its generation.
	keyed bool
	// mixed tells that it has the rows of two tables, one of each generation.
	mixed bool
}

// badRows is the condition of rows that no PR server has issued: what they
// hold is no text, or no value.
func badRows(generation int) string {
	value := `typeof(value) <> 'integer'`
	if generation == revisions {
		value = `typeof(value) <> 'text' OR value = '' OR instr(value, char(0)) OR '.' || value || '.' GLOB '*..*'
			OR value GLOB '*[^0-9.]*' AND NOT (value GLOB '-[0-9]*' AND substr(value, 2) NOT GLOB '*[^0-9]*')
			OR value GLOB '*` + strings.Repeat("[0-9]", maxDigits+1) + `*' AND value <> CAST(CAST(value AS INTEGER) AS TEXT)
			OR length(value) > ` + strconv.Itoa(maxDigits) + ` AND value LIKE '-%' AND value <> CAST(CAST(value AS INTEGER) AS TEXT)`
	}
	return `(typeof(version) <> 'text' OR typeof(pkgarch) <> 'text' OR typeof(checksum) <> 'text'
		OR instr(version, char(0)) OR instr(pkgarch, char(0)) OR instr(checksum, char(0)) OR ` + value + `)`
}

// errBadRow is a row that no PR server has issued.
var errBadRow = errors.New("no PR server has issued it; see prserv-tool check")

// mustBeRows returns an error if a table has rows that cannot be moved.
func (b *base) mustBeRows(ctx context.Context, t *table) error {
	return b.ofTable(ctx, t, `SELECT version, pkgarch, checksum, value FROM `+t.from+` WHERE `+badRows(t.generation)+` LIMIT 1`,
		nil, func(row []driver.Value) error {
			return fmt.Errorf("%s: the row %s: %w", t.place, shown(row), errBadRow)
		})
}

// ofTable calls f with every row of a query of a table. An error of the query
// names the place.
func (b *base) ofTable(ctx context.Context, t *table, query string, args []driver.Value, f func(row []driver.Value) error) error {
	var failed error
	err := b.query(ctx, query, args, func(row []driver.Value) error {
		failed = f(row)
		return failed
	})
	if err != nil && failed == nil && ctx.Err() == nil {
		return fileError(t.place, "reading", err)
	}
	return err
}

// maxShown is how much of a text a person gets to see.
const maxShown = 100

// shown writes a row for a person.
func shown(row []driver.Value) string {
	var parts []string
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			parts = append(parts, "NULL")
		case string:
			if v == "" || !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' }) {
				parts = append(parts, fmt.Sprintf("%.60q", v))
			} else if len(v) > maxShown {
				parts = append(parts, fmt.Sprintf("%.*s...", maxShown, v))
			} else {
				parts = append(parts, v)
			}
		case []byte:
			parts = append(parts, fmt.Sprintf("X'%.30X'", v))
		default:
			parts = append(parts, fmt.Sprint(v))
		}
	}
	return strings.Join(parts, " ")
}

// byKey is how rows are read in the order of their key. Going by the index
// would fetch every row from a page of its own.
func (t *table) byKey(where string) string {
	from := t.from
	if !strings.HasPrefix(from, "(") {
		from += " NOT INDEXED"
	}
	return `SELECT version, pkgarch, checksum, CAST(value AS TEXT) FROM ` + from + ` ` + where +
		` ORDER BY version COLLATE BINARY, pkgarch COLLATE BINARY, checksum COLLATE BINARY, value COLLATE revision`
}

// some makes a table of some rows of another one.
func (b *base) some(ctx context.Context, name string, t *table, where string) (*table, error) {
	out := &table{place: t.place, from: "main." + name, generation: t.generation}
	var err error
	out.rows, err = b.exec(ctx, "CREATE TABLE "+out.from+" (version, pkgarch, checksum, value); INSERT INTO "+out.from+
		" SELECT version, pkgarch, checksum, value FROM "+t.from+" WHERE "+where)
	return out, err
}

// rowOf makes a row of four columns.
func rowOf(columns []driver.Value) (Row, error) {
	var r Row
	for i, to := range []*string{&r.Version, &r.Pkgarch, &r.Checksum, &r.Value} {
		text, ok := columns[i].(string)
		if !ok || !utf8.ValidString(text) {
			return r, fmt.Errorf("the row %s: %w", shown(columns), errBadRow)
		}
		*to = text
	}
	return r, nil
}

// each calls f with every row of a table, in the order of the key.
func (b *base) each(ctx context.Context, t *table, f func(Row) error) error {
	return b.ofTable(ctx, t, t.byKey(""), nil, func(columns []driver.Value) error {
		row, err := rowOf(columns)
		if err != nil {
			return fmt.Errorf("%s: %w", t.place, err)
		}
		return f(row)
	})
}

// greatest is those rows of a table that hold the greatest value of their
// version and pkgarch.
func (t *table) greatest() *table {
	out := *t
	out.keyed = false
	out.from = `(SELECT version, pkgarch, checksum, value FROM (SELECT version, pkgarch, checksum, value,
		rank() OVER (PARTITION BY version, pkgarch ORDER BY value COLLATE revision DESC) AS place FROM ` + t.from + `) WHERE place = 1)`
	return &out
}
