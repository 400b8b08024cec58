// Package prserv is the PR service: it gives out the revision numbers that
// BitBake asks for whenever the content of a package changes, and keeps them
// in a SQLite file.
//
// A PR value belongs to a version, a pkgarch and a checksum. The service runs
// in no-history mode, the only one that BitBake up to 2.8 uses: for a checksum
// that is known and holds the greatest value of its (version, pkgarch) the
// answer is that value, for any other it is the greatest plus one.
//
// Start with [Server], which serves a file to the clients of a listener, and
// [Client], which asks any PR server. [Store] is what the four methods getPR,
// importone, export and dump_db do to the file, each in a file of its name.
//
// The reference is BitBake's own server, lib/prserv/db.py and
// lib/prserv/serv.py of revision 004003daf6bd0f0233ce5c2d95f1d7d64ab91bb3
// (BitBake 1.30) under Python 2.7, and of the branch 1.50 under Python 3.8.
// Citations in this module are of the former. Its SQL is not ours, but ours
// has to leave comparing, ordering and converting to SQLite, as its does:
// what a value is worth is decided by the affinity of the column.
package prserv
