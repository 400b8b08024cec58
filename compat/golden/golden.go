// Package golden holds the conversations recorded from the reference, Python's bitbake-prserv, and what is
// needed to hold them again: a file format that reads well in a diff, one exchange over a raw connection, and
// the form in which two replies are compared.
//
// What is said in the conversations is defined here as well (Sessions), by hand and by generators with fixed
// seeds; tools/record-golden plays it to the reference and writes testdata/golden. A replay needs no Python:
// ReadDir, then for each Session run its Seed on an empty database file, start a server on it, and for each
// Exchange compare Comparable of what Send returns with Comparable of its Reply.
//
// The revisions recorded are named in testdata/README.md. Start reading at Session, Send and Sessions.
package golden

import "strings"

// Dialect is the Python whose client asks and whose server answered. It is the name of the folder below
// testdata/golden as well.
type Dialect string

// The dialects recorded.
const (
	Py2 Dialect = "py2"
	Py3 Dialect = "py3"
)

// differsPrefix begins the names of sessions which we do not mean to answer as the reference does.
const differsPrefix = "differs-"

// A Session is a conversation with one server on one database file, from its start to its stop.
type Session struct {
	// Name is the name of its file without ".txt".
	Name string
	// About says what the session is for, one line each.
	About []string
	// Seed is an SQL script that makes the database file before the server starts; empty for no file.
	Seed string
	// Exchanges are held one after the other, each on a connection of its own.
	Exchanges []Exchange
}

// Differs tells whether the session records what we do on purpose, or cannot help doing, in another way than
// the reference. Its About says why.
func (s Session) Differs() bool {
	return strings.HasPrefix(s.Name, differsPrefix)
}

// An Exchange is one request and the reference's reply to it.
type Exchange struct {
	// About says in one line what the request is there to show.
	About string
	// HalfClose asks the client to close its sending side after the request, so that a server which waits
	// for more sees the end instead.
	HalfClose bool
	// Request is everything sent, as it was sent.
	Request []byte
	// Reply is everything received up to the end of the connection, in the form Normalise gives it. It is
	// empty where the connection was closed without a byte.
	Reply []byte
}
