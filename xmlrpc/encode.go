package xmlrpc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// What can be wrong with a reply.
var (
	// ErrIntRange is an integer outside 32 bits, the most XML-RPC can carry.
	ErrIntRange = errors.New("int exceeds XML-RPC limits")
	// ErrTooDeep is a value nested deeper than anybody needs.
	ErrTooDeep = errors.New("value nested too deeply")
)

// maxDepth is how deep values may be nested where they are followed down. The
// reference breaks at about 1,000.
const maxDepth = 900

const (
	header       = "<?xml version='1.0'?>\n"
	openReply    = header + "<methodResponse>\n<params>\n<param>\n"
	closeReply   = "</param>\n</params>\n</methodResponse>\n"
	openFault    = header + "<methodResponse>\n<fault>\n"
	closeFault   = "</fault>\n</methodResponse>\n"
	base64Column = 57 // bytes that make a line of 76 characters
)

// Encode appends the reply that carries v to dst.
//
// Source: xmlrpclib.py:Marshaller.dumps.
func Encode(dst []byte, v any, d *Dialect) ([]byte, error) {
	dst = append(dst, openReply...)
	dst, err := appendValue(dst, v, d, 0)
	return append(dst, closeReply...), err
}

// EncodeFault appends the reply that carries f to dst.
func EncodeFault(dst []byte, f *Fault, d *Dialect) ([]byte, error) {
	dst = append(dst, openFault...)
	dst, err := appendValue(dst, Struct{{"faultCode", f.Code}, {"faultString", f.Message}}, d, 0)
	return append(dst, closeFault...), err
}

func appendValue(dst []byte, v any, d *Dialect, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, ErrTooDeep
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "<value><nil/></value>"...), nil
	case bool:
		dst = append(dst, "<value><boolean>"...)
		dst = append(dst, map[bool]byte{true: '1', false: '0'}[v])
		return append(dst, "</boolean></value>\n"...), nil
	case int:
		return appendValue(dst, int64(v), d, depth)
	case int64:
		if v > math.MaxInt32 || v < math.MinInt32 {
			return dst, ErrIntRange
		}
		dst = append(dst, "<value><int>"...)
		dst = strconv.AppendInt(dst, v, 10)
		return append(dst, "</int></value>\n"...), nil
	case *big.Int:
		return dst, ErrIntRange
	case float64:
		dst = append(dst, "<value><double>"...)
		dst = append(dst, FormatDouble(v)...)
		return append(dst, "</double></value>\n"...), nil
	case string:
		dst = append(dst, "<value><string>"...)
		dst = appendEscaped(dst, v)
		return append(dst, "</string></value>\n"...), nil
	case []any:
		return appendArray(dst, v, d, depth)
	case Struct:
		return appendStruct(dst, v, d, depth)
	case Binary:
		dst = append(dst, "<value><base64>\n"...)
		for line := range slices.Chunk(v, base64Column) {
			dst = append(base64.StdEncoding.AppendEncode(dst, line), '\n')
		}
		return append(dst, "</base64></value>\n"...), nil
	case DateTime:
		dst = append(dst, "<value><dateTime.iso8601>"...)
		dst = append(dst, v...)
		return append(dst, "</dateTime.iso8601></value>\n"...), nil
	case Blob:
		replaced, err := d.Blob(v)
		if err != nil {
			return dst, err
		}
		return appendValue(dst, replaced, d, depth+1)
	}
	return dst, fmt.Errorf("cannot marshal %T", v)
}

func appendArray(dst []byte, items []any, d *Dialect, depth int) ([]byte, error) {
	dst = append(dst, "<value><array><data>\n"...)
	for _, item := range items {
		var err error
		if dst, err = appendValue(dst, item, d, depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, "</data></array></value>\n"...), nil
}

func appendStruct(dst []byte, st Struct, d *Dialect, depth int) ([]byte, error) {
	dst = append(dst, "<value><struct>\n"...)
	for _, m := range inOrder(st, d.MemberRank) {
		name, ok := m.Name.(string)
		if !ok {
			return dst, &KeyError{m.Name}
		}
		dst = append(dst, "<member>\n<name>"...)
		dst = appendEscaped(dst, name)
		dst = append(dst, "</name>\n"...)
		var err error
		if dst, err = appendValue(dst, m.Value, d, depth+1); err != nil {
			return dst, err
		}
		dst = append(dst, "</member>\n"...)
	}
	return append(dst, "</struct></value>\n"...), nil
}

// inOrder returns the members in the order of rank.
func inOrder(st Struct, rank map[string]int) Struct {
	if rank == nil {
		return st
	}
	sorted := slices.Clone(st)
	slices.SortStableFunc(sorted, func(a, b Member) int {
		an, _ := a.Name.(string)
		bn, _ := b.Name.(string)
		return rank[an] - rank[bn]
	})
	return sorted
}

// appendEscaped replaces what the reference replaces, and nothing else.
func appendEscaped(dst []byte, s string) []byte {
	for {
		i := strings.IndexAny(s, "&<>")
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		switch s[i] {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		}
		s = s[i+1:]
	}
}

// FormatDouble writes f as Python's repr() does: the shortest digits that
// read back as f, with an exponent below 1e-4 and from 1e16 up.
func FormatDouble(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	case f == 0 || math.Abs(f) >= 1e-4 && math.Abs(f) < 1e16:
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}
