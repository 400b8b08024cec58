package xmlrpc

// Dialect holds the differences between the reference under Python 2 and under
// Python 3. Package compat has both dialects.
type Dialect struct {
	Name string

	// Elements maps the tags of a call to their meanings.
	Elements map[string]Element
	// LooseNames accepts names of elements that are not UTF-8, and then returns
	// a [NameError] instead of a syntax error.
	LooseNames bool
	// Prefixes ignores the prefixes of tags: "ex:nil" means "nil".
	Prefixes bool
	// Numbers is the syntax of numbers.
	Numbers Numbers
	// TextKeys requires that the keys of structs are strings.
	TextKeys bool
	// Text is Python's str() of a value.
	Text func(any) (string, error)

	// MemberRank orders the members of a struct in a reply by their names. If it
	// is nil, they keep their order.
	MemberRank map[string]int
	// Blob converts bytes to the value that a reply has for them.
	Blob func(Blob) (any, error)
	// Fault converts an error to the reference's fault. It returns nil if the
	// reference fails to make one, which the client sees as HTTP status 500.
	Fault func(error) *Fault

	// LastHeaderWins takes the last of several headers of one name, not the
	// first.
	LastHeaderWins bool
	// OneSlash takes any number of slashes at the start of a path for one.
	OneSlash bool
	// BadHeaderEndsHead starts the body after a header line without a colon.
	BadHeaderEndsHead bool
	// TextHead takes the head of a request for text in Latin-1, not for bytes.
	TextHead bool
	// HeaderLimit is the number of header lines that is too many; 0 is no limit.
	HeaderLimit int
	// NegativeLength reads the body to the end of the connection if its
	// Content-Length is negative.
	NegativeLength bool
	// TruncatedGzip is the HTTP status for a gzipped body that is cut short.
	TruncatedGzip int
	// ErrorPage returns the page for an HTTP error, and its header lines.
	ErrorPage func(status int, reason string) (headers, body string)
	// VersionLast takes the last word of a request line for the version, if
	// there are more than three.
	VersionLast bool
	// BadVersion is the reason for status 505, with %s for the version.
	BadVersion string
	// Quote is Python's repr() of a string.
	Quote func(string) string
}

// Element is the meaning of a tag in a call.
type Element uint8

// The elements of a call. Any other tag is an error inside a value, and ignored
// elsewhere (methodCall, param, data, member).
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
