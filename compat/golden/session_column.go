package golden

// Sessions on a PRMAIN_nohist that the reference would not have made.
var columnTopics = []topic{
	valueColumnSession,
	textColumnSession,
	brokenTextSession,
	orderSession,
	seeded("table-plain", "CREATE TABLE PRMAIN_nohist (version, pkgarch, checksum, value);\n"+plainRows,
		"A PRMAIN_nohist without types, NOT NULL and key: no affinity, and INSERT OR REPLACE replaces nothing."),
	seeded("table-spelling",
		"create table if not exists main.prmain_NOHIST(\n\tversion text not null, pkgarch text not null, -- the architecture\n"+
			"\tchecksum text not null, value integer, primary key(version,pkgarch,checksum)\n);\n"+plainRows,
		"A PRMAIN_nohist written another way: the dump has that text."),
	seeded("table-more-columns",
		"CREATE TABLE PRMAIN_nohist (version TEXT, pkgarch TEXT, checksum TEXT, value INTEGER, note TEXT DEFAULT 'n');\n"+
			"INSERT INTO PRMAIN_nohist VALUES ('acl-2.2.52-r0', 'i586', 'bb', 1, NULL);",
		"A PRMAIN_nohist with a column too many, so that no row can be inserted."),
	seeded("table-fewer-columns", "CREATE TABLE PRMAIN_nohist (version TEXT, pkgarch TEXT, checksum TEXT);\n"+
		"INSERT INTO PRMAIN_nohist VALUES ('acl-2.2.52-r0', 'i586', 'bb');",
		"A PRMAIN_nohist without the value."),
	seeded("table-column-order",
		"CREATE TABLE PRMAIN_nohist (value INTEGER, checksum TEXT, pkgarch TEXT, version TEXT);\n"+
			"INSERT INTO PRMAIN_nohist VALUES (1, 'bb', 'i586', 'acl-2.2.52-r0'), (0, 'aa', 'i586', 'acl-2.2.52-r0');",
		"A PRMAIN_nohist with the columns the other way round: rows are inserted by position and read by name."),
	seeded("table-text-value",
		"CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value TEXT,\n"+
			"PRIMARY KEY (version, pkgarch, checksum));\n"+plainRows+
			"INSERT INTO PRMAIN_nohist VALUES\n\t('acl-2.2.52-r0', 'i586', 'zz', '10'), ('acl-2.2.52-r0', 'i586', 'zy', '9');",
		"A value column of type TEXT, where 9 is more than 10."),
	seeded("table-real-value",
		"CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value REAL,\n"+
			"PRIMARY KEY (version, pkgarch, checksum));\n"+plainRows,
		"A value column of type REAL."),
	seeded("table-nocase",
		"CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL COLLATE NOCASE, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL,\n"+
			"value INTEGER NOT NULL DEFAULT 5 CHECK (value < 7),\n"+
			"PRIMARY KEY (version, pkgarch, checksum) ON CONFLICT IGNORE);\n"+plainRows+
			"INSERT INTO PRMAIN_nohist VALUES ('ACL-2.2.52-r0', 'i586', 'dd', 2);",
		"A PRMAIN_nohist with collation, default, check and a conflict clause of its own."),
	seeded("table-without-rowid",
		"CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value INTEGER,\n"+
			"PRIMARY KEY (version, pkgarch, checksum)) WITHOUT ROWID;\n"+plainRows,
		"A PRMAIN_nohist without row numbers: the dump is in the order of the key."),
	seeded("table-view",
		"CREATE VIEW PRMAIN_nohist AS SELECT 'acl-2.2.52-r0' AS version, 'i586' AS pkgarch, 'bb' AS checksum, 1 AS value;",
		"PRMAIN_nohist is a view, so that no row can be inserted."),
	seeded("table-refusing",
		noHistorySeed+plainRows+"CREATE TRIGGER refuse BEFORE INSERT ON PRMAIN_nohist BEGIN SELECT RAISE(ABORT, 'refused'); END;",
		"A trigger refuses every insertion, which Python sees as an IntegrityError."),
	seeded("table-failing",
		noHistorySeed+plainRows+"CREATE TRIGGER refuse BEFORE INSERT ON PRMAIN_nohist BEGIN SELECT RAISE(FAIL, 'failed'); END;\n"+
			"CREATE TRIGGER refuse2 BEFORE UPDATE ON PRMAIN_nohist BEGIN SELECT RAISE(ROLLBACK, 'rolled back'); END;",
		"Triggers fail insertions and roll updates back."),
	seeded("table-ignoring",
		noHistorySeed+plainRows+"CREATE TRIGGER ignore BEFORE INSERT ON PRMAIN_nohist BEGIN SELECT RAISE(IGNORE); END;",
		"A trigger drops every insertion silently: getPR finds nothing afterwards and answers nil."),
}

