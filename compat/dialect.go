package compat

import (
	"strings"

	"prserver/xmlrpc"
)

// DialectFor returns the dialect to answer a client in: Python 3's for Python 3's
// own client, Python 2's for all others. So every BitBake gets the answers of the
// server that came with it.
func DialectFor(userAgent string) *xmlrpc.Dialect {
	if strings.HasPrefix(userAgent, "Python-xmlrpc/") {
		return Py3
	}
	return Py2
}

// The dialects, with the names of their recordings.
var (
	Py2 = python2.dialect(&xmlrpc.Dialect{
		Name:     "py2",
		Elements: elements,
		Numbers:  xmlrpc.Numbers2,
		TextKeys: true,

		LooseNames: true,
		MemberRank: rank(
			"pkgarch", "version", "value", "checksum",
			"col_info", "tbl_name", "core_ver",
			"pk", "dflt_value", "type", "name", "notnull",
			"faultCode", "faultString",
		),
		LastHeaderWins:    true,
		BadHeaderEndsHead: true,
		NegativeLength:    true,
		TruncatedGzip:     400,
		BadVersion:        "Invalid HTTP Version (%s)",
	})
	Py3 = python3.dialect(&xmlrpc.Dialect{
		Name:          "py3",
		Elements:      elements3,
		Prefixes:      true,
		Numbers:       xmlrpc.Numbers3,
		OneSlash:      true,
		TextHead:      true,
		HeaderLimit:   100,
		VersionLast:   true,
		TruncatedGzip: 500,
		BadVersion:    "Invalid HTTP version (%s)",
	})
)

// elements are the tags that Python 2 knows.
var elements = map[string]xmlrpc.Element{
	"nil":              xmlrpc.ElementNil,
	"boolean":          xmlrpc.ElementBoolean,
	"i4":               xmlrpc.ElementInt,
	"i8":               xmlrpc.ElementInt,
	"int":              xmlrpc.ElementInt,
	"double":           xmlrpc.ElementDouble,
	"string":           xmlrpc.ElementString,
	"name":             xmlrpc.ElementString,
	"array":            xmlrpc.ElementArray,
	"struct":           xmlrpc.ElementStruct,
	"base64":           xmlrpc.ElementBase64,
	"dateTime.iso8601": xmlrpc.ElementDateTime,
	"value":            xmlrpc.ElementValue,
	"params":           xmlrpc.ElementParams,
	"fault":            xmlrpc.ElementFault,
	"methodName":       xmlrpc.ElementMethodName,
}

// elements3 are the tags that Python 3 knows.
var elements3 = func() map[string]xmlrpc.Element {
	all := map[string]xmlrpc.Element{
		"i1":         xmlrpc.ElementInt,
		"i2":         xmlrpc.ElementInt,
		"biginteger": xmlrpc.ElementInt,
		"float":      xmlrpc.ElementDouble,
		"bigdecimal": xmlrpc.ElementDecimal,
	}
	for tag, e := range elements {
		all[tag] = e
	}
	return all
}()

// rank maps each name to its position. Python 2 sends the members of a struct in
// the order of their hashes. One list is enough for all structs of the server,
// because no two of them share a name.
func rank(names ...string) map[string]int {
	r := make(map[string]int, len(names))
	for i, name := range names {
		r[name] = i
	}
	return r
}

// python is a major version of Python.
type python int

const (
	python2 python = 2
	python3 python = 3
)

// dialect adds to d the functions that write what this Python would write.
func (p python) dialect(d *xmlrpc.Dialect) *xmlrpc.Dialect {
	d.Fault = p.fault
	d.Text = p.str
	d.Blob = p.blob
	d.ErrorPage = p.errorPage
	d.Quote = p.reprBytes
	return d
}
