package place

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"prserver/prserv/feed"
	"prserver/prserv/store/postgres"
)

// Kind is the kind of a place.
type Kind int

const (
	Server     Kind = iota + 1 // a PR server, ours or BitBake's
	Database                   // a SQLite file, of any generation of BitBake
	SQL                        // a dump of one
	Inc                        // BitBake configuration, as oe-core exports PR values
	Feed                       // a package feed or a buildhistory, which is only read
	PostgreSQL                 // a PostgreSQL database, which servers may share
	History                    // what a server has given out, which is only read
)

// Formats are the kinds of files, by the names that users give them.
var Formats = map[string]Kind{"sqlite3": Database, "sql": SQL, "inc": Inc, "feed": Feed, "history": History}

// Endings are the kinds of files, by the ends of their names. Texts may be
// compressed.
var Endings = map[string]Kind{
	".sqlite3": Database, ".sqlite": Database, ".db": Database,
	".sql": SQL, ".sql.gz": SQL, ".sql.zst": SQL,
	".inc": Inc, ".inc.gz": Inc, ".inc.zst": Inc,
	".conf": Inc, ".conf.gz": Inc, ".conf.zst": Inc,
	".history": History,
}

// KindOf returns the kind of a file, as far as its name tells, or 0.
func KindOf(name string) Kind {
	for ending, kind := range Endings {
		if strings.HasSuffix(strings.ToLower(name), ending) {
			return kind
		}
	}
	return 0
}

// standard names standard input or output.
const standard = "-"

// Place is somewhere PR values are.
type Place struct {
	Kind Kind
	Name string // HOST:PORT, a path, a URL, or "-" for standard input or output
}

// Parse returns the place that a name means: HOST:PORT is a server, postgres:// a
// database, the kind of a file is what its ending says, and what [feed.Recognise]
// knows is a feed.
// "-", and a file with another ending, are of the kind that format names: one of
// [Formats], or "" for none. The error says what a user may write instead.
func Parse(name, format string) (Place, error) {
	kind, known := Formats[format]
	if format != "" && !known {
		return Place{}, fmt.Errorf("%q is no format; it is one of sqlite3, sql, inc, feed and history", format)
	}
	switch kindByName := KindOf(name); {
	case name == "":
		return Place{}, errors.New("a place without a name; write HOST:PORT, a file, postgres://USER@HOST/DATABASE, or - with --format")
	case postgres.IsURL(name):
		return Place{PostgreSQL, name}, nil
	case name == standard && kind == Database:
		return Place{}, errors.New("a database cannot be read from or written to a pipe; name a file, or use --format sql")
	case name == standard && kind == History:
		return Place{}, errors.New("a history cannot be read from a pipe; name a file")
	case name == standard && known:
		return Place{kind, name}, nil
	case name == standard:
		return Place{}, errors.New("what format is -? Say --format sql, --format inc or, to read, --format feed")
	case isAddress(name):
		return Place{Server, name}, nil
	case kindByName != 0:
		return Place{kindByName, name}, nil
	case (Place{SQL, name}).packing() != nil && KindOf(strings.TrimSuffix(name, filepath.Ext(name))) == Database:
		return Place{}, fmt.Errorf("%s is a compressed database; unpack it first", name)
	case feed.Recognise(name):
		return Place{Feed, name}, nil
	case known:
		return Place{kind, name}, nil
	}
	return Place{}, fmt.Errorf("%q is neither HOST:PORT nor a file that ends in .sqlite3, .sqlite, .db, .sql, .inc, .conf or .history (.gz or .zst may follow .sql, .inc and .conf), nor a package feed; "+
		"say what it is with --format", postgres.WithoutPassword(name))
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
	return p.typed()
}

// typed returns the name as a user types it. What has a password can have it
// elsewhere, too.
func (p Place) typed() string { return postgres.WithoutPassword(p.Name) }

// isFile tells whether a place is a file with a name, and can be written.
func (p Place) isFile() bool {
	return (p.Kind == Database || p.Kind == SQL || p.Kind == Inc) && p.Name != standard
}
