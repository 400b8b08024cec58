package place

import (
	"strconv"
	"strings"

	"prserver/prserv/store"
)

// generation is one of the tables that BitBake's servers keep PR values in.
type generation struct {
	number int      // by which users call it
	table  string   // its name
	schema string   // the statement that makes it, as SQLite stores it
	key    []string // the columns of its primary key
	// revisions tells that values are texts such as 3 or 3.0, of which one
	// checksum may have several. Otherwise they are whole numbers.
	revisions bool
	// badValue is the condition, in SQL, of values that no PR server issues.
	badValue string
	// ofInteger makes a value of a whole number, in SQL.
	ofInteger string
	// literal is how SQL's printf writes a value in a dump.
	literal string
	// conflict is what becomes of a row whose key the table has already, by
	// importone's rule that no value is lowered.
	// Source: lib/prserv/db.py:PRTable.importone.
	conflict string
	// The last two describe the table in an export.
	valueType, coreVersion string
}

var (
	generation1 = &generation{
		number: store.Generation1, table: store.NohistTable, schema: store.Stored(store.NohistSchema),
		key:       columnNames[:3],
		badValue:  `typeof(value) <> 'integer'`,
		ofInteger: "value", literal: "%d",
		conflict:  "DO UPDATE SET value = excluded.value WHERE excluded.value > value",
		valueType: "INTEGER", coreVersion: store.CoreVersion,
	}
	generation3 = &generation{
		number: store.Generation3, table: store.MainTable, schema: store.Stored(store.MainSchema),
		key:       columnNames,
		revisions: true,
		badValue:  badRevision,
		ofInteger: "iif(typeof(value) = 'integer', CAST(value AS TEXT), value)", literal: "%Q",
		conflict:  "DO NOTHING",
		valueType: "TEXT", coreVersion: "2.0.0",
	}
	generations = []*generation{generation1, generation3}
)

// columnNames are the columns of all tables.
var columnNames = []string{"version", "pkgarch", "checksum", "value"}

const columns = 4

// maxDigits is how many digits [store.ParseRevision] takes for a number of a
// revision. A whole value may have all the digits that SQLite stores.
const maxDigits = 18

// badRevision is the condition of values that [store.ParseRevision] does not
// take.
var badRevision = `typeof(value) <> 'text' OR value = '' OR instr(value, char(0)) OR '.' || value || '.' GLOB '*..*'
	OR value GLOB '*[^0-9.]*' AND NOT (value GLOB '-[0-9]*' AND substr(value, 2) NOT GLOB '*[^0-9]*')
	OR value GLOB '*` + strings.Repeat("[0-9]", maxDigits+1) + `*' AND value <> CAST(CAST(value AS INTEGER) AS TEXT)
	OR length(value) > ` + strconv.Itoa(maxDigits) + ` AND value LIKE '-%' AND value <> CAST(CAST(value AS INTEGER) AS TEXT)`

// generationOf returns the generation that has a table of this name, or nil.
func generationOf(table string) *generation {
	for _, g := range generations {
		if g.table == table {
			return g
		}
	}
	return nil
}

// generationBy returns the generation of a number, or nil.
func generationBy(number int) *generation {
	for _, g := range generations {
		if g.number == number {
			return g
		}
	}
	return nil
}

// newest returns that of two generations which can hold the values of both.
func newest(a, b *generation) *generation {
	if a.number > b.number {
		return a
	}
	return b
}

// keyColumns are the columns of the primary key, with commas between.
func (g *generation) keyColumns() string { return strings.Join(g.key, ", ") }

// create is the statement that makes the table in an attached file.
func (g *generation) create(schema string) string {
	return "CREATE TABLE " + schema + "." + g.schema[len("CREATE TABLE "):]
}

// badRows is the condition of rows that no PR server has issued: what they
// hold is no text, or no value.
func (g *generation) badRows() string {
	bad := g.badValue
	for _, column := range columnNames[:3] {
		bad += " OR typeof(" + column + ") <> 'text' OR instr(" + column + ", char(0))"
	}
	return "(" + bad + ")"
}
