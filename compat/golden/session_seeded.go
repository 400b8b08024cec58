package golden

import "strings"

var seededTopics = []topic{
	seeded("seed-objects", objectsSeed,
		"A file with tables, indexes, views and triggers of other people's, AUTOINCREMENT and ANALYZE: what dump_db",
		"prints of them and in which order."),
	seeded("seed-values", valuesSeed,
		"Tables with values of every type: how dump_db quotes them."),
	seeded("seed-names", namesSeed,
		"Names that need quoting."),
	seeded("seed-names-unicode", "CREATE TABLE \"tä\" (\"ä\"); INSERT INTO \"tä\" VALUES (1);",
		"A table whose name is not ASCII: Python 2 cannot dump it and answers nil."),
	seeded("seed-columns-unicode", "CREATE TABLE t (\"ä\", b); INSERT INTO t VALUES (1, 2);",
		"A column whose name is not ASCII: Python 2 cannot dump it and answers nil."),
	seeded("seed-text-unicode",
		noHistorySeed+"INSERT INTO PRMAIN_nohist VALUES ('é', '日本', '😀', 1), ('plain', 'all', 'ü', 2);\n"+
			"CREATE TABLE t (a DEFAULT 'ö'); INSERT INTO t VALUES ('ß');",
		"Rows and a CREATE text that are not ASCII."),
	seeded("seed-history", historySeed,
		"PRMAIN_hist of a server in history mode beside PRMAIN_nohist."),
	seeded("seed-wal", "PRAGMA journal_mode = WAL;\n"+noHistorySeed+plainRows, "A file in WAL mode."),
	seeded("seed-delete", "PRAGMA journal_mode = DELETE;\n"+noHistorySeed+plainRows, "A file in DELETE mode."),
	seeded("seed-persist", "PRAGMA journal_mode = PERSIST;\n"+noHistorySeed+plainRows, "A file in PERSIST mode."),
	seeded("seed-utf16", "PRAGMA encoding = 'UTF-16be';\n"+noHistorySeed+plainRows,
		"A file that keeps text in UTF-16."),
	seeded("seed-pages",
		"PRAGMA page_size = 512;\nPRAGMA auto_vacuum = INCREMENTAL;\nPRAGMA user_version = 7;\n"+noHistorySeed+plainRows,
		"A file with small pages and a user version, which a dump does not tell."),
	seeded("seed-gaps",
		noHistorySeed+plainRows+"UPDATE PRMAIN_nohist SET rowid = 100 - rowid;\nDELETE FROM PRMAIN_nohist WHERE value = 1;\n"+
			"INSERT INTO PRMAIN_nohist (rowid, version, pkgarch, checksum, value) VALUES (-5, 'below', 'all', 'a', 1);",
		"Row numbers that run backwards and have gaps."),
	realsSession,
}

// noHistorySeed makes the table with the text that PRTable.__init__ has.
const noHistorySeed = "CREATE TABLE PRMAIN_nohist                     (version TEXT NOT NULL,                     " +
	"pkgarch TEXT NOT NULL,                      checksum TEXT NOT NULL,                     value INTEGER,                     " +
	"PRIMARY KEY (version, pkgarch, checksum));\n"

const plainRows = `INSERT INTO PRMAIN_nohist VALUES
	('acl-2.2.52-r0', 'i586', 'aa', 0), ('acl-2.2.52-r0', 'i586', 'bb', 1), ('acl-2.2.52-r0', 'all', 'aa', 3),
	('attr-2.4.47-r0', 'i586', 'cc', 1), ('attr-2.4.47-r0', 'i586', 'aa', 1), ('', 'i586', 'aa', 2);
`

// seeded is a session that uses a file somebody else made: every method once or twice, on what is there and on
// what is not.
func seeded(name, seed string, about ...string) topic {
	return func(dialect Dialect) *script {
		s := newScript(dialect, name, about...)
		s.Seed = strings.TrimSuffix(seed, "\n")
		s.call("as it was", "dump_db")
		s.call("all of it", "export")
		s.call("known and the greatest", "getPR", "acl-2.2.52-r0", "i586", "bb")
		s.call("known and not the greatest", "getPR", "acl-2.2.52-r0", "i586", "aa")
		s.call("new checksum", "getPR", "acl-2.2.52-r0", "i586", "dd")
		s.call("new key", "getPR", "bc-1.06-r0", "i586", "aa")
		s.call("shared greatest", "getPR", "attr-2.4.47-r0", "i586", "aa")
		s.call("imported over a known one", "importone", "acl-2.2.52-r0", "all", "aa", 5)
		s.call("imported under a known one", "importone", "acl-2.2.52-r0", "all", "aa", 4)
		s.call("imported anew", "importone", "bzip2-1.0.6-r5", "i586", "aa", 9)
		s.call("by version", "export", "acl-2.2.52-r0", nil, nil, false)
		s.call("by pkgarch", "export", nil, "i586", nil, false)
		s.call("by checksum", "export", nil, nil, "aa", false)
		s.call("as it is now", "dump_db")
		s.call("all of it", "export", nil, nil, nil, true)
		return s
	}
}

