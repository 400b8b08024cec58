package compat_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"prserver/compat"
	"prserver/compat/golden"
	"prserver/prserv"
)

// difference is a set of recorded exchanges that we answer otherwise, on
// purpose. The sessions whose names begin with "differs-" are on no list: each
// says at its top why it is not compared.
type difference struct {
	dialect   golden.Dialect // empty for both
	session   string
	exchanges []int // counted from 1, as the test counts them
	ours      string
	reason    string
}

// What our replies have in them.
const (
	answered   = "<methodResponse>"
	page2      = "<head>\n<title>Error response</title>"
	page3      = "<!DOCTYPE HTML PUBLIC"
	badRequest = " 400 error decoding gzip content"
	tooLarge   = " 413 Request Entity Too Large"
	dumped     = "<string>BEGIN TRANSACTION;"
	noCodec    = "LookupError'&gt;:unknown encoding"
)

var differences = []difference{
	{"", "http-length", []int{14}, tooLarge, "a length over 16 MiB is refused, whatever comes"},
	{"", "http-raw-length", []int{30, 31, 32}, tooLarge, "a length over 16 MiB is refused, whatever comes"},
	{golden.Py3, "http-raw-length", []int{24, 25}, " 500 ", "no white space but ASCII's counts in a length"},

	{golden.Py3, "http-anonymous", upTo(1, 7), answered, "who is no Python 3 client hears Python 2"},
	{golden.Py3, "http-anonymous", []int{12, 13}, "Content-Type: text/html\r\n", "who is no Python 3 client hears Python 2"},
	{golden.Py3, "http-raw-lines", append(upTo(136, 151), upTo(158, 171, 173, 174, 175)...),
		page2, "who is no Python 3 client hears Python 2"},
	{golden.Py3, "http-raw-lines", []int{152}, "Content-Type: text/html\r\n", "who is no Python 3 client hears Python 2"},
	{golden.Py3, "http-raw-lines", []int{25, 42, 55, 56, 101}, page3, "words of a request line are separated by ASCII white space, versions are short"},

	{golden.Py3, "http-raw-headers", []int{51, 53, 63, 67, 81}, "HTTP/1.0 ", "a carriage return ends no header line, mail's From line is no header"},
	{golden.Py3, "http-raw-headers", []int{80}, answered, "a carriage return alone is no empty line"},
	{golden.Py3, "http-raw-headers", []int{103, 104}, `encoding 'x\n y' not supported`, "a continued header line is joined by a newline"},
	{golden.Py3, "http-content-encoding", []int{22, 24}, " 501 encoding ", "no letter but ASCII's has a lower case in a header"},
	{golden.Py3, "http-content-encoding", []int{41}, " 501 encoding ", "no letter but ASCII's has a lower case in a header"},
	{golden.Py3, "http-content-encoding", []int{46}, answered, "white space behind a header is no part of it"},
	{golden.Py3, "http-raw-requests", []int{16}, "HTTP/1.0 ", "white space behind a header is no part of it"},
	{"", "http-accept-encoding", []int{32, 33, 34, 65, 66, 68}, answered, "a weight that is no number does not break off the reply"},
	{golden.Py3, "http-accept-encoding", []int{61}, answered, "no white space but ASCII's counts in a header"},
	{golden.Py2, "http-gzip", append(upTo(16, 21), upTo(62, 68)...), badRequest, "a gzipped body cut short is a bad request wherever it is cut"},

	{"", "xml-encoding", upTo(77, 84), noCodec, "only UTF-8, UTF-16, ASCII and Latin-1 are read"},
	{"", "xml-encoding", []int{165, 166}, "ResponseError()", "half a surrogate pair is a replacement character"},
	{"", "xml-encoding", []int{168}, answered, "it exports what the exchanges above stored"},
	{golden.Py2, "xml-tokens", []int{179}, "ExpatError", "an error of XML counts before a name that is no text"},
	{golden.Py2, "random-damage-2", []int{4, 48}, "ExpatError", "an error of XML counts before a name that is no text"},

	{golden.Py2, "seed-names-unicode", []int{1, 14}, dumped, "names of tables may have any letters"},
	{golden.Py2, "seed-columns-unicode", []int{1, 14}, dumped, "names of columns may have any letters"},
	{"", "seed-names", []int{1, 14}, dumped, "names of tables may have quotes in them"},
	{"", "seed-objects", []int{2, 12, 15}, answered, "an export is in the order of the key, whatever indexes there are"},
	{"", "table-plain", []int{2, 12, 13, 15}, answered, "an export is in the order of the key, whatever indexes there are"},
	{"", "table-column-order", []int{15}, answered, "an export is in the order of the key, whatever indexes there are"},
	{"", "table-failing", []int{8, 9}, "IntegrityError'&gt;:rolled back", "an importone that a trigger of the database undoes is a fault"},
	{golden.Py2, "column-broken", []int{10}, "<nil/>", "half a surrogate pair is no text"},
}

// upTo lists the numbers from first to last, and others.
func upTo(first, last int, others ...int) []int {
	var all []int
	for i := first; i <= last; i++ {
		all = append(all, i)
	}
	return append(all, others...)
}

func findDifference(dialect golden.Dialect, session string, exchange int) *difference {
	for i := range differences {
		d := &differences[i]
		if (d.dialect == "" || d.dialect == dialect) && d.session == session && slices.Contains(d.exchanges, exchange) {
			return d
		}
	}
	return nil
}

// refusedFile returns what we say of a database file that the reference
// serves, answering nil to everything.
func refusedFile(session string) string {
	return map[string]string{
		"table-view":          "cannot modify PRMAIN_nohist because it is a view",
		"table-more-columns":  "table PRMAIN_nohist has 5 columns but 4 values were supplied",
		"table-fewer-columns": "no such column: value",
	}[session]
}

func checkRefused(t *testing.T, file, reason string) {
	t.Helper()
	s, err := prserv.New(t.Context(), prserv.Config{File: file, Dialect: compat.DialectFor, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		s.Close()
		t.Fatalf("a file was served that cannot be, want %q", reason)
	}
	if !strings.Contains(err.Error(), reason) {
		t.Errorf("got error %q, want %q in it", err, reason)
	}
}
