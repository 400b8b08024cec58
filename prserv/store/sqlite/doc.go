// Package sqlite keeps PR values in a SQLite file, as BitBake's own servers do,
// whose files it takes over and leaves usable for them.
//
// Start with [Open]. A getPR of a known value is answered from memory
// (greatest.go) or by a reader (readers.go); whatever changes the file goes
// through the one writer (writer.go), which lets calls share a transaction
// (package batch).
//
// Its SQL is not the reference's. It compares and counts integers itself, and
// leaves all else to SQLite, as the reference does: what a value is worth is
// decided by the affinity of its column.
package sqlite
