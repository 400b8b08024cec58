package place

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"unicode/utf8"

	"prserver/prserv/dbfile"
)

// Row is a PR value and what it belongs to.
type Row struct {
	Version, Pkgarch, Checksum string
	// Value is a whole number, or in a file of BitBake 2.10 and later a
	// revision: whole numbers with points between.
	Value string
}

// table is the rows of a place, where SQL finds them.
type table struct {
	place      Place
	from       string // what stands behind FROM: a table with four columns
	generation *generation
	rows       int64
	// attached tells that the rows are in a database file of the user's, not
	// in the scratch database.
	attached bool
	// keyed tells that the table has the primary key of its generation.
	keyed bool
	// repeats tells that a key may come more than once.
	repeats bool
	// mixed tells that the table has the rows of both tables of a place, as
	// those of generation 3, without those that reserve a number.
	mixed bool
	// left is how many rows of the place are not in the table.
	left int64
	// noXML tells that the place is a server that does not speak XML-RPC, and so
	// does not have the limit of its values.
	noXML bool
	// writer is who may keep values of a database file that are not in it, or
	// nil.
	writer *dbfile.Writer
	// trouble is what the server has said to a ping instead of an answer, or nil.
	trouble error
}

// alone returns the table as that of its generation only.
func (t *table) alone() *table {
	out := *t
	out.mixed = false
	return &out
}

// byKey is the query for the rows in the order of their key. It does not go by
// the index, which would fetch every row from a page of its own.
func (t *table) byKey(where string) string {
	from := t.from
	if !strings.HasPrefix(from, "(") {
		from += " NOT INDEXED"
	}
	return `SELECT version, pkgarch, checksum, CAST(value AS TEXT) FROM ` + from + ` ` + where +
		` ORDER BY version COLLATE BINARY, pkgarch COLLATE BINARY, checksum COLLATE BINARY, value COLLATE revision`
}

// highest returns the rows that hold the greatest value of their version and
// pkgarch.
func (t *table) highest() *table {
	out := *t
	out.keyed = false
	out.from = `(SELECT version, pkgarch, checksum, value FROM (SELECT version, pkgarch, checksum, value,
		rank() OVER (PARTITION BY version, pkgarch ORDER BY value COLLATE revision DESC) AS place FROM ` + t.from + `) WHERE place = 1)`
	return &out
}

// sortFrom is the number of rows from which on they are stored in the order of
// their key. Fewer keep the order of what they come from. The index of more
// would not stay in memory, so each row would cost a read and a write.
var sortFrom int64 = 400_000

// insertInto is the statement that stores the rows in a table of the same
// generation by importone's rule.
func (t *table) insertInto(name string) string {
	order := ""
	if t.rows > sortFrom {
		order = " ORDER BY version, pkgarch, checksum"
	}
	return "INSERT INTO " + name + " SELECT version, pkgarch, checksum, value FROM " + t.from +
		" WHERE true" + order + " ON CONFLICT " + t.generation.conflict
}

// walkTable calls each with every row of a query of a table. An error of the
// query names the place.
func (s *scratch) walkTable(ctx context.Context, t *table, query string, args []driver.Value, each func(row []driver.Value) error) error {
	var failed error
	err := s.walk(ctx, query, args, func(row []driver.Value) error {
		failed = each(row)
		return failed
	})
	if err != nil && failed == nil && ctx.Err() == nil {
		return fileError(t.place, "reading", err)
	}
	return err
}

// walkByKey calls each with the rows of a table that a WHERE chooses, or "", in
// the order of the key.
func (s *scratch) walkByKey(ctx context.Context, t *table, where string, args []driver.Value, each func(Row) error) error {
	return s.walkTable(ctx, t, t.byKey(where), args, func(columns []driver.Value) error {
		row, err := rowOf(columns)
		if err != nil {
			return fmt.Errorf("%s: %w", t.place, err)
		}
		return each(row)
	})
}

// refuseBadRows returns an error if a table has rows that cannot be moved.
func (s *scratch) refuseBadRows(ctx context.Context, t *table) error {
	return s.walkTable(ctx, t, `SELECT version, pkgarch, checksum, value FROM `+t.from+` WHERE `+t.generation.badRows()+` LIMIT 1`,
		nil, func(row []driver.Value) error {
			return fmt.Errorf("%s: the row %s: %w", t.place, shown(row), errBadRow)
		})
}

// selectInto makes a table of those rows of t for which a condition holds.
func (s *scratch) selectInto(ctx context.Context, name string, t *table, where string) (*table, error) {
	out := &table{place: t.place, from: "main." + name, generation: t.generation, mixed: t.mixed, noXML: t.noXML}
	var err error
	out.rows, err = s.exec(ctx, "CREATE TABLE "+out.from+" (version, pkgarch, checksum, value); INSERT INTO "+out.from+
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

// maxShown is how much of a text a person gets to see.
const maxShown = 100

// shown writes the columns of a row for a person.
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