func valueColumnSession(dialect Dialect) *script {
	s := newScript(dialect, "column-value",
		"NULL, texts, reals and blobs in the value column, which an INTEGER column keeps when they are no integers.")
	s.Seed = noHistorySeed + `INSERT INTO PRMAIN_nohist VALUES
	('null', 'all', 'a', NULL), ('text', 'all', 'a', 'abc'), ('empty', 'all', 'a', ''), ('real', 'all', 'a', 1.5),
	('blob', 'all', 'a', x'00ff'), ('blob', 'all', 'b', 7),
	('big', 'all', 'a', 9007199254740993), ('huge', 'all', 'a', 1e300), ('mixed', 'all', 'a', 3),
	('mixed', 'all', 'b', 3.5),
	('mixed', 'all', 'c', 'three'), ('mixed', 'all', 'd', x'33'), ('mixed', 'all', 'e', NULL),
	('number', 'all', 'a', '12'), ('start', 'all', 'a', '12abc'), ('space', 'all', 'a', ' 12 x'),
	('minus', 'all', 'a', '-5x'), ('tie', 'all', 'a', 2), ('tie', 'all', 'b', 2.0),
	('textblob', 'all', 'a', x'616263'), ('utf', 'all', 'a', 'é'), ('zero', 'all', 'a', -0.0),
	('third', 'all', 'a', 0.1);`
	s.call("as it was", "dump_db")
	s.call("all of it", "export", nil, nil, nil, false)
	for _, version := range []string{
		"null", "text", "empty", "real", "blob", "big", "huge", "mixed", "number", "start", "space", "minus", "tie",
		"textblob", "utf", "zero", "third",
	} {
		s.call(version+": export", "export", version, nil, nil, false)
		s.call(version+": known", "getPR", version, "all", "a")
		s.call(version+": import of 4", "importone", version, "all", "a", 4)
		s.call(version+": import of a text", "importone", version, "all", "a", "zzz")
		s.call(version+": import of nil", "importone", version, "all", "a", nil)
		s.call(version+": another", "getPR", version, "all", "new")
		s.call(version+": known", "getPR", version, "all", "a")
		s.call(version+": export", "export", version, nil, nil, false)
	}
	s.call("as it is now", "dump_db")
	s.call("all of it", "export")
	return s
}

func textColumnSession(dialect Dialect) *script {
	s := newScript(dialect, "column-text",
		"Blobs and odd text in the key columns: what Python makes of them, and what cannot be marshalled.")
	s.Seed = noHistorySeed + `INSERT INTO PRMAIN_nohist VALUES
	('control', 'all', char(1, 2, 31), 1), ('nul', 'all', 'a' || char(0) || 'b', 1),
	('return', 'all', char(13, 10), 1), ('markup', '<&>', ']]>', 1),
	('mark', 'all', char(65279, 65534, 65535), 1),
	('private', 'all', char(57344, 1114109), 1), ('quote', 'it''s', '"', 1), ('  ', '  ', '  ', 1),
	('0', '0', '0', 1), ('', 'all', 'a', 1);`
	s.call("all of it", "export", nil, nil, nil, false)
	for _, version := range []string{"control", "nul", "return", "markup", "mark", "private", "quote", "  ", "0", ""} {
		s.call("export of "+version, "export", version, nil, nil, false)
	}
	s.call("a control character cannot be asked for", "getPR", "control", "all", "\x01\x02\x1f")
	s.call("dump", "dump_db")
	s.call("a blob is stored", "importone", "blob", "all", "a", 1)
	return s
}

func brokenTextSession(dialect Dialect) *script {
	s := newScript(dialect, "column-broken",
		"Blobs in the key columns and text that is not UTF-8: every row that holds one spoils the whole answer.")
	s.Seed = noHistorySeed + `INSERT INTO PRMAIN_nohist VALUES
	('blob', 'all', x'00ff', 1), ('text', 'all', CAST(x'61ff62' AS TEXT), 1),
	('half', 'all', CAST(x'61c3' AS TEXT), 1), ('surrogate', 'all', CAST(x'eda080' AS TEXT), 1),
	(CAST(x'ff' AS TEXT), 'all', 'a', 1), (x'6162', 'all', 'a', 1), ('good', 'all', 'a', 1);`
	for _, version := range []string{"blob", "text", "half", "surrogate", "ab", "good"} {
		s.call("export of "+version, "export", version, nil, nil, false)
		s.call("known checksum of "+version, "getPR", version, "all", "a")
		s.call("export of "+version, "export", version, nil, nil, false)
	}
	s.call("all of it", "export", nil, nil, nil, false)
	s.call("dump", "dump_db")
	return s
}

func orderSession(dialect Dialect) *script {
	s := newScript(dialect, "export-order",
		"The order of export's rows in a file with many: no ORDER BY asks for it, but clients saw it for years.")
	s.Seed = noHistorySeed + `INSERT OR IGNORE INTO PRMAIN_nohist
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
	SELECT 'v' || (i * 7919 % 13), 'a' || (i * 104729 % 3), printf('%04x', i * 1299709 % 65536), i * 15485863 % 5 FROM n;`
	s.call("all", "export", nil, nil, nil, false)
	s.call("one version", "export", "v7", nil, nil, false)
	s.call("one pkgarch", "export", nil, "a1", nil, false)
	s.call("one version and pkgarch", "export", "v7", "a1", nil, false)
	s.call("a new greatest", "getPR", "v7", "a1", "new")
	s.call("one version and pkgarch", "export", "v7", "a1", nil, false)
	s.call("one checksum", "export", nil, nil, "new", false)
	s.call("all", "export", nil, nil, nil, false)
	return s
}
