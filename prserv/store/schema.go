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

// Stored returns the text that SQLite stores of a schema, and dumps.
func Stored(schema string) string { return strings.Replace(schema, "IF NOT EXISTS ", "", 1) }

// CoreVersion is the version of the PR service's data in generations 1 and 2.
// Source: lib/prserv/__init__.py:__version__.
const CoreVersion = "1.0.0"
