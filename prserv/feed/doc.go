// Package feed reads what builds have published: package feeds of opkg, dpkg
// and rpm, single packages of those, and buildhistory. Of each package it says
// which PR value stands in its version, and to which key of a PR server's
// database that value belongs.
//
// Start with [Read], which calls a function with every [Package], and
// [Package.Readings], which interprets one. The package knows no database:
// where a version can be read in more than one way, it returns all readings,
// and the caller takes those that a database knows.
//
// Sources are the classes of oe-core that write packages. They are cited as of
// its revisions krogoth (2016), hardknott, kirkstone, scarthgap, wrynose and
// master; classes in classes-global stood in classes before langdale.
package feed