const objectsSeed = `CREATE TABLE zebra (a INTEGER PRIMARY KEY AUTOINCREMENT, b);
INSERT INTO zebra (b) VALUES ('one'), ('two'), (NULL);
CREATE TABLE Apple (a, b, UNIQUE (a, b));
INSERT INTO Apple VALUES (1, 2), (2, 1);
CREATE TABLE apple2 AS SELECT * FROM Apple;
CREATE TABLE empty (x);
CREATE TABLE dropped (x);
DROP TABLE dropped;
` + noHistorySeed + plainRows + `CREATE INDEX by_value ON PRMAIN_nohist (value);
CREATE UNIQUE INDEX zebra_b ON zebra (b) WHERE b IS NOT NULL;
CREATE VIEW greatest AS
	SELECT version, max(value) AS value -- the greatest
	FROM PRMAIN_nohist GROUP BY version;
CREATE TRIGGER counted AFTER INSERT ON PRMAIN_nohist BEGIN
	INSERT INTO zebra (b) VALUES (new.version || '/' || new.checksum);
END;
CREATE TABLE kept (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO kept VALUES ('z', 1), ('a', 2);
CREATE TABLE computed (a, b AS (a + 1), c AS (a * 2) STORED);
INSERT INTO computed VALUES (1);
ANALYZE;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 VALUES ('Apple', 'sqlite_autoindex_Apple_1', '2 1 1'), ('empty', NULL, '0');
`

const valuesSeed = noHistorySeed + plainRows + `CREATE TABLE t (n INTEGER PRIMARY KEY, v);
INSERT INTO t (v) VALUES
	(NULL), (0), (-1), (9223372036854775807), (-9223372036854775808), (0.0), (-0.0), (1.0), (0.1), (-0.5), (1e14),
	(1e17), (1e300), (1e-5), (1e-300), (2.5), (100.0), (1e100), (0.123456789012345), (-1.5e-9), (''), ('text'),
	('it''s'), ('''''''') , ('say "x"'), ('a
b'), (char(13, 10)), (char(9)), (char(1, 31, 127)), ('a' || char(0) || 'b'), (';'), ('--'), ('/*'), ('%s'),
	('<&>'), (x''), (x'00'), (x'DEADbeef'),
	(zeroblob(5)), (x'2727'), (true), (1 > 2), (printf('%.3000c', 'x')), ('é'), ('日本'), (char(128512)),
	(char(65279)), (char(133, 160, 8232)), (CAST('é' AS BLOB)), (date('2016-02-26'));
CREATE TABLE wide (a TEXT, b INTEGER, c REAL, d NUMERIC, e BLOB, f);
INSERT INTO wide VALUES (1, '2', 3, '4.0', '5', 6.0), (1.5, '2.0', '3', '4e2', 5, '6'),
	(x'31', x'32', x'33', x'34', x'35', x'36');
`

const namesSeed = noHistorySeed + `CREATE TABLE "with space" ("a b" TEXT, "select" INT, "x,y");
INSERT INTO "with space" VALUES ('1', 2, 3);
CREATE TABLE "say ""x""" ("c""d", 'single', [bracket], ` + "`tick`" + `);
INSERT INTO "say ""x""" VALUES (1, 2, 3, 4);
CREATE TABLE "it's" ("it's");
INSERT INTO "it's" VALUES ('it''s');
CREATE TABLE "table" ("table");
INSERT INTO "table" VALUES (1);
CREATE TABLE "1" ("1", "");
INSERT INTO "1" VALUES (1, 2);
CREATE TABLE "" ("x");
INSERT INTO "" VALUES (1);
CREATE TABLE "per%cent{0}" ("{1}%s");
INSERT INTO "per%cent{0}" VALUES (1);
CREATE TABLE lower (x);
CREATE TABLE LOWER2 (x);
CREATE TABLE prmain_nohist2 (x);
CREATE TABLE "sqlite" (x);
CREATE TABLE "sqliteX" (x);
INSERT INTO "sqliteX" VALUES (1);
`

const historySeed = noHistorySeed + plainRows + `CREATE TABLE PRMAIN_hist (version TEXT NOT NULL, pkgarch TEXT NOT NULL,
	checksum TEXT NOT NULL, value INTEGER, PRIMARY KEY (version, pkgarch, checksum));
INSERT INTO PRMAIN_hist VALUES ('acl-2.2.52-r0', 'i586', 'aa', 40), ('acl-2.2.52-r0', 'i586', 'bb', 41);
CREATE TABLE PRMAIN (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, value TEXT,
	PRIMARY KEY (version, pkgarch, checksum, value));
INSERT INTO PRMAIN VALUES ('acl-2.2.52-r0', 'i586', 'aa', '0.1');
`

func realsSession(dialect Dialect) *script {
	s := newScript(dialect, "differs-reals",
		"Reals that SQLite prints in another way since 3.43: from 15 digits on, between 1e15 and 1e17, and infinity. The",
		"reference prints what its SQLite prints (some digits wrong, and Inf, which cannot be read back), we what ours",
		"prints. No PR value is a real unless somebody imports one or counts beyond 9223372036854775807.")
	s.Seed = noHistorySeed + `INSERT INTO PRMAIN_nohist VALUES ('seeded', 'all', 'a', 9e999),
	('seeded', 'arm', 'a', -9e999);
CREATE TABLE t (n INTEGER PRIMARY KEY, v);
INSERT INTO t (v) VALUES (1e15), (1e16), (123456789012345678.0), (4.9e-324), (9e999), (-9e999),
	(1.7976931348623157e308), (0.1 + 0.2), (1.0 / 3);`
	s.call("as it was", "dump_db")
	for i, value := range append([]any{"9223372036854775808", "0.30000000000000004", "1e400"}, wildDoubles...) {
		s.call("in the text columns: "+describe(value), "getPR", value, value, value)
		s.call("as a filter", "export", value, nil, nil, false)
		s.call("as a value", "importone", "value", "all", i, value)
		s.call("one more", "getPR", "value", "all", "new")
		s.call("the greatest", "export", "value", nil, nil, false)
	}
	storedBig(s, 9223372036854775806, 9223372036854775807)
	s.call("all", "export", nil, nil, nil, false)
	s.call("dump", "dump_db")
	return s
}
