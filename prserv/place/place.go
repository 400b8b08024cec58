package place

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a place is.
type Kind int

const (
	Server Kind = iota + 1 // an XML-RPC PR server, ours or any other
	File                   // a SQLite database, of any generation of BitBake
	SQL                    // a dump of one
	Inc                    // BitBake configuration, as oe-core exports PR values
)

// Formats are the kinds of files by the name that a user calls them.
var Formats = map[string]Kind{"sqlite3": File, "sql": SQL, "inc": Inc}

// Endings are how the names of files end.
var Endings = map[string]Kind{
	".sqlite3": File, ".sqlite": File, ".db": File,
	".sql": SQL,
	".inc": Inc, ".conf": Inc,
}

// standard is the name of standard input and output.
const standard = "-"

// Place is somewhere PR values are.
type Place struct {
	Kind Kind
	Name string // HOST:PORT, a path, or "-" for standard input or output
}

// Parse tells what a name means: HOST:PORT is a server, a file is what its
// ending says. Files with another ending, and "-", are what format says: one
// of [Formats], or nothing.
func Parse(name, format string) (Place, error) {
	kind, known := Formats[format]
	if format != "" && !known {
		return Place{}, fmt.Errorf("%q is no format; it is one of sqlite3, sql and inc", format)
	}
	switch ending := Endings[strings.ToLower(filepath.Ext(name))]; {
	case name == "":
		return Place{}, errors.New("a place without a name; write HOST:PORT, a file, or - with --format")
	case name == standard && kind == File:
		return Place{}, errors.New("a database cannot be read from or written to a pipe; name a file, or use --format sql")
	case name == standard && known:
		return Place{kind, name}, nil
	case name == standard:
		return Place{}, errors.New("what is - to be? Say so with --format sql or --format inc")
	case isAddress(name):
		return Place{Server, name}, nil
	case ending != 0:
		return Place{ending, name}, nil
	case known:
		return Place{kind, name}, nil
	}
	return Place{}, fmt.Errorf("%q is neither HOST:PORT nor a file that ends in .sqlite3, .sqlite, .db, .sql, .inc or .conf; "+
		"say what it is with --format", name)
}

// isAddress tells whether a name is HOST:PORT.
func isAddress(name string) bool {
	host, port, err := net.SplitHostPort(name)
	if err != nil || host == "" || strings.ContainsAny(host, "/\\${}<>|\"'` \t\n") {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// String returns the name that messages call the place.
func (p Place) String() string {
	if p.Name == standard {
		return "standard input or output"
	}
	return p.Name
}

// Row is a PR value and what it belongs to.
type Row struct {
	Version, Pkgarch, Checksum string
	// Value is a whole number, or in a file of BitBake 2.10 and later a
	// revision: whole numbers with points between.
	Value string
}

// revision is a value as the numbers that it consists of.
type revision []int64

// maxDigits is how many digits the numbers of a revision may have, so that
// there is a next one. Only whole values may have all that SQLite stores.
const maxDigits = 18

// parseRevision reads a value. The second result is false if it is none: what
// [badRows] says in SQL.
func parseRevision(value string) (revision, bool) {
	var r revision
	for part := range strings.SplitSeq(value, ".") {
		n, err := strconv.ParseInt(part, 10, 64)
		// Only a whole number can be less than 0, as somebody may import it.
		if err != nil || part[0] == '+' || part[0] == '-' && part != value ||
			len(part) > maxDigits && value != strconv.FormatInt(n, 10) {
			return nil, false
		}
		r = append(r, n)
	}
	return r, true
}

// compareValues compares two values by their numbers: 9, 10, 10.0, 10.1. What
// is no value is less than any.
func compareValues(a, b string) int {
	ra, _ := parseRevision(a)
	rb, _ := parseRevision(b)
	return slices.Compare(ra, rb)
}
