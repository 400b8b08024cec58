"""Drives a PR server with Python's own client, under Python 2.7 and 3.

    client.py HOST:PORT CLASS       the tests of one class, on an empty server

What is expected is what the reference answers: 004003daf under Python 2.7 to
the clients of Python 2, 1.50 under Python 3.8 to those of Python 3.
"""
import sqlite3
import sys
import unittest

try:
    import xmlrpc.client as xmlrpclib
except ImportError:
    import xmlrpclib

PYTHON3 = sys.version_info[0] >= 3
ADDRESS = sys.argv.pop(1)

COLUMNS = [
    {"name": "version", "type": "TEXT", "notnull": 1, "dflt_value": None, "pk": 1},
    {"name": "pkgarch", "type": "TEXT", "notnull": 1, "dflt_value": None, "pk": 2},
    {"name": "checksum", "type": "TEXT", "notnull": 1, "dflt_value": None, "pk": 3},
    {"name": "value", "type": "INTEGER", "notnull": 0, "dflt_value": None, "pk": 0},
]


class Transport(xmlrpclib.Transport):
    """Remembers how the last reply was encoded."""

    encoding = None

    def parse_response(self, response):
        self.encoding = response.getheader("Content-Encoding", "")
        return xmlrpclib.Transport.parse_response(self, response)


def row(version, pkgarch, checksum, value):
    return {"version": version, "pkgarch": pkgarch, "checksum": checksum, "value": value}


class Case(unittest.TestCase):
    def setUp(self):
        self.transport = Transport()
        self.server = xmlrpclib.ServerProxy("http://%s/" % ADDRESS, transport=self.transport, allow_none=True)

    def fill(self, rows):
        for r in rows:
            self.assertEqual(self.server.importone(r["version"], r["pkgarch"], r["checksum"], r["value"]), r["value"])

    def exported(self, *filters):
        meta, rows = self.server.export(*(filters + (None,) * (3 - len(filters)) + (False,)))
        self.assertEqual(meta, {})
        return rows

    def assertFault(self, python2, python3, method, *args):
        with self.assertRaises(xmlrpclib.Fault) as caught:
            getattr(self.server, method)(*args)
        self.assertEqual(caught.exception.faultCode, 1)
        self.assertEqual(caught.exception.faultString, python3 if PYTHON3 else python2)


class Values(Case):
    def test_get(self):
        get = self.server.getPR
        self.assertEqual(get("v-1.0-r0", "all", "a" * 32), 0)
        self.assertEqual(get("v-1.0-r0", "all", "a" * 32), 0)
        self.assertEqual(get("v-1.0-r0", "all", "b" * 32), 1)
        self.assertEqual(get("v-1.0-r0", "all", "b" * 32), 1)
        # Back at what it was before, it gets a new value.
        self.assertEqual(get("v-1.0-r0", "all", "a" * 32), 2)
        self.assertEqual(get("v-1.0-r0", "x86", "a" * 32), 0)
        self.assertEqual(get("v-1.1-r0", "all", "a" * 32), 0)
        self.assertEqual(get("AUTOINC-v-1.0", "all", "0123456789abcdef" * 4), 0)

    def test_import(self):
        put = self.server.importone
        self.assertEqual(put("i", "all", "a", 5), 5)
        self.assertEqual(put("i", "all", "a", 3), 5)
        self.assertEqual(put("i", "all", "a", 8), 8)
        self.assertEqual(put("i", "all", "b", 2), 2)
        self.assertEqual(self.server.getPR("i", "all", "a"), 8)
        self.assertEqual(self.server.getPR("i", "all", "b"), 9)

    def test_nil(self):
        self.assertIsNone(self.server.getPR(None, "all", "a"))
        self.assertIsNone(self.server.getPR("n", None, "a"))
        self.assertIsNone(self.server.getPR("n", "all", None))
        self.assertIsNone(self.server.importone("n", "all", "a", None))
        self.assertEqual(self.server.getPR("n", "all", "b"), 0)

    def test_ping(self):
        self.assertIs(self.server.ping(), True)
        self.assertEqual(self.server.system.listMethods(), [
            "dump_db", "export", "getPR", "importone", "ping", "quit",
            "system.listMethods", "system.methodHelp", "system.methodSignature"])


class Export(Case):
    rows = [row("u", "all", "a", 3), row("v", "all", "a", 7), row("v", "all", "b", 7), row("v", "arm", "c", 0)]

    def test_export(self):
        self.fill(self.rows + [row("v", "all", "less", 1), row("", "all", "a", 9)])
        self.assertEqual(self.server.export(), [
            {"tbl_name": "PRMAIN_nohist", "core_ver": "1.0.0", "col_info": COLUMNS}, self.rows])
        self.assertEqual(self.server.export(None, None, None, True), self.server.export())
        self.assertEqual(self.exported(), self.rows)
        self.assertEqual(self.exported("", "", ""), self.rows)
        self.assertEqual(self.exported("v"), self.rows[1:])
        self.assertEqual(self.exported("v", "all"), self.rows[1:3])
        self.assertEqual(self.exported("v", "all", "b"), self.rows[2:3])
        self.assertEqual(self.exported(None, "arm"), self.rows[3:])
        self.assertEqual(self.exported(None, None, "a"), self.rows[:2])
        self.assertEqual(self.exported("v", "all", "less"), [])
        self.assertEqual(self.exported("nowhere"), [])


