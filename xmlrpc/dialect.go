package xmlrpc

// Dialect is what the two generations of the reference do differently with
// the same bytes. Package compat has both.
type Dialect struct {
	Name string

	// Elements says what the tags of a call mean.
	Elements map[string]Element
	// LooseNames lets bytes that are no UTF-8 pass in the names of elements,
	// where they become a [NameError].
	LooseNames bool
	// Prefixes makes "ex:nil" another way to write "nil".
	Prefixes bool
	// Numbers says how numbers are written.
	Numbers Numbers
	// TextKeys demands that struct keys are strings.
	TextKeys bool
	// Text is Python's str() of a value.
	Text func(any) (string, error)

	// MemberRank orders the members of a struct in a reply; nil leaves them.
	MemberRank map[string]int
	// Blob says how a reply represents bytes that are no text.
	Blob func(Blob) (any, error)
	// Fault words an error. It returns nil where the reference itself breaks
	// while it words it, and the client sees HTTP status 500.
	Fault func(error) *Fault

	// LastHeaderWins says which of several headers of one name counts.
	LastHeaderWins bool
	// OneSlash takes any number of slashes at the start of a path for one.
	OneSlash bool
	// BadHeaderEndsHead makes the body start behind a header line without colon.
	BadHeaderEndsHead bool
	// HeaderLimit is how many header lines are too many; 0 is no limit.
	HeaderLimit int
	// NegativeLength makes a negative Content-Length stand for all there is.
	NegativeLength bool
	// TruncatedGzip is the status of a request whose gzipped body is cut short.
	TruncatedGzip int
	// ErrorPage makes the page, and its header lines, of an HTTP error.
	ErrorPage func(status int, reason string) (headers, body string)
	// VersionLast takes the last of many words in a request line for the version.
	VersionLast bool
	// BadVersion is the reason of status 505, with a %s for the version.
	BadVersion string
	// Quote is Python's repr() of a string.
	Quote func(string) string
}

// Element is what a tag of a call means.
type Element uint8

// The elements of a call. A tag that is none of them is ignored where it
// holds other elements (methodCall, param, data, member) and an error inside
// a value.
const (
	elementNone Element = iota
	ElementNil
	ElementBoolean
	ElementInt
	ElementDouble
	ElementDecimal
	ElementString
	ElementArray
	ElementStruct
	ElementBase64
	ElementDateTime
	ElementValue
	ElementParams
	ElementFault
	ElementMethodName
)
