// Package golden holds the conversations recorded from the references, Python's bitbake-prserv of several releases, and
// what it takes to hold them again: a file format that reads well in a diff, one exchange over a raw connection, and
// the form in which two replies are compared.
//
// The recordings stand in testdata/golden; testdata/README.md describes their format, names the revisions recorded,
// and tells how to add a session. tools/record-golden plays the requests to the reference and writes its replies
// down. A replay needs no Python: ReadDir, then for each Session run its Seed on an empty database file, start a
// server on that file, and for each Exchange compare the session's Comparable of what Send returns with that of its
// Reply.
//
// Start reading at Session, Send and Session.Comparable.
package golden

// Dialect is the Python whose XML-RPC client asks and whose server answered. It names the folder below testdata/golden.
type Dialect string

// The dialects recorded.
const (
	Py2 Dialect = "py2"
	Py3 Dialect = "py3"
)

// Release is the BitBake whose JSON-lines server answered. It names the folder below testdata/golden.
type Release string

// The releases recorded. The first two are of generation 2, before and after the server learned headers; the last is
// of generation 3.
const (
	BitBake20  Release = "bitbake-2.0"
	BitBake28  Release = "bitbake-2.8"
	BitBake218 Release = "bitbake-2.18"
)

// Releases returns the releases recorded.
func Releases() []Release { return []Release{BitBake20, BitBake28, BitBake218} }

// A Session is a conversation with one server on one database file, from the server's start to its stop.
type Session struct {
	// Name is the name of the session's file without ".txt".
	Name string
	// About says what the session is for, one line each.
	About []string
	// JSONLines is set if the session speaks the JSON-lines protocol. Its requests and replies are written line by
	// line, and the client closes its sending side after each request.
	JSONLines bool
	// ReadOnly is set if the server opens the database to read only.
	ReadOnly bool
	// Refused is set if our server refuses the database file, which the reference serves.
	Refused Difference
	// Seed is an SQL script that makes the database file before the server starts; empty for no file.
	Seed string
	// Upstream is set if the server asks another server upstream, which has a database file of its own.
	Upstream bool
	// UpstreamSeed is the Seed of the server upstream.
	UpstreamSeed string
	// Exchanges are held one after the other, each on a connection of its own.
	Exchanges []Exchange
}

// An Exchange is one request and the reference's reply to it.
type Exchange struct {
	// About says in one line what the request is there to show.
	About string
	// Upstream is set if the request goes to the server upstream.
	Upstream bool
	// HalfClose makes the client close its sending side after the request, so that a server which waits for more
	// sees the end instead.
	HalfClose bool
	// Differs is set if our reply is another one.
	Differs Difference
	// Request is everything sent, as it was sent.
	Request []byte
	// Lines is the request as the file of a JSON-lines session has it; nil in other sessions.
	Lines []string
	// Reply is everything received up to the end of the connection, in the form the session's Normalise gives it. It
	// is empty if the connection was closed without a byte, and nil if nothing has been recorded yet.
	Reply []byte
}

// A Difference says where our server is meant to differ from the reference. The zero value is no difference.
type Difference struct {
	// Ours is a part of our reply, or of the error with which our server refuses a file; if it is empty, our reply is.
	Ours string
	// Reason says why ours is another one.
	Reason string
}
