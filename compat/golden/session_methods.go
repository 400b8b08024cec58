package golden

import "fmt"

var methodTopics = []topic{
	getPRSession,
	importoneSession,
	exportSession,
	otherMethodsSession,
	quitSession,
	methodHelpSession,
}

// Checksums as bitbake makes them: MD5 up to krogoth, SHA-256 later.
const (
	md5A    = "d41d8cd98f00b204e9800998ecf8427e"
	md5B    = "9e107d9d372bb6826bd81d3542a419d6"
	md5C    = "e4d909c290d0fb1ca068ffaddf22cbd0"
	sha256A = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	sha256B = "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d08d08d5a3c2c4b"
)

func getPRSession(dialect Dialect) *script {
	s := newScript(dialect, "getpr",
		"getPR: the first value, a known one, one that is not the greatest any more, many checksums for a key,",
		"and the keys of AUTOINC, with dump_db in between to show the rows and their order.")
	const version, arch = "busybox-1.24.1-r0", "core2-64"
	s.call("dump of the empty database", "dump_db")
	s.call("the first checksum of a key is 0", "getPR", version, arch, md5A)
	s.call("known and the greatest: the same", "getPR", version, arch, md5A)
	s.call("another checksum is one more", "getPR", version, arch, md5B)
	s.call("known and the greatest: the same", "getPR", version, arch, md5B)
	s.call("rows in the order they came", "dump_db")
	s.call("known but not the greatest: replaced by greatest + 1", "getPR", version, arch, md5A)
	s.call("the replaced row is the last now", "dump_db")
	s.call("back and forth", "getPR", version, arch, md5B)
	s.call("back and forth", "getPR", version, arch, md5A)
	s.call("a third checksum", "getPR", version, arch, sha256A)
	s.call("another pkgarch begins at 0", "getPR", version, "all", md5A)
	s.call("another version begins at 0", "getPR", "busybox-1.24.1-r1", arch, md5A)
	s.call("case counts", "getPR", "BUSYBOX-1.24.1-r0", arch, md5A)
	s.call("a space at the end counts", "getPR", version+" ", arch, md5A)
	s.call("an empty version is a version", "getPR", "", arch, md5A)
	s.call("an empty pkgarch is a pkgarch", "getPR", version, "", md5A)
	s.call("an empty checksum is a checksum", "getPR", version, arch, "")
	s.call("all empty", "getPR", "", "", "")
	s.call("all empty, known", "getPR", "", "", "")
	s.call("AUTOINC: the source revision is the checksum", "getPR", "AUTOINC-linux-yocto-4.4", "qemux86",
		"b75b1f1c7e2a2c3a9a9c2d1b7f7a6e5d4c3b2a19")
	s.call("AUTOINC: the next revision", "getPR", "AUTOINC-linux-yocto-4.4", "qemux86",
		"0d8f2c8b6a5e4f3d2c1b0a99887766554433221100")
	s.call("AUTOINC: two revisions in one", "getPR", "AUTOINC-linux-yocto-4.4", "qemux86",
		"AUTOINC_b75b1f1c7e_0d8f2c8b6a")
	for i := range 12 {
		s.call(fmt.Sprintf("checksum %d of one key", i), "getPR", "many-1.0-r0", "all",
			fmt.Sprintf("%032x", i*7919))
	}
	for _, i := range []int{3, 11, 3, 3, 0} {
		s.call(fmt.Sprintf("checksum %d again", i), "getPR", "many-1.0-r0", "all", fmt.Sprintf("%032x", i*7919))
	}
	s.call("only the greatest of each key", "export")
	s.call("all of it", "dump_db")
	return s
}

func importoneSession(dialect Dialect) *script {
	s := newScript(dialect, "importone",
		"importone: inserts, raises, never lowers, and answers the value now stored; getPR goes on from there.")
	const version, arch = "glibc-2.23-r0", "i586"
	s.call("new", "importone", version, arch, md5A, 5)
	s.call("equal", "importone", version, arch, md5A, 5)
	s.call("raised", "importone", version, arch, md5A, 7)
	s.call("lower: stays", "importone", version, arch, md5A, 6)
	s.call("much lower: stays", "importone", version, arch, md5A, -1)
	s.call("known and the greatest", "getPR", version, arch, md5A)
	s.call("goes on from what was imported", "getPR", version, arch, md5B)
	s.call("one above the greatest", "importone", version, arch, md5C, 9)
	s.call("not the greatest any more", "getPR", version, arch, md5B)
	s.call("another checksum with the greatest value", "importone", version, arch, sha256A, 10)
	s.call("both have it", "export", version, arch)
	s.call("known, its value shared", "getPR", version, arch, md5B)
	s.call("known, its value shared", "getPR", version, arch, sha256A)
	s.call("below all others, new", "importone", version, arch, sha256B, 1)
	s.call("not the greatest: replaced", "getPR", version, arch, sha256B)
	s.call("first of another key", "importone", version, "all", md5A, 0)
	s.call("zero is raised", "importone", version, "all", md5A, 1)
	s.call("negative, new", "importone", "negative-1-r0", "all", md5A, -5)
	s.call("goes on from a negative value", "getPR", "negative-1-r0", "all", md5B)
	s.call("negative, known and not the greatest", "getPR", "negative-1-r0", "all", md5A)
	s.call("the greatest int", "importone", "big-1-r0", "all", md5A, 2147483646)
	s.call("goes on to 2147483647", "getPR", "big-1-r0", "all", md5B)
	s.call("the least int", "importone", "small-1-r0", "all", md5A, -2147483648)
	s.call("empty version", "importone", "", "all", md5A, 3)
	s.call("empty everything", "importone", "", "", "", 4)
	s.call("an empty version is left out", "export")
	s.call("all of it", "dump_db")
	return s
}