class Large(Case):
    def test_gzip(self):
        self.assertEqual(self.exported(), [])
        self.assertEqual(self.transport.encoding, "")
        rows = [row("pkg%03d-1.0-r0" % i, "core2-64", "%032x" % i, i) for i in range(300)]
        self.fill(rows)
        self.assertEqual(self.exported(), rows)
        self.assertEqual(self.transport.encoding, "gzip")
        self.assertEqual(self.exported("pkg123-1.0-r0"), rows[123:124])
        self.assertEqual(self.transport.encoding, "")
        self.assertEqual(self.server.dump_db().count("\n"), 3 + len(rows))
        self.assertEqual(self.transport.encoding, "gzip")


class Texts(Case):
    texts = [u"Zo\xeb", u"\u65e5\u672c", u"\U0001d11e", "0123456789" * 300, "a<b>&amp;]]>", "it's \"quoted\"",
             " padded ", "two\nlines", "%s", "*"]

    def test_texts(self):
        for text in self.texts:
            self.assertEqual(self.server.getPR(text, text, text), 0)
            self.assertEqual(self.server.getPR(text, text, text + "x"), 1)
            self.assertEqual(self.server.getPR(text, text, text + "x"), 1)
        want = [row(text, text, text + "x", 1) for text in self.texts]
        self.assertEqual(sorted(self.exported(), key=repr), sorted(want, key=repr))


class Filters(Case):
    def test_filter(self):
        rows = [row(u"f\xe9", u"\u65e5", "x", 1)]
        self.fill(rows)
        if PYTHON3:
            self.assertEqual(self.exported(u"f\xe9"), rows)
            self.assertEqual(self.exported(None, u"\u65e5"), rows)
        else:
            self.assertFault(
                "<type 'exceptions.UnicodeEncodeError'>:"
                "'ascii' codec can't encode character u'\\xe9' in position 1: ordinal not in range(128)",
                None, "export", u"f\xe9", None, None, False)


class Faults(Case):
    def test_faults(self):
        self.assertFault(
            "<type 'exceptions.TypeError'>:getPR() takes exactly 4 arguments (2 given)",
            "<class 'TypeError'>:getPR() missing 2 required positional arguments: 'pkgarch' and 'checksum'",
            "getPR", "v")
        self.assertFault(
            "<type 'exceptions.TypeError'>:export() takes at most 5 arguments (6 given)",
            "<class 'TypeError'>:export() takes from 1 to 5 positional arguments but 6 were given",
            "export", "v", "all", "a", True, True)
        self.assertFault(
            "<type 'exceptions.Exception'>:method \"getpr\" is not supported",
            "<class 'Exception'>:method \"getpr\" is not supported",
            "getpr", "v", "all", "a")
        self.assertFault(
            "<class 'sqlite3.InterfaceError'>:Error binding parameter 2 - probably unsupported type.",
            "<class 'sqlite3.InterfaceError'>:Error binding parameter 2 - probably unsupported type.",
            "importone", "v", "all", ["a"], 1)
        self.assertIsNone(self.server.getPR("v", "all", ["a"]))
        self.assertIsNone(self.server.getPR({"v": 1}, "all", "a"))
        self.assertEqual(self.exported(), [])

    def test_overflow(self):
        self.assertEqual(self.server.importone("big", "all", "a", 2**31 - 1), 2**31 - 1)
        words = "OverflowError'>:int exceeds XML-RPC limits"
        for checksum in "b", "b":  # it is stored all the same
            self.assertFault("<type 'exceptions." + words, "<class '" + words, "getPR", "big", "all", checksum)
        self.assertIn("VALUES('big','all','b',2147483648);\n", self.server.dump_db())

    def test_expat(self):
        connection = self.transport.make_connection(ADDRESS)
        connection.request("POST", "/RPC2", "<methodCall>\n<methodName>ping</method>", {"Content-Type": "text/xml"})
        with self.assertRaises(xmlrpclib.Fault) as caught:
            xmlrpclib.loads(connection.getresponse().read())
        self.assertEqual(caught.exception.faultString,
                         "<class 'xml.parsers.expat.ExpatError'>:mismatched tag: line 2, column 18")


class Dump(Case):
    def test_dump(self):
        self.assertEqual(self.server.getPR("v", "all", "a"), 0)
        self.assertEqual(self.server.getPR("v", "all", "b"), 1)
        self.assertEqual(self.server.getPR("v", "all", "a"), 2)  # now behind b
        self.assertEqual(self.server.importone(u"Zo\xeb's", "all", "quo'ted\nlines", 70), 70)
        dump = self.server.dump_db()
        database = sqlite3.connect(":memory:")
        database.executescript(dump)
        self.assertEqual(database.execute("SELECT * FROM PRMAIN_nohist ORDER BY rowid").fetchall(), [
            ("v", "all", "b", 1), ("v", "all", "a", 2), (u"Zo\xeb's", "all", "quo'ted\nlines", 70)])
        # The reference's own dump, of the same rows.
        self.assertEqual("".join(line + "\n" for line in database.iterdump()), dump)


class Quit(Case):
    def test_quit(self):
        self.assertEqual(self.server.getPR("v", "all", "a"), 0)
        self.assertIsNone(self.server.quit())


if __name__ == "__main__":
    unittest.main()
