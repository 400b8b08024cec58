package prserv

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"prserver/prserv/asyncrpc"
	"prserver/prserv/store"
	"prserver/xmlrpc"
)

// column is bound for a value of JSON.
func column(i int, v any) (store.Value, error) {
	if text, ok := v.(string); ok && !utf8.ValidString(text) {
		return nil, errNoText // half a surrogate pair
	}
	return bound(i, v)
}

// truth tells whether Python takes a value of JSON for true.
func truth(v any) bool {
	if o, ok := v.(asyncrpc.Object); ok {
		return len(o) > 0
	}
	return xmlrpc.Truth(v)
}

// jsonValue turns a value of the store into one of JSON: a revision is a text.
func jsonValue(v store.Value) (any, error) {
	switch v := v.(type) {
	case store.Revision:
		return v.String(), nil
	case string:
		if !utf8.ValidString(v) {
			return nil, store.ErrUndecodable
		}
	case []byte:
		return nil, &requestError{errors.New("a value that JSON cannot carry")}
	}
	return v, nil
}

// imported returns the value that a client means; nil for null, and for NaN, which
// SQLite takes for it. A [*refusal] is returned for one that is no PR value, of
// which the original would say nothing before the next getPR fails.
func imported(given any) (store.Value, error) {
	switch v := given.(type) {
	case nil, int64:
		return v, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case float64:
		if math.IsNaN(v) {
			return nil, nil
		}
		if v == math.Trunc(v) && math.Abs(v) < math.MaxInt64 {
			return int64(v), nil
		}
		return importedText(store.FormatReal(v, 15))
	case string:
		if !utf8.ValidString(v) {
			return nil, &requestError{errNoText}
		}
		return importedText(v)
	}
	return nil, &requestError{errors.New("import-one: a value of a type that cannot be stored")}
}

func importedText(text string) (store.Value, error) {
	r, ok := store.ParseRevision(text)
	if !ok {
		return nil, &refusal{fmt.Errorf("%.40q is no PR value: it needs whole numbers with dots between; nothing was stored", text)}
	}
	if n, whole := r.Whole(); whole {
		return n, nil
	}
	return r, nil
}

func isText(v any) bool {
	_, ok := v.(string)
	return ok
}

// isSame tells whether a stored value is the one that was to be stored.
func isSame(v, stored store.Value) bool {
	r, ok := v.(store.Revision)
	if !ok {
		return v == stored
	}
	s, ok := stored.(store.Revision)
	return ok && r.Compare(s) == 0
}

func jsonRow(row store.Row) (asyncrpc.Object, error) {
	out := asyncrpc.Object{
		{Name: "version", Value: row.Version},
		{Name: "pkgarch", Value: row.Pkgarch},
		{Name: "checksum", Value: row.Checksum},
		{Name: "value", Value: row.Value},
	}
	for i := range out {
		var err error
		if out[i].Value, err = jsonValue(out[i].Value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// plain turns a value of JSON into one that XML-RPC could have sent. Of several
// members of a name the last counts, in the place of the first.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = plain(element)
		}
		return out
	case asyncrpc.Object:
		var out xmlrpc.Struct
		for i, m := range v {
			if _, again := v[:i].Get(m.Name); !again {
				last, _ := v.Get(m.Name)
				out = append(out, xmlrpc.Member{Name: m.Name, Value: plain(last)})
			}
		}
		return out
	}
	return v
}

// objectOf makes an object of JSON.
func objectOf(pairs ...pair) any {
	out := make(asyncrpc.Object, len(pairs))
	for i, p := range pairs {
		out[i] = asyncrpc.Member{Name: p.name, Value: p.value}
	}
	return out
}
