"""Part of try-bitbake: the client class of BitBake up to 1.50."""
from trial import *
from prserv.serv import PRServerConnection
conn = PRServerConnection(sys.argv[1], int(sys.argv[2]))
a, b = "a" * 32, "b" * 64
check("ping", conn.ping(), True)
check("getPR, new", conn.getPR("client-1.0-r0", "all", a), 0)
check("getPR, known", conn.getPR("client-1.0-r0", "all", a), 0)
check("getPR, another checksum", conn.getPR("client-1.0-r0", "all", b), 1)
check("getPR, the first checksum again: never back", conn.getPR("client-1.0-r0", "all", a), 2)
check("getPR, another pkgarch", conn.getPR("client-1.0-r0", "core2-32", a), 0)
check("importone, higher", conn.importone("client-1.0-r0", "all", b, 40), 40)
check("importone, lower: the value kept", conn.importone("client-1.0-r0", "all", b, 7), 40)
check("getPR, what was imported", conn.getPR("client-1.0-r0", "all", b), 40)
check("getPR, above what was imported", conn.getPR("client-1.0-r0", "all", a), 41)

def row(pkgarch, checksum, value):
    return {"version": "client-1.0-r0", "pkgarch": pkgarch, "checksum": checksum, "value": value}
check("export of one version", conn.export("client-1.0-r0", "", "", False),
      [{}, [row("all", a, 41), row("core2-32", a, 0)]])
check("export of one pkgarch, with column information", conn.export("client-1.0-r0", "all"), [
    {"tbl_name": "PRMAIN_nohist", "core_ver": "1.0.0",
     "col_info": [dict(zip(("name", "type", "notnull", "dflt_value", "pk"), column)) for column in COLUMNS]},
    [row("all", a, 41)]])
check("export of a version nobody has", conn.export("client-2.0-r0", None, None, False), [{}, []])

# Parser processes inherit one connected client object. Answers must not cross between them.
children = []
for n in range(4):
    conn.importone("forked-%d-r0" % n, "all", a, 1000 + n)
for n in range(4):
    children.append(os.fork())
    if not children[-1]:
        same = all(conn.getPR("forked-%d-r0" % n, "all", a) == 1000 + n for _ in range(25))
        os._exit(0 if same else 1)
check("four forked processes with one client object each get their own answers",
      [os.waitpid(child, 0)[1] for child in children], [0] * 4)

exported = conn.export()[1]
dump = conn.dump_db()
restored = sqlite3.connect(":memory:")
restored.executescript(dump)
most = greatest(dict((row[:3], row[3]) for row in table(restored)))
check("dump_db restored into sqlite3 holds what export answers",
      sorted((r["version"], r["pkgarch"], r["checksum"], r["value"]) for r in exported),
      sorted(row for row in table(restored) if row[3] == most[row[:2]]))
check("and all that was imported", [row for row, value in rows_for(read("list.log")).items()
      if row + (value,) not in set(table(restored))], [])

