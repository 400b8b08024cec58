// Package place moves PR values between the places that hold them, and looks
// into those: PR servers, database files of any BitBake generation, SQL dumps,
// and the configuration files that oe-core's PR export writes.
//
// Start with [Parse], which tells what kind of place a name means, and [Work],
// whose methods do what is to be done with places.
//
// Whatever is no database file is brought into an unnamed database of SQLite's
// first, which is on disk where it is large. What is to be done is SQL then, or
// goes through the rows in the order of their key, so it takes the same memory
// for a hundred rows and for millions.
package place
