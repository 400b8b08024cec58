// Package dbfile says who may open, lock, write and replace a database file.
// SQLite alone would let two servers write one file, would take the
// write-ahead log of one file for that of another, and would leave companion
// files that their owner's server may not touch.
//
// Start with [Claim] to write a file, [HowToRead] to look into it, [CheckReadable]
// to serve it without writing, and [Replace] to make a new one in its place.
package dbfile
