"""Uses a database file with Python's sqlite3, under Python 2.7 and 3.

    database.py get JOURNAL FILE KEY...    asks for PR values as the reference does and prints them;
                                           JOURNAL is the journal mode: WAL before 1.32, then MEMORY
    database.py crash JOURNAL FILE KEY...  the same, then dies in the middle of a change
    database.py rows FILE                  prints the rows
    database.py backup FILE COPY           copies the file while somebody may use it

A key is VERSION/PKGARCH/CHECKSUM.
"""
import os
import sqlite3
import sys

TABLE = "PRMAIN_nohist"


class Table(object):
    """What lib/prserv/db.py does to a file, statement by statement."""

    def __init__(self, filename, journal):
        self.connection = sqlite3.connect(filename, isolation_level="EXCLUSIVE", check_same_thread=False)
        self.connection.execute("pragma synchronous = off;")
        mode, = self.connection.execute("PRAGMA journal_mode = %s;" % journal).fetchone()
        if mode != journal.lower():
            sys.exit("the journal mode is %s, not %s" % (mode, journal))
        self.connection.execute("CREATE TABLE IF NOT EXISTS %s \
                    (version TEXT NOT NULL, \
                    pkgarch TEXT NOT NULL,  \
                    checksum TEXT NOT NULL, \
                    value INTEGER, \
                    PRIMARY KEY (version, pkgarch, checksum));" % TABLE)

    def sync(self):
        self.connection.commit()
        self.connection.execute("BEGIN EXCLUSIVE TRANSACTION")

    def get(self, version, pkgarch, checksum):
        data = self.connection.execute("SELECT value FROM %s \
                            WHERE version=? AND pkgarch=? AND checksum=? AND \
                            value >= (select max(value) from %s where version=? AND pkgarch=?);"
                                       % (TABLE, TABLE), (version, pkgarch, checksum, version, pkgarch))
        row = data.fetchone()
        if row is not None:
            return row[0]
        self.connection.execute("INSERT OR REPLACE INTO %s VALUES (?, ?, ?, (select ifnull(max(value)+1,0) from %s where version=? AND pkgarch=?));"
                                % (TABLE, TABLE), (version, pkgarch, checksum, version, pkgarch))
        data = self.connection.execute("SELECT value FROM %s WHERE version=? AND pkgarch=? AND checksum=?;" % TABLE,
                                       (version, pkgarch, checksum))
        return data.fetchone()[0]


def get(journal, filename, *keys):
    table = Table(filename, journal)
    for key in keys:
        print(table.get(*key.split("/")))
        table.sync()
    return table.connection


def crash(journal, filename, *keys):
    connection = get(journal, filename, *keys)
    connection.execute("UPDATE %s SET value = value + 1000" % TABLE)
    for i in range(5000):  # more than stays in the cache: some of it is written
        connection.execute("INSERT INTO %s VALUES (?, ?, ?, ?)" % TABLE, ("unfinished", "all", "%0100d" % i, i))
    sys.stdout.flush()
    os._exit(0)


def rows(filename):
    connection = sqlite3.connect(filename)
    for row in connection.execute("SELECT * FROM %s ORDER BY rowid" % TABLE):
        print("%s/%s/%s %s" % row)


def backup(filename, copy):
    connection = sqlite3.connect(filename)
    if not hasattr(connection, "backup"):  # before Python 3.7
        connection.execute("BEGIN")
        script = "".join(line + "\n" for line in connection.iterdump())
        sqlite3.connect(copy).executescript(script)
    else:
        to = sqlite3.connect(copy)
        connection.backup(to)
        to.close()


def main():
    command, args = sys.argv[1], sys.argv[2:]
    if command == "get":
        connection = get(*args)
        connection.commit()
        connection.close()
    else:
        {"crash": crash, "rows": rows, "backup": backup}[command](*args)


main()
