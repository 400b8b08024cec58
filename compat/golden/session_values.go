package golden

import (
	"fmt"
	"strings"
)

var valueTopics = []topic{
	textsSession,
	importedValuesSession,
	tiesSession,
	mixedSession,
	colinfoSession,
	filtersSession,
}

// texts are strings that something on the way might change: SQLite's affinity, XML's white space, quoting.
var texts = []string{
	"", " ", "007", " 1 ", "1e3", "0x10", "1.0", "-0", "+1", "1_000", "NULL", "nan", "inf", "true",
	"  padded  ", "\ttab\t", "line\nfeed", "carriage\rreturn", "both\r\nends", "\n", "it's", `say "x"`, "''",
	"`tick`",
	`back\slash`, `\n`, "%", "%s%d", "_", "?", ":1", "$a", "@b", "a;b--c", "<&>", "&amp;", "]]>", "&#65;", "{}",
	"[]",
	"é", "ÿ", "Ā", "€", "日本語", "😀", "e\u0301", "\u200b", "\u00a0", "\ufeff", "\u2028", "\u0085", "\u007f", "\ufffd",
	"\U0010fffd", strings.Repeat("x", 3000), strings.Repeat("é", 1500), "a\u0300\u0301\u0302",
}

func textsSession(dialect Dialect) *script {
	s := newScript(dialect, "texts",
		"Text of every kind as version, pkgarch and checksum, read back by export and dump_db.")
	for _, text := range texts {
		about := fmt.Sprintf("%q", text)
		s.call(about+" as version", "getPR", text, "all", md5A)
		s.call(about+" as version, known", "getPR", text, "all", md5A)
		s.call(about+" as pkgarch", "getPR", "sed-4.2.2-r0", text, md5A)
		s.call(about+" as checksum", "getPR", "grep-2.23-r0", "all", text)
		s.call(about+" as filter on the version", "export", text, nil, nil, false)
		s.call(about+" as filter on the pkgarch", "export", nil, text, nil, false)
		s.call(about+" as filter on the checksum", "export", nil, nil, text, false)
	}
	s.call("all of it", "export")
	s.call("all of it", "dump_db")
	return s
}

func importedValuesSession(dialect Dialect) *script {
	s := newScript(dialect, "imported-values",
		"importone with values that are no int: what the column makes of them, how they compare, and what getPR and",
		"export say afterwards.")
	for i, value := range []any{
		"5", " 5 ", "5.0", "5.5", "1e3", "0x10", "007", "", " ", "five", "5five", "-3", "+4", "é",
		true, false, nil, 5.0, 5.5, -0.5, 1e15, 1e16, 1e300, 0.1, 1e-7, 2147483647.0, 2147483648.0, 9.2e18, 9.3e18,
		123456789012345680.0,
		element("<value><double>nan</double></value>"), element("<value><double>-0.0</double></value>"),
		element("<value>5</value>"), element("<value/>"),
	} {
		version := fmt.Sprintf("v%d", i)
		s.call("new, "+describe(value), "importone", version, "all", md5A, value)
		s.call("the same again", "importone", version, "all", md5A, value)
		s.call("1 over it", "importone", version, "all", md5A, 1)
		s.call("6 over it", "importone", version, "all", md5A, 6)
		s.call("it over that", "importone", version, "all", md5A, value)
		s.call("known", "getPR", version, "all", md5A)
		s.call("another", "getPR", version, "all", md5B)
		s.call("export", "export", version, nil, nil, false)
	}
	s.call("export of everything", "export")
	s.call("all of it", "dump_db")
	return s
}

func tiesSession(dialect Dialect) *script {
	s := newScript(dialect, "ties",
		"Several checksums with the greatest value of their key, values of several types among them, and the order",
		"in which export gives the rows.")
	for _, version := range []string{"tie-2", "tie-1", "tie-3"} {
		for _, arch := range []string{"x", "all", "arm"} {
			for i, checksum := range []string{"cc", "aa", "bb", "dd"} {
				value := 4
				if i == 3 {
					value = 2
				}
				s.call("import", "importone", version, arch, checksum, value)
			}
		}
	}
	s.call("all", "export", nil, nil, nil, false)
	s.call("by version", "export", "tie-1", nil, nil, false)
	s.call("by pkgarch", "export", nil, "arm", nil, false)
	s.call("by checksum", "export", nil, nil, "aa", false)
	s.call("by version and pkgarch", "export", "tie-2", "all", nil, false)
	s.call("by version and checksum", "export", "tie-2", nil, "cc", false)
	s.call("by pkgarch and checksum", "export", nil, "all", "bb", false)
	s.call("by all three", "export", "tie-2", "all", "bb", false)
	s.call("by a checksum that is not the greatest", "export", nil, nil, "dd", false)
	s.call("known, one of the tied", "getPR", "tie-1", "all", "bb")
	s.call("not the greatest", "getPR", "tie-1", "all", "dd")
	s.call("one of those tied before", "getPR", "tie-1", "all", "aa")
	for i, value := range []any{3, 3.0, "3", 3.5, "text", "TEXT", nil, nil, "", true} {
		s.call("a key of many types: "+describe(value), "importone", "types", "all", fmt.Sprintf("c%d", i), value)
		s.call("the greatest of it", "export", "types", nil, nil, false)
	}
	s.call("goes on from a text", "getPR", "types", "all", "new")
	s.call("only NULL", "importone", "nulls", "all", "c1", nil)
	s.call("only NULL, twice", "importone", "nulls", "all", "c2", nil)
	s.call("none is the greatest", "export", "nulls", nil, nil, false)
	s.call("NULL is known", "getPR", "nulls", "all", "c1")
	s.call("begins at 0", "getPR", "nulls", "all", "c3")
	s.call("all", "export", nil, nil, nil, false)
	s.call("all of it", "dump_db")
	return s
}

