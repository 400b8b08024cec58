# Part of try-bitbake: prserv-tool with what oe-core's export writes, and with the checkout's own PR server.

say "== prserv-tool writes what oe-core exports"
tool copy "$at" ours.inc
trial <<'EOF'
from trial import *
theirs, their_end = blocks("export.inc")
ours, our_end = blocks("ours.inc")
check("what bitbake-prserv-tool exported, in the order of versions, is byte for byte in what prserv-tool wrote",
      "".join(theirs[version] for version in sorted(theirs)), "".join(ours[version] for version in sorted(theirs)))
check("so is its end", their_end, our_end)

# Names as they come and as they do not; the marked ones BitBake cannot read.
rows = rows_for(read("list.log"))
for n, (version, pkgarch, checksum) in enumerate([
        ("several-1.0-r0", "qemux86", "b"), ("several-1.0-r0", "all", "d"), ("several-1.0-r0", "core2-32", "c"),
        ("several-1.0-r0", "qemux86", "a"), ("several-1.0-r0", "all", "b"), ("several-1.0-r0", "x86_64-nativesdk", "b"),
        ("Several-1.0-r0", "all", "b"), ("c++-1.0-r0", "all", "b"), ("1", "2", "3"), ("a/b", "c/d", "e/f"),
        ("tilde-1.0~rc1-r0", "all", "b"), ("under_score_-1_1.0-r0", "qemux86_64", "b"), ("AUTOINC-c-1.0", "all", "AUTOINC+1"),
        ("braces{}-1.0-r0", "all", "b"), ("-", "-", "-"), ("empty-1.0-r0", "", ""),
        ("unfit 1.0-r0", "all", "b"), ("unfit:1.0-r0", "all", "b"), ("several-1.0-r0", "un:unfit", "b"),
        ("unfit$1.0-r0", "all", "b"), ("unfit\"1.0-r0", "all", "b"), ("unfit'1.0-r0", "all", "b"), ("unfit=1.0-r0", "all", "b"),
        ("unfit[1]-1.0-r0", "all", "b"), ("unfit@1-1.0-r0", "all", "b"), ("unfit#1-1.0-r0", "all", "b"),
        ("unfit\\-1.0-r0", "all", "b"), ("unfit\t-1.0-r0", "all", "b"), ("unfit\n-1.0-r0", "all", "b"),
        ("unfit_append_x-1.0-r0", "all", "b"), ("unfit-1.0-r0", "all", "x_remove"),
        ("unfit_prepend_-1.0-r0", "all", "b")]):
    rows[version, pkgarch, checksum] = 40 + n // 2  # as great as another one, now and then
rows["several-1.0-r0", "core2-32", "b"] = rows["several-1.0-r0", "core2-32", "c"]
rows["negative-1.0-r0", "all", "b"] = -7
rows["zero-1.0-r0", "all", "b"] = 0
store("names.sqlite3", [key + (value,) for key, value in rows.items()])  # in no order
EOF
start "$program" names
trial $host "$port" <<'EOF'
from trial import *
import bb, bb.data
import oe.prservice
bb.fatal = bb.error = sys.exit  # there is nobody who would log them
d = bb.data.init()
d.setVar("PRSERV_HOST", ":".join(sys.argv[1:]))
d.setVar("PRSERV_DUMPDIR", os.getcwd())
d.setVar("PRSERV_DUMPFILE", os.path.join(os.getcwd(), "names-oe-core.inc"))
for version in sorted(set(row[0] for row in stored("names.sqlite3"))):
    d.setVar("PRSERV_DUMPOPT_VERSION", str(version.replace("$", "${@'$'}")))
    metainfo, datainfo = oe.prservice.prserv_dump_db(d)
    if not datainfo: sys.exit("FAILED: prserv_dump_db has nothing of %r" % version)
    oe.prservice.prserv_export_tofile(d, None, datainfo, False)
d.setVar("PRSERV_DUMPOPT_VERSION", "")
d.setVar("PRSERV_DUMPOPT_COL", "1")
metainfo, datainfo = oe.prservice.prserv_dump_db(d)
oe.prservice.prserv_export_tofile(d, metainfo, None, True)
EOF
tool copy "$at" names-of-server.inc
stop "$port"
tool copy names.sqlite3 names-of-file.inc
trial <<'EOF'
from trial import *
import bb.parse, bb.data
from bb.parse.parse_py import ConfHandler
import oe.prservice
theirs, written = read("names-oe-core.inc"), read("names-of-server.inc")
fit = without_comments(re.sub(r'PRAUTO[^"]*unfit(.|\n)*?= "-?\d+"\n', "", theirs))
ours = without_comments(written)
check("oe-core's export functions write nothing else than prserv-tool copy HOST:PORT x.inc", known_order(fit), known_order(ours))
if fit != ours:
    print("ok: only the PRAUTO_ lines of a version are in another order, that of a dictionary of Python " + sys.version.split()[0])
check("nor than prserv-tool copy FILE.sqlite3 x.inc", read("names-of-file.inc"), written)

class Server(object):
    """What the import is to take for a PR server."""
    def importone(self, version, pkgarch, checksum, value):
        self.got.append((version, pkgarch, checksum, value))
        return value
    def close(self):
        pass

def imported(text):
    """What oe-core imports of configuration, or the parser's error."""
    with open("parsed.inc", "w") as f:
        f.write(text)
    server, d = Server(), bb.data.init()
    server.got = []
    d.setVar("PRSERV_HOST", "nobody:1")
    try:
        ConfHandler.handle(os.path.abspath("parsed.inc"), d, False)
        bb.data.expandKeys(d)
    except (bb.parse.ParseError, bb.BBHandledException) as e:
        return str(e)
    oe.prservice.prserv_make_conn = lambda d: server
    oe.prservice.prserv_import_db(d)
    return server.got

