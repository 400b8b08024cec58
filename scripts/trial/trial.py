"""What the checks of try-bitbake share; it runs under Python 2 and 3."""
import collections, hashlib, os, re, sqlite3, sys

COLUMNS = (("version", "TEXT", 1, None, 1), ("pkgarch", "TEXT", 1, None, 2),
           ("checksum", "TEXT", 1, None, 3), ("value", "INTEGER", 0, None, 0))

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
    return rows

def greatest(rows):
    most = collections.defaultdict(int)
    for (version, pkgarch, _), value in rows.items():
        most[version, pkgarch] = max(most[version, pkgarch], value)
    return most

def table(db):
    return db.execute("SELECT version, pkgarch, checksum, value FROM PRMAIN_nohist ORDER BY rowid").fetchall()

def store(name, rows):
    """Makes a database file."""
    db = sqlite3.connect(name)
    db.execute("CREATE TABLE PRMAIN_nohist (version TEXT NOT NULL, pkgarch TEXT NOT NULL, checksum TEXT NOT NULL, "
               "value INTEGER, PRIMARY KEY (version, pkgarch, checksum))")
    db.executemany("INSERT INTO PRMAIN_nohist VALUES (?, ?, ?, ?)", rows)
    db.commit()
    db.close()

def known_order(text):
    """An export, with the PRAUTO_ lines of a version sorted where Python has dictionaries in no order."""
    if sys.version_info >= (3, 7):
        return text
    return re.sub("(PRAUTO_.*\n)+", lambda lines: "".join(sorted(lines.group().splitlines(True))), text)

def blocks(name):
    """The lines of an export by version, and what is behind them."""
    text, mark, end = known_order(read(name)).partition("#PR_core_ver")
    found = {}
    for block in re.findall(r"(?:PRAUTO\$.*\n)+(?:PRAUTO_.*\n)+", text):
        version = block.split("$")[1]
        found[version] = found.get(version, "") + block
    check("every line of %s is in the block of a version" % name, len("".join(found.values())), len(text))
    return found, mark + end