func mixedSession(dialect Dialect) *script {
	s := newScript(dialect, "mixed",
		"A build, a lock-down file imported over it, and another build, as oe-core drives them.")
	recipes := []string{"m4-1.4.17-r0", "gmp-6.1.0-r0", "mpfr-3.1.3-r0"}
	for round := range 3 {
		for i, recipe := range recipes {
			s.call("ping at the start of a parse", "ping")
			for _, arch := range []string{"i586", "all"} {
				s.call("a package of the build", "getPR", recipe, arch, fmt.Sprintf("%064x", 1+i*100+round))
			}
		}
		s.call("the recipe's rows", "export", recipes[round], "", "", false)
	}
	for i, recipe := range recipes {
		s.call("import of a lock-down file", "importone", recipe, "i586", fmt.Sprintf("%064x", 1+i*100), 7+i)
		s.call("import of a lock-down file", "importone", recipe, "i586", fmt.Sprintf("%064x", 999), 1)
	}
	s.call("after the import", "export", nil, nil, nil, true)
	for i, recipe := range recipes {
		s.call("the next build", "getPR", recipe, "i586", fmt.Sprintf("%064x", 1+i*100))
		s.call("the next build", "getPR", recipe, "i586", fmt.Sprintf("%064x", 999))
	}
	s.call("backup", "dump_db")
	return s
}

func colinfoSession(dialect Dialect) *script {
	s := newScript(dialect, "colinfo",
		"export's last argument: what Python takes for true and for false.")
	s.call("one row", "getPR", "less-481-r0", "all", md5A)
	for _, value := range append(append(oddArguments(), wildDoubles...), " ", "0", "false", []any{0}, []any{nil},
		object{{"", ""}}) {
		s.call("colinfo "+describe(value), "export", "less-481-r0", nil, nil, value)
	}
	return s
}

func filtersSession(dialect Dialect) *script {
	s := newScript(dialect, "filters",
		"export's filters as Python's str writes them: lists, structs, long integers, floats, dates. Rows named",
		"that way are there to be found.")
	found := map[string]any{
		"True":                   true,
		"1":                      1,
		"1.0":                    1.0,
		"-1.5":                   -1.5,
		"1e+22":                  1e22,
		"['x']":                  []any{"x"},
		"[]":                     []any{},
		`["it's"]`:               []any{"it's"},
		`['say "x"']`:            []any{`say "x"`},
		"[1, 2.5, True, None]":   []any{1, 2.5, true, nil},
		"[['a'], []]":            []any{[]any{"a"}, []any{}},
		"{'k': 'v'}":             object{{"k", "v"}},
		"{'k': [1]}":             object{{"k", []any{1}}},
		"{}":                     object{},
		`['back\\slash']`:        []any{`back\slash`},
		`['line\nfeed']`:         []any{"line\nfeed"},
		`['tab\t']`:              []any{"tab\t"},
		"['é']":                  []any{"é"},
		`[u'\xe9']`:              []any{"é"},
		`[u'\u20ac']`:            []any{"€"},
		`[u'\U0001f600']`:        []any{"😀"},
		`['\u200b']`:             []any{"\u200b"},
		"[4294967296]":           []any{4294967296},
		"[9223372036854775808]":  []any{element("<value><int>9223372036854775808</int></value>")},
		"[9223372036854775808L]": []any{element("<value><int>9223372036854775808</int></value>")},
		"[1e-07]":                []any{1e-7},
		"[inf]":                  []any{element("<value><double>inf</double></value>")},
		"[0.1]":                  []any{0.1},
		"0.1":                    0.1,
		"123456789.123":          123456789.123,
		"0.3":                    0.1 + 0.2,
		"0.30000000000000004":    0.1 + 0.2,
		"3.14159265359":          3.141592653589793,
		"3.141592653589793":      3.141592653589793,
		"1.23456789012e+15":      1234567890123456.0,
		"1234567890123456.0":     1234567890123456.0,
		"1e+12":                  1e12,
		"1000000000000.0":        1e12,
		"100000000000.0":         1e11,
		"123456789012.0":         123456789012.0,
		"1.23456789012e+11":      123456789012.5,
		"0.0001":                 0.0001,
		"1e-05":                  0.00001,
		"20160226T17:17:24":      dateTime("20160226T17:17:24"),
		"not a date":             dateTime("  not a date "),
		"bytes":                  blob("bytes"),
	}
	names := sortedKeys(found)
	for _, name := range names {
		s.call("fill", "importone", name, "all", md5A, 1)
	}
	for _, name := range names {
		s.call("by "+describe(found[name])+" for "+name, "export", found[name], nil, nil, false)
	}
	return s
}