most, rows = {}, {}
for version, pkgarch, checksum, value in stored("names.sqlite3"):
    rows.setdefault((version, pkgarch), []).append((value, checksum))
best = [key + (checksum, value) for key, values in rows.items() for value, checksum in values if value == max(values)[0]]
check("oe-core's import finds in it every row that is not marked as unfit",
      sorted(imported(ours)), sorted(row for row in best if "unfit" not in "".join(row[:3])))
# From 1.52 on a colon may stand in a name; what BitBakes up to 1.50 cannot read, prserv-tool writes for none.
check("and reads none of the others as what it is, but for colons from 1.52 on",
      [row for row in best if "unfit" in "".join(row[:3]) and imported('PRAUTO$%s$%s$%s = "%d"\n' % row) == [row]],
      [row for row in best if GENERATION > 1 and ("unfit:" in row[0] or ":unfit" in row[1])])
EOF

say "== oe-core reads what prserv-tool has written, and prserv-tool what oe-core has"
trial <<'EOF'
from trial import *
rows = [line.split("$")[1:] for line in read("names-of-server.inc").splitlines() if "$" in line]
rows = [(version, pkgarch) + re.match('(.*) = "(.*)"$', rest).groups() for version, pkgarch, rest in rows]
store("lower.sqlite3", [row[:3] + (min(int(row[3]) - 1, n),) for n, row in enumerate(rows) if n % 2])
EOF
start "$program" lower
ask_at "$at"
run import-ours bitbake-prserv-tool import "$work/names-of-server.inc"
tool diff names-of-server.inc "$at"
ok "a server with lower values and without some has after bitbake-prserv-tool import just what prserv-tool wrote"
stop "$port"
start "$program" imported
imported=$at imported_port=$port
ask_at "$imported"
run import-export bitbake-prserv-tool import "$work/export.inc"
start "$program" copied
tool copy export.inc "$at"
tool diff "$at" "$imported"
tool diff export.inc "$at"
ok "bitbake-prserv-tool import and prserv-tool copy make the same of bitbake-prserv-tool's export"
stop "$port"
stop "$imported_port"
ask_at "$host:$main"

say "== prserv-tool and the PR server of this bitbake"
trial <<'EOF'
from trial import *
rows = dict((row[:3], row[3]) for row in stored("names.sqlite3"))
for n in range(3000):
    rows["many-%d-r0" % (n // 3), ("all", "core2-32", "qemux86")[n % 2], hashlib.md5(str(n).encode()).hexdigest()] = n
store("many.sqlite3", [key + (value,) for key, value in rows.items()])
EOF
# same PLACE PLACE: both have the same values. With servers of 1.52 to 2.8 that goes for the greatest of each version and
# pkgarch, as they tell no others.
same() {
	if [ $generation -ne 2 ]; then
		tool diff "$@"
		return
	fi
	local place
	for place in "$@"; do
		say "run: prserv-tool list $place --greatest"
		(cd "$work" && ./prserv-tool list "$place" --greatest >"greatest-$place" 2>tool.log) || fail "prserv-tool: $(cat "$work/tool.log")"
	done
	diff "$work/greatest-$1" "$work/greatest-$2" || fail "$1 and $2 differ"
}
start "$original" original
original_port=$port original_at=$at
tool ping "$original_at"
ok "prserv-tool ping finds it"
tool copy names-of-server.inc "$original_at"
same names-of-server.inc "$original_at"
ok "it has what a .inc has"
SECONDS=0
tool copy many.sqlite3 "$original_at"
[ $SECONDS -le 60 ] || fail "that took $SECONDS s"
same many.sqlite3 "$original_at"
ok "it takes 3,000 rows in $SECONDS s"
tool copy "$original_at" original.sql
tool copy original.sql restored.sqlite3
same restored.sqlite3 "$original_at"
ok "a new file made of its dump has what it has"

# file_or_hint WHEN NAME: its file, which it has open, is read as it is or not at all.
file_or_hint() {
	say "run: prserv-tool copy original.sqlite3 $2"
	if (cd "$work" && ./prserv-tool copy original.sqlite3 "$2" >tool.log 2>&1); then
		same "$2" "$original_at"
		ok "$1 its file can be read while it runs, and has what it answers"
		return
	fi
	[ "$(wc -l <"$work/tool.log")" -eq 1 ] && [ ! -e "$work/$2" ] &&
		grep -q 'original.sqlite3 is in use by process .* name its HOST:PORT instead' "$work/tool.log" ||
		fail "prserv-tool: $(cat "$work/tool.log")"
	ok "$1 its file cannot be read while it runs, and prserv-tool says what to do"
}
file_or_hint "after a dump" dumped.sql
tool get "$original_at" several-1.0-r0 all new
tool ping "$original_at" # one call at a time: the value, which it answers before it commits it, is in the file now
file_or_hint "after a new value" asked.sql

start "$program" ours
tool copy "$original_at" "$at"
same "$original_at" "$at"
ok "a copy from it to the server tried has what it has"
tool get "$at" several-1.0-r0 all newer
tool get "$at" other-1.0-r0 all new
tool copy "$at" "$original_at"
same "$at" "$original_at"
ok "and so it is after a copy back of two new values"
stop "$port"
same ours.sqlite3 "$original_at"
program_of[$original_port]=$program # whose --stop ends the original as well
stop "$original_port"
same original.sqlite3 ours.sqlite3
ok "--stop of the server tried ended it; its file has what it had answered"
