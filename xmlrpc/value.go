package xmlrpc

import (
	"fmt"
	"net"
	"strings"

	"prserver/xmlrpc/spool"
)

// A value is one of these Go types:
//
//	nil       nil
//	bool      boolean
//	int64     an integer of up to 64 bits
//	*big.Int  a larger one
//	float64   double
//	string    string
//	[]any     array
//	Struct    struct
//	Binary    base64
//	DateTime  dateTime.iso8601, as written
//	Decimal   bigdecimal (Python 3 only)
//	Blob      bytes of a database, in replies only
//	*Reply    a value that is encoded already, as the whole of a reply only
type (
	// Struct is a struct with its members in the order they were written.
	Struct []Member
	// Member is one member of a [Struct]. A call can make a key of any type.
	Member struct {
		Name  any
		Value any
	}
	// Binary is a decoded base64 value.
	Binary []byte
	// DateTime is the text of a dateTime.iso8601 value, unchecked.
	DateTime string
	// Decimal is a bigdecimal value, as Python's Decimal prints it.
	Decimal string
	// Blob is a run of bytes that is no text, as SQLite stores it.
	Blob []byte
)

// Call is a decoded request.
type Call struct {
	// Method is the name called; HasMethod is false where the request had none.
	Method    string
	HasMethod bool
	// Params are the arguments in order.
	Params []any
	// Client is the connection that the call came over.
	Client net.Conn
	// Dialect is the client's, for methods whose meaning depends on it.
	Dialect *Dialect

	pack    bool // the client takes a packed reply
	account spool.Account
}

// Fault is an XML-RPC fault. The reference only ever sends code 1, but echoes
// a fault that a client sends to it with whatever members it has.
type Fault struct {
	Code    any
	Message any
}

func (f *Fault) Error() string { return fmt.Sprintf("fault %v: %v", f.Code, f.Message) }

// Truth tells whether Python takes a value for true.
func Truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case Struct:
		return len(v) > 0
	case Blob:
		return len(v) > 0
	case Decimal:
		digits, _, _ := strings.Cut(string(v), "E")
		return strings.Trim(digits, "-0.") != ""
	}
	return true
}
