"""What the checks of try-bitbake share; it runs under Python 2 and 3."""
import collections, hashlib, json, os, re, sqlite3, sys

GENERATION = int(os.environ["GENERATION"])
# The checkout's own server is tried, which in generation 3 takes 9 for greater than 10.
ORIGINAL = os.environ["TRIED"] == "original"
TABLE = "PRMAIN" if GENERATION == 3 else "PRMAIN_nohist"

COLUMNS = (("version", "TEXT", 1, None, 1), ("pkgarch", "TEXT", 1, None, 2),
           ("checksum", "TEXT", 1, None, 3),
           ("value", "TEXT", 0, None, 4) if GENERATION == 3 else ("value", "INTEGER", 0, None, 0))

def core_version():
    """The core_ver that the server tried answers. The newest releases give each their own; ours has one of them."""
    if GENERATION < 3:
        return "1.0.0"
    import prserv
    return prserv.__version__ if ORIGINAL else "2.0.0"

def number(n):
    """A value as this bitbake's servers answer it."""
    return str(n) if GENERATION == 3 else n

def connect(host, port):
    """This bitbake's client of a PR server."""
    import prserv.serv
    if GENERATION == 1:
        return prserv.serv.PRServerConnection(host, int(port))
    return prserv.serv.connect(host, int(port))

def check(text, got, want):
    if got == want and type(got) == type(want):
        print("ok: " + text)
        return
    if isinstance(got, list) and len(got) > 9:  # too long to read whole
        many, few = collections.Counter(got), collections.Counter(want)
        got, want, text = list((many - few).elements()), list((few - many).elements()), text + " (what differs)"
    elif got and want and isinstance(got, type(want)) and len(got) > 900:
        same = len(os.path.commonprefix([got, want]))
        got, want, text = got[same:], want[same:], "%s (behind %.90r)" % (text, got[:same][-90:])
    sys.exit("FAILED: %s:\n    got  %.900r\n    want %.900r" % (text, got, want))

def read(name):
    with open(name) as f:
        return f.read()

def rows_for(listing):
    """The rows to import, {(version, pkgarch, checksum): value}, from what bitbake -s lists."""
    rows = {}
    for name, epoch, version in re.findall(r"^(\S+) +(\d*):(\S+-r\S+) *$", listing, re.M):
        if name.endswith("-native"):  # oe-core does not export these
            continue
        pf = "%s-%s%s" % (name, epoch and epoch + "_", version)
        n = len(rows)
        md5, sha256 = hashlib.md5(pf.encode()).hexdigest(), hashlib.sha256(pf.encode()).hexdigest()
        rows[pf, "i586", md5] = n
        if n % 3 == 0:
            rows[pf, "qemux86", sha256] = 2**31 - 1 - n
            rows[pf, "qemux86", md5] = n  # not the greatest, so never exported
        if n % 5 == 0:
            rows[pf, "i586", sha256] = n  # as great as the other: both are exported
        source = re.search(r"AUTOINC\+[0-9a-f]+", version)
        if source:
            rows["AUTOINC-" + pf[:pf.index(source.group())], "i586", source.group()] = n
    if trial_source():
        rows[trial_source(), "i586", "AUTOINC+0123456789"] = 57
    return rows

def trial_source():
    """The version under which the trial recipe asks for the number of its source, where bitbake -s does not show that.

    From scarthgap on, PV does not have AUTOINC, nor does what oe-core exports.
    """
    name = "oe/meta/classes-global/package.bbclass"
    if not os.path.exists(name):
        return None
    # Scarthgap cuts at a text that is not there, and so takes the last letter away.
    return "AUTOINC-prtrial-1.0+git-" + ("" if "version[:-len(pr)]" in read(name) else "r")

def trial_values():
    """The values of the trial recipe as they are imported: of its package, and of its source."""
    most, hidden = greatest(rows_for(read("list.log"))), trial_source()
    if hidden:
        return most["prtrial-1.0+git-r0", "i586"], most[hidden, "i586"]
    return most["prtrial-1.0+gitAUTOINC+0123456789-r0", "i586"], most["AUTOINC-prtrial-1.0+git", "i586"]

def greatest(rows, order=int):
    most = {}
    for (version, pkgarch, _), value in rows.items():
        most[version, pkgarch] = max(most.get((version, pkgarch), value), value, key=order)
    return most

def exported(rows):
    """The values that an export has of rows, {(version, pkgarch): value}."""
    return greatest(rows, str if ORIGINAL and GENERATION == 3 else int)

def table(db, name=TABLE):
    return db.execute("SELECT version, pkgarch, checksum, value FROM %s ORDER BY rowid" % name).fetchall()

def answered(conn):
    """The rows that a server answers: in generation 2 the greatest of each version and pkgarch only."""
    if GENERATION == 1:
        db = sqlite3.connect(":memory:")
        db.executescript(conn.dump_db())
        return table(db)
    everything = (None, None, None, False) + ((True,) if GENERATION == 3 else ())  # with history
    return [(r["version"], r["pkgarch"], r["checksum"], r["value"]) for r in conn.export(*everything)[1]]

def store(name, rows):
    """Makes a database file."""
    db = sqlite3.connect(name)
    db.execute("CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, "
               "value INTEGER, PRIMARY KEY (version, pkgarch, checksum))")
    db.executemany("INSERT INTO PRMAIN_nohist VALUES (?, ?, ?, ?)", rows)
    db.commit()
    db.close()

def stored(name):
    """The rows of a file that store has made."""
    return table(sqlite3.connect(name), "PRMAIN_nohist")

def known_order(text):
    """An export, with the PRAUTO_ lines of a version sorted where Python has dictionaries in no order."""
    if sys.version_info >= (3, 7):
        return text
    return re.sub("(PRAUTO_.*\n)+", lambda lines: "".join(sorted(lines.group().splitlines(True))), text)

def without_comments(text):
    """An export without its comments, from 2.10 on: prserv-tool has those of the older table if that can hold all values."""
    return re.sub("(?m)^#.*\n", "", text) if GENERATION == 3 else text

def blocks(name):
    """The lines of an export by version, and what is behind them."""
    text, mark, end = known_order(read(name)).partition("#PR_core_ver")
    found = {}
    for block in re.findall(r"(?:PRAUTO\$.*\n)+(?:PRAUTO_.*\n)+", text):
        version = block.split("$")[1]
        found[version] = found.get(version, "") + block
    check("every line of %s is in the block of a version" % name, len("".join(found.values())), len(text))
    return found, without_comments(mark + end)
