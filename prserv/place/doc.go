// Package place moves PR values between the places that hold them, and looks
// into those: PR servers, database files of any BitBake generation, PostgreSQL
// databases, SQL dumps, the configuration files that oe-core's PR export writes,
// and, to read, what builds have published.
//
// Start with [Parse], which tells what kind of place a name means, and [Work],
// whose methods copy, compare, list and check places. Each kind of place
// stands in a file of its own, behind the interface kind.
//
// A database file is attached to a scratch database of SQLite's, which is on
// disk where it is large, and every other place is read into that. The rest is
// SQL, or goes through the rows in the order of their key. So it takes the same
// memory for a hundred rows and for millions.
package place
