"""Part of try-bitbake: the client class of BitBake 1.52 and later."""
from trial import *
conn = connect(*sys.argv[1:])
a, b, c = "a" * 32, "b" * 64, "c" * 64
newer = hasattr(conn, "test_pr")  # than 2.6
check("ping", conn.ping(), {"alive": True})
check("is_readonly", conn.is_readonly(), False if newer else None)
check("getPR, new", conn.getPR("client-1.0-r0", "all", a), number(0))
check("getPR, known", conn.getPR("client-1.0-r0", "all", a), number(0))
check("getPR, another checksum", conn.getPR("client-1.0-r0", "all", b), number(1))
check("getPR, the first checksum again: never back", conn.getPR("client-1.0-r0", "all", a), number(2))
check("getPR, another pkgarch", conn.getPR("client-1.0-r0", "core2-32", a), number(0))
check("importone, higher", conn.importone("client-1.0-r0", "all", b, 70), 70)
if GENERATION == 3 and ORIGINAL:
    check("importone, lower: what was given", conn.importone("client-1.0-r0", "all", b, 6), 6)
else:
    check("importone, lower: the value kept", conn.importone("client-1.0-r0", "all", b, 6), 70)
check("getPR, what was imported", conn.getPR("client-1.0-r0", "all", b), number(70))
check("getPR, above what was imported", conn.getPR("client-1.0-r0", "all", a), number(71))

def row(pkgarch, checksum, value):
    return {"version": "client-1.0-r0", "pkgarch": pkgarch, "checksum": checksum, "value": number(value)}
check("export of one version", list(conn.export("client-1.0-r0", "", "", False)),
      [{}, [row("all", a, 71), row("core2-32", a, 0)]])
check("export of one pkgarch, with column information", list(conn.export("client-1.0-r0", "all", None, True)), [
    {"tbl_name": TABLE, "core_ver": core_version(),
     "col_info": [dict(zip(("name", "type", "notnull", "dflt_value", "pk"), column)) for column in COLUMNS]},
    [row("all", a, 71)]])
check("export of a version nobody has", list(conn.export("client-2.0-r0", None, None, False)), [{}, []])

if newer:
    check("test_pr, known", conn.test_pr("client-1.0-r0", "all", a), number(71))
    check("test_pr, a checksum nobody has", conn.test_pr("client-1.0-r0", "all", c), None)
    check("test_package", conn.test_package("client-1.0-r0", "all"), True)
    check("test_package, a package nobody has", conn.test_package("client-2.0-r0", "all"), False)
if GENERATION == 3:
    check("max_package_pr", conn.max_package_pr("client-1.0-r0", "all"), "71")
    check("getPR with history: the first value", conn.getPR("client-1.0-r0", "all", a, True), "0")
    check("test_pr with history: the same", conn.test_pr("client-1.0-r0", "all", a, True), "0")
    check("getPR with history, new", conn.getPR("client-1.0-r0", "all", c, True), "72")
    check("getPR without, the first checksum: never back", conn.getPR("client-1.0-r0", "all", a), "73")
    check("export with history has every value of a checksum",
          sorted(r["value"] for r in conn.export("client-1.0-r0", "all", a, False, True)[1]), ["0", "2", "71", "73"])

long = "long-" + "1." * 25000 + "0-r0"
check("getPR, a version of 50,000 characters, sent in chunks", conn.getPR(long, "all", a), number(0))
check("export of it, answered in chunks", [r["version"] for r in conn.export(long, "", "", False)[1]], [long])

# Each task of a build has a client of its own.
readers = []
for n in range(4):
    reader, writer = os.pipe()
    if not os.fork():
        own = connect(*sys.argv[1:])
        got = [own.getPR("forked-1.0-r0", "all", "%d-%d" % (n, m)) for m in range(25)]
        own.close()
        os.write(writer, json.dumps(got).encode())
        os._exit(0)
    os.close(writer)
    readers.append(reader)
got = []
for reader in readers:
    with os.fdopen(reader) as f:
        got.append([int(value) for value in json.load(f)])
    os.wait()
check("four clients at once get each value once", sorted(sum(got, [])), list(range(100)))
check("and each of them greater ones than before", got, [sorted(values) for values in got])

rows = rows_for(read("list.log"))
most = exported(rows)
exports = {(r["version"], r["pkgarch"], r["checksum"]): r["value"] for r in conn.export(None, None, None, False)[1]}
check("export of everything has all that was imported, but for what the trial recipe has raised",
      [row for row, value in rows.items() if value == most[row[:2]] and exports.get(row) != number(value)
       and not row[0].startswith("prtrial-")], [])
conn.close()
