package asyncrpc

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Errors of what was received. A server closes the connection.
var (
	// ErrLongLine is returned for a line of more than 65,536 bytes.
	ErrLongLine = errors.New("a line of more than 65,536 bytes")
	// ErrLongMessage is returned for a message that is longer than whoever
	// receives it allows.
	ErrLongMessage = errors.New("the message is too long")
	// ErrHalfLine is returned where a connection ends within a line.
	ErrHalfLine = errors.New("the connection ended within a line")
	// ErrNotUTF8 is returned for a line that is not UTF-8.
	ErrNotUTF8 = errors.New("a line is not UTF-8")
)

// errEnd ends a session as its client wants it, with the message null.
var errEnd = errors.New("the client has ended the session")

// errNested refuses chunks within chunks, which BitBake 1.52 to 2.6 does not take.
var errNested = errors.New("chunks within chunks")

// connError is the end of a connection, or what it failed with.
type connError struct{ error }

func (e *connError) Unwrap() error { return e.error }

// serveError is the error of whoever serves a message, whatever that wraps.
type serveError struct{ error }

// InvokeError is an answer in words. A server closes the connection behind it.
// BitBake 2.8 and later prints them and ends at once. Before, it knows no such
// answer, and gets the words as they are, without the end of a line. So does every
// client where what the words say passes: it warns of a bad message with them, and
// asks again, three times.
type InvokeError struct {
	Message string
	Passes  bool
}

func (e *InvokeError) Error() string { return e.Message }

// invokeError is the message that carries words.
const invokeError = "invoke-error"

func (e *InvokeError) message() Object {
	return Object{{invokeError, Object{{"message", e.Message}}}}
}

// excerpt returns the beginning of what a client has sent, fit for a log.
func excerpt(text []byte) string {
	const most = 80
	if len(text) <= most {
		return strconv.QuoteToASCII(string(text))
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strconv.QuoteToASCII(string(text[:cut])) + "..."
}

// about adds to an error the beginning of the text that it is about.
func about(err error, text []byte) error { return fmt.Errorf("%w: %s", err, excerpt(text)) }
