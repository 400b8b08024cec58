// Package postgres keeps PR values in a PostgreSQL database, which several
// servers may share.
//
// Start with [Open]. A getPR of a known value is answered by the reader
// (reader.go), all others by the writer (writer.go). Both carry out many calls at
// once (package batch), each on a connection of its own, which is made again
// when it is lost (link.go, connect.go). Nothing is answered from memory:
// another server may have given out a value since.
package postgres