func exportSession(dialect Dialect) *script {
	s := newScript(dialect, "export",
		"export: every combination of filters, values that Python takes for false, omitted arguments, and what",
		"prserv-tool and the extensible SDK ask for.")
	s.call("of an empty database", "export")
	s.call("of an empty database, without columns", "export", nil, nil, nil, false)
	for _, version := range []string{"zlib-1.2.8-r0", "bash-4.3.30-r0"} {
		for _, arch := range []string{"i586", "all"} {
			for _, checksum := range []string{md5B, md5A} {
				s.call("fill", "getPR", version, arch, checksum)
			}
		}
	}
	s.call("fill, empty version", "getPR", "", "all", md5A)
	s.call("fill, empty pkgarch", "getPR", "bash-4.3.30-r0", "", md5A)
	s.call("fill, empty checksum", "getPR", "bash-4.3.30-r0", "x32", "")
	for _, version := range []any{nil, "", "zlib-1.2.8-r0", "none"} {
		for _, arch := range []any{nil, "", "all", "none"} {
			for _, checksum := range []any{nil, "", md5A} {
				s.call(fmt.Sprintf("filters %v, %v, %v", version, arch, checksum),
					"export", version, arch, checksum, false)
			}
		}
	}
	s.call("omitted: all", "export")
	s.call("omitted: pkgarch, checksum, colinfo", "export", "zlib-1.2.8-r0")
	s.call("omitted: checksum, colinfo", "export", "zlib-1.2.8-r0", "all")
	s.call("omitted: colinfo", "export", "zlib-1.2.8-r0", "all", md5A)
	s.call("a filter with the case changed", "export", "ZLIB-1.2.8-r0", nil, nil, false)
	s.call("a filter is no pattern", "export", "%", "_", "*", false)
	s.call("prserv-tool: one recipe", "export", "zlib-1.2.8-r0", "", "", false)
	s.call("prserv-tool: the columns", "export", "zlib-1.2.8-r0", "", "", true)
	s.call("extensible SDK: all", "export", nil, nil, nil, true)
	return s
}

func otherMethodsSession(dialect Dialect) *script {
	s := newScript(dialect, "methods",
		"The other methods, and names that are none.")
	s.call("ping", "ping")
	s.call("list", "system.listMethods")
	for _, name := range []string{"getPR", "dump_db", "none", ""} {
		s.call("signature of "+name, "system.methodSignature", name)
	}
	s.call("signature of a number", "system.methodSignature", 1)
	s.call("signature of nil", "system.methodSignature", nil)
	for _, name := range []string{"getPR", "importone", "export", "ping", "quit"} {
		s.call("help on "+name+", which has none", "system.methodHelp", name)
	}
	s.call("help on what is not there", "system.methodHelp", "none")
	s.call("help on nothing", "system.methodHelp", "")
	s.call("help on a number", "system.methodHelp", 1)
	s.call("help on nil", "system.methodHelp", nil)
	s.call("help on true", "system.methodHelp", true)
	s.call("help on a double", "system.methodHelp", 1.5)
	s.call("help on an array", "system.methodHelp", []any{"getPR"})
	s.call("help on a struct", "system.methodHelp", object{{"getPR", 1}})
	s.call("help on base64", "system.methodHelp", blob("getPR"))
	s.call("help on a date", "system.methodHelp", dateTime("20160226T17:17:24"))
	s.call("multicall is not there", "system.multicall",
		[]any{object{{"methodName", "ping"}, {"params", []any{}}}})
	s.call("dump of the empty database", "dump_db")
	for _, name := range []string{
		"getinfo", "getpr", "GETPR", "getPR ", " getPR", "get PR", "_dispatch", "__class__", "system", "system.",
		".", "none", "0", "import one", "PRMAIN_nohist",
	} {
		s.call(fmt.Sprintf("no method: %q", name), name)
	}
	return s
}

func quitSession(dialect Dialect) *script {
	s := newScript(dialect, "quit", "quit, after which the server is gone.")
	s.call("a value before the end", "getPR", "quilt-0.64-r0", "all", md5A)
	s.call("quit with an argument too many does not", "quit", 1)
	s.call("still there", "ping")
	s.call("quit", "quit")
	return s
}

func methodHelpSession(dialect Dialect) *script {
	s := newScript(dialect, "differs-method-help",
		"system.methodHelp of the methods that have a text. It is prose about the program; ours is another program.")
	for _, name := range []string{
		"dump_db", "system.listMethods", "system.methodHelp", "system.methodSignature",
	} {
		s.call("help on "+name, "system.methodHelp", name)
	}
	return s
}
