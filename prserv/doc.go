// Package prserv is the PR service: it gives out the revision numbers that
// BitBake asks for whenever the content of a package changes.
//
// A PR value belongs to a version, a pkgarch and a checksum. The service runs
// in no-history mode, the only one that BitBake up to 2.8 uses. A checksum that
// is known and has the greatest value of its version and pkgarch gets that value
// again. Any other gets the greatest plus one.
//
// Start with [Server], which serves the clients of a listener from a store.
// What clients can ask for stands in service.go; methods.go and rpcvalues.go
// bring it to XML-RPC. What a store is says prserv/store, and the one that keeps
// a SQLite file is prserv/store/sqlite. A client of PR servers is prserv/client.
//
// The reference is BitBake's own server, lib/prserv/db.py and
// lib/prserv/serv.py of revision 004003daf6bd0f0233ce5c2d95f1d7d64ab91bb3
// (BitBake 1.30) under Python 2.7, and of the branch 1.50 under Python 3.8.
// Citations in this module are of the former.
package prserv
