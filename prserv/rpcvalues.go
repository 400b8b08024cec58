package prserv

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"prserver/prserv/store"
	"prserver/xmlrpc"
)

// keyOf turns the first three arguments of a call into a key; see keyOfColumns.
// The error is that of bound.
func keyOf(params []any) (k store.Key, ok bool, err error) {
	var columns [3]store.Value
	for i := range columns {
		if columns[i], err = bound(i, params[i]); err != nil {
			return k, false, err
		}
	}
	k, ok = keyOfColumns(columns[:])
	return k, ok, nil
}

// keyOfColumns makes a key of its version, pkgarch and checksum, or of the first
// of these. Its columns are TEXT, so numbers become what SQLite makes of them
// there. ok is false where a part is NULL: no row has such a key.
func keyOfColumns(columns []store.Value) (k store.Key, ok bool) {
	ok = true
	parts := [...]*string{&k.Version, &k.Pkgarch, &k.Checksum}
	for i, v := range columns {
		switch v := v.(type) {
		case nil:
			ok = false
		case string:
			*parts[i] = v
		case int64:
			*parts[i] = strconv.FormatInt(v, 10)
		case float64:
			*parts[i] = store.FormatReal(v, 15)
		}
	}
	return k, ok
}

// maxText is how long a part of a key, or a value, may be. BitBake's are far
// below it; whatever is stored comes back in every export.
const maxText = 64 << 10

// bound turns an argument of a call into what Python's sqlite3 module hands to
// SQLite: nil, an int64, a float64 or a string. The error is a [*BindError],
// [ErrIntegerRange] or [ErrTextTooLong].
func bound(index int, arg any) (store.Value, error) {
	switch v := arg.(type) {
	case nil, int64:
		return v, nil
	case string:
		if len(v) > maxText {
			return nil, ErrTextTooLong
		}
		return v, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case float64:
		if math.IsNaN(v) { // SQLite has no such number
			return nil, nil
		}
		return v, nil
	case *big.Int:
		return nil, ErrIntegerRange
	}
	return nil, &BindError{Index: index}
}

// loaded turns a value of the database into one of a reply, as Python's sqlite3
// module does. The error is [store.ErrUndecodable].
func loaded(stored store.Value) (any, error) {
	switch v := stored.(type) {
	case []byte:
		return xmlrpc.Blob(v), nil
	case string:
		if !utf8.ValidString(v) {
			return nil, store.ErrUndecodable
		}
	}
	return stored, nil
}

// filterOf turns the first three arguments of an export into a filter: each
// that Python takes for true is compared as its str(). The reference converts
// all of them before the database sees, and refuses, the first.
func filterOf(params []any, text func(any) (string, error)) (f store.Filter, err error) {
	var refused error
	for i, to := range []**string{&f.Version, &f.Pkgarch, &f.Checksum} {
		if !xmlrpc.Truth(params[i]) {
			continue
		}
		s, err := text(params[i])
		switch {
		case errors.Is(err, store.ErrUndecodable):
			refused = err
		case err != nil:
			return f, err
		}
		*to = &s
	}
	return f, refused
}

// exportedRow turns a row into a struct of a reply.
func exportedRow(r store.Row) (xmlrpc.Struct, error) {
	row := xmlrpc.Struct{
		{Name: "version", Value: r.Version},
		{Name: "pkgarch", Value: r.Pkgarch},
		{Name: "checksum", Value: r.Checksum},
		{Name: "value", Value: r.Value},
	}
	for i := range row {
		var err error
		if row[i].Value, err = loaded(row[i].Value); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// pair is a member of an object, whatever the protocol.
type pair struct {
	name  string
	value any
}

// structOf makes an object of XML-RPC.
func structOf(pairs ...pair) any {
	out := make(xmlrpc.Struct, len(pairs))
	for i, p := range pairs {
		out[i] = xmlrpc.Member{Name: p.name, Value: p.value}
	}
	return out
}

// tableInfo describes the table of clients of generation 3, with revisions, or
// that of all others, with objects that a function makes.
func tableInfo(columns []store.Column, revisions bool, object func(...pair) any) any {
	table, version := store.NohistTable, store.CoreVersion
	if revisions {
		table, version = store.MainTable, store.MainCoreVersion
	}
	info := make([]any, len(columns))
	for i, c := range columns {
		notNull := int64(0)
		if c.NotNull {
			notNull = 1
		}
		info[i] = object(pair{"name", c.Name}, pair{"type", c.Type}, pair{"notnull", notNull},
			pair{"dflt_value", c.Default}, pair{"pk", int64(c.PrimaryKey)})
	}
	return object(pair{"tbl_name", table}, pair{"core_ver", version}, pair{"col_info", info})
}
