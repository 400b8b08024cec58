package store

import "strings"

// The generations of BitBake's tables. Generation 2, from BitBake 1.52 to 2.8,
// speaks another protocol and keeps its values in the table of the first.
const (
	// Generation1 has values that are whole numbers: up to BitBake 2.8.
	Generation1 = 1
	// Generation3 has values that are texts, such as 3 or 3.0, of which one
	// checksum may have several: BitBake 2.10 and later.
	Generation3 = 3
)

// NohistTable is the table of generations 1 and 2, whose servers run in the
// mode without a history.
const NohistTable = "PRMAIN_nohist"

// NohistSchema is the statement that makes [NohistTable]. SQLite stores its
// text and dump_db answers it, so its odd white space is part of the wire.
//
// Source: lib/prserv/db.py:PRTable.__init__.
const NohistSchema = "CREATE TABLE IF NOT EXISTS " + NohistTable + "                     " +
	"(version TEXT NOT NULL,                     " + // see Key
	"pkgarch TEXT NOT NULL,                      " +
	"checksum TEXT NOT NULL,                     " +
	"value INTEGER,                     " + // the PR value
	"PRIMARY KEY (version, pkgarch, checksum));"

// HistTable is the table of generations 1 and 2 in the mode with a history,
// which no bitbake-prserv turns on. It has the columns of [NohistTable].
const HistTable = "PRMAIN_hist"

// MainTable is the table of generation 3.
const MainTable = "PRMAIN"

// MainSchema is the statement that makes [MainTable]. It has its white space
// from the original, too.
//
// Source: lib/prserv/db.py:PRTable.__init__ of BitBake 2.10.
const MainSchema = "CREATE TABLE IF NOT EXISTS " + MainTable + "                         " +
	"(version TEXT NOT NULL,                         " + // see Key
	"pkgarch TEXT NOT NULL,                          " +
	"checksum TEXT NOT NULL,                         " +
	"value TEXT,                         " + // a Revision
	"PRIMARY KEY (version, pkgarch, checksum, value));"

// MainColumns are the columns of [MainTable].
func MainColumns() []Column {
	return []Column{
		{Name: "version", Type: "TEXT", NotNull: true, PrimaryKey: 1},
		{Name: "pkgarch", Type: "TEXT", NotNull: true, PrimaryKey: 2},
		{Name: "checksum", Type: "TEXT", NotNull: true, PrimaryKey: 3},
		{Name: "value", Type: "TEXT", PrimaryKey: 4},
	}
}

// NohistColumns are the columns of [NohistTable].
func NohistColumns() []Column {
	return []Column{
		{Name: "version", Type: "TEXT", NotNull: true, PrimaryKey: 1},
		{Name: "pkgarch", Type: "TEXT", NotNull: true, PrimaryKey: 2},
		{Name: "checksum", Type: "TEXT", NotNull: true, PrimaryKey: 3},
		{Name: "value", Type: "INTEGER"},
	}
}

// Reserved is the checksum of a row of [NohistTable] that no client was given. It
// stands where the greatest value of a version and pkgarch is no whole number,
// such as 3.1, and has the next one: a server that knows whole numbers only
// goes on above it.
const Reserved = "reserved-for-sub-revisions"

// Stored returns the text that SQLite stores of a schema, and dumps.
func Stored(schema string) string { return strings.Replace(schema, "IF NOT EXISTS ", "", 1) }

// The versions of the PR service's data in generations 1 and 2, and in 3.
// Source: lib/prserv/__init__.py:__version__, of 2.10 for the other one.
const (
	CoreVersion     = "1.0.0"
	MainCoreVersion = "2.0.0"
)
