package asyncrpc

import "strings"

// Object is a JSON object, its members in the order in which they are written.
type Object []Member

// Member is a name in an object, and its value: nil, a bool, an int64, a
// *big.Int, a float64, a string, a []any or an Object. A string is UTF-8, except
// that half a surrogate pair, which JSON can write as an escape, is the three
// bytes that UTF-8 would need for it.
type Member struct {
	Name  string
	Value any
}

// Get returns the value of a member. Of several of a name it is the last.
func (o Object) Get(name string) (value any, ok bool) {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].Name == name {
			return o[i].Value, true
		}
	}
	return nil, false
}

// has tells whether something is in a value, as Python's "in" does: a member of
// an object, an element of an array, a part of a text.
func has(v any, text string) bool {
	switch v := v.(type) {
	case Object:
		_, ok := v.Get(text)
		return ok
	case []any:
		for _, element := range v {
			if element == any(text) {
				return true
			}
		}
	case string:
		return strings.Contains(v, text)
	}
	return false
}
